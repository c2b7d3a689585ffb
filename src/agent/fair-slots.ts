/**
 * So many may work at once; whoever waits for a slot is served in turn by key, so that one busy key does not
 * keep the others waiting. Within a key: first come, first served.
 */
export class FairSlots {
  readonly #waiting = new Map<string, (() => void)[]>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with the function that gives the slot back; rejects with the signal's reason. */
  async acquire(key: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(key, signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#pass();
    };
  }

  #wait(key: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const queue = this.#waiting.get(key) ?? [];
    const take = () => {
      signal.removeEventListener("abort", abort);
      resolve();
    };
    const abort = () => {
      queue.splice(queue.indexOf(take), 1);
      if (queue.length === 0) this.#waiting.delete(key);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    queue.push(take);
    this.#waiting.set(key, queue);
    return promise;
  }

  /** The slot goes to the first of the key that has waited longest for its turn; the key then goes to the end. */
  #pass(): void {
    const first = this.#waiting.entries().next().value;
    if (first === undefined) {
      this.#free++;
      return;
    }
    const [key, queue] = first;
    const take = queue.shift();
    this.#waiting.delete(key);
    if (queue.length > 0) this.#waiting.set(key, queue);
    take?.();
  }
}
