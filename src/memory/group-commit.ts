import type { Tx } from "./connection.ts";

/** As many writes wait at most; the next one is committed with them at once. */
const maxWaiting = 1000;

interface Waiting {
  readonly write: (tx: Tx) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits the small writes of one turn of the event loop together: each waits for the disk, but they wait for
 * it once. A caller's promise resolves when its write is committed, and rejects when it is not.
 */
export class GroupCommit {
  readonly #transact: (fn: (tx: Tx) => void) => void;
  #waiting: Waiting[] = [];

  constructor(transact: (fn: (tx: Tx) => void) => void) {
    this.#transact = transact;
  }

  add(write: (tx: Tx) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ write, resolve, reject });
    if (this.#waiting.length === 1) setImmediate(() => this.flush());
    else if (this.#waiting.length >= maxWaiting) this.flush();
    return promise;
  }

  flush(): void {
    const group = this.#waiting;
    if (group.length === 0) return;
    this.#waiting = [];
    try {
      this.#transact((tx) => {
        for (const { write } of group) write(tx);
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }
}
