/** A map of bounded size that forgets what was used least recently. */
export class Lru<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #limit: number;
  readonly #onEvict: ((key: string, value: Value) => void) | undefined;

  constructor(limit: number, onEvict?: (key: string, value: Value) => void) {
    this.#limit = limit;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) this.evictOldest();
  }

  /** False when there is nothing to evict. */
  evictOldest(): boolean {
    for (const [oldest, evicted] of this.#entries) {
      this.#entries.delete(oldest);
      this.#onEvict?.(oldest, evicted);
      return true;
    }
    return false;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  deleteIf(isToGo: (value: Value) => boolean): void {
    for (const [key, value] of this.#entries) if (isToGo(value)) this.#entries.delete(key);
  }

  /** Forgets everything; what is forgotten so is not evicted. */
  clear(): void {
    this.#entries.clear();
  }
}
