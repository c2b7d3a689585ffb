/** Lets requests pass, or has them wait until every hold on it is released. */
export class Gate {
  readonly #holds = new Set<Promise<void>>();

  /** Requests wait from now on. The function that is returned lets them go; calling it twice does no harm. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holds.add(promise);
    return () => {
      this.#holds.delete(promise);
      resolve();
    };
  }

  async pass(): Promise<void> {
    while (this.#holds.size > 0) await Promise.all(this.#holds);
  }
}
