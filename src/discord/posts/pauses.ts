/** What has to wait a while, by its key. */
export class Pauses {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #onEnd: () => void;

  /** `onEnd` is called when the time of one is up, not when it is ended by hand. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  has(key: string): boolean {
    return this.#timers.has(key);
  }

  /** Begins one, in place of one that lasts. Milliseconds. */
  begin(key: string, ms: number): void {
    this.end(key);
    const timer = setTimeout(() => {
      this.end(key);
      this.#onEnd();
    }, ms);
    timer.unref();
    this.#timers.set(key, timer);
  }

  end(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  endAll(): void {
    for (const key of [...this.#timers.keys()]) this.end(key);
  }
}
