import type { Tx } from "./connection.ts";

/** As many writes wait at most; the next one is committed with them at once. */
const maxWaiting = 1000;
/** So long a write waits for others. A commit stops the event loop for a millisecond or two, so there must be few. */
const gatherMs = 20;

interface Waiting {
  readonly write: (tx: Tx) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits the small writes of a moment together: each waits for the disk, but they wait for it once. A caller's
 * promise resolves when its write is committed, and rejects when it is not.
 */
export class GroupCommit {
  readonly #transact: (fn: (tx: Tx) => void) => void;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(transact: (fn: (tx: Tx) => void) => void) {
    this.#transact = transact;
  }

  add(write: (tx: Tx) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ write, resolve, reject });
    if (this.#waiting.length === 1) this.#timer = setTimeout(() => this.flush(), gatherMs);
    else if (this.#waiting.length >= maxWaiting) this.flush();
    return promise;
  }

  flush(): void {
    clearTimeout(this.#timer);
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
