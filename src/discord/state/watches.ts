/** Of what is being read by REST: whether an event came meanwhile, so that what was read is older. */
export class Watches {
  readonly #versions = new Map<string, number>();
  #last = 0;

  /** Keys that are watched. */
  get size(): number {
    return this.#versions.size;
  }

  /** The returned function ends it, and says whether its key has changed since. It must be called, whatever happens. */
  begin(key: string): () => boolean {
    // Never a number that was used before: another watch of the same key may have come and gone meanwhile.
    const before = this.#versions.get(key) ?? ++this.#last;
    this.#versions.set(key, before);
    return () => {
      const hasChanged = this.#versions.get(key) !== before;
      this.#versions.delete(key);
      return hasChanged;
    };
  }

  changed(key: string): void {
    if (this.#versions.has(key)) this.#versions.set(key, ++this.#last);
  }

  allChanged(): void {
    for (const key of this.#versions.keys()) this.changed(key);
  }
}
