import type { TurnRecord } from "./journal.ts";

interface Waiter {
  readonly resolve: (turn: TurnRecord) => void;
  readonly reject: (reason: unknown) => void;
}

/** Who waits for which turn to end. */
export class TurnWaiters {
  readonly #waiters = new Map<string, Set<Waiter>>();

  /** Rejects with the signal's reason. */
  wait(turnId: string, signal?: AbortSignal): Promise<TurnRecord> {
    const { promise, resolve, reject } = Promise.withResolvers<TurnRecord>();
    const waiter: Waiter = { resolve, reject };
    const abort = () => {
      this.#forget(turnId, waiter);
      reject(signal?.reason);
    };
    if (signal?.aborted) {
      abort();
      return promise;
    }
    signal?.addEventListener("abort", abort, { once: true });
    const waiters = this.#waiters.get(turnId) ?? new Set();
    this.#waiters.set(turnId, waiters.add(waiter));
    const waited = promise.finally(() => signal?.removeEventListener("abort", abort));
    // Whoever waits may look at something else first.
    waited.catch(() => {});
    return waited;
  }

  ended(turn: TurnRecord): void {
    for (const { resolve } of this.#take(turn.id)) resolve(turn);
  }

  failed(turnId: string, reason: unknown): void {
    for (const { reject } of this.#take(turnId)) reject(reason);
  }

  failAll(reason: unknown): void {
    for (const turnId of [...this.#waiters.keys()]) this.failed(turnId, reason);
  }

  #take(turnId: string): readonly Waiter[] {
    const waiters = [...(this.#waiters.get(turnId) ?? [])];
    this.#waiters.delete(turnId);
    return waiters;
  }

  #forget(turnId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(turnId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(turnId);
  }
}
