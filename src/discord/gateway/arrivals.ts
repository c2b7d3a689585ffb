/** Waits for the guilds that READY has announced, of every shard that began anew, and then calls once. */
export class Arrivals {
  readonly #call: () => void;
  readonly #waitMs: number;
  readonly #expected = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Guilds that are down at Discord never come, so after `waitMs` without a new READY it calls all the same. */
  constructor(call: () => void, waitMs: number) {
    this.#call = call;
    this.#waitMs = waitMs;
  }

  expect(guildIds: readonly string[]): void {
    for (const id of guildIds) this.#expected.add(id);
    this.stop();
    this.#timer = setTimeout(() => this.#finish(), this.#waitMs);
    this.#timer.unref();
    this.#check();
  }

  arrived(guildId: string): void {
    if (this.#expected.delete(guildId)) this.#check();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #check(): void {
    if (this.#expected.size === 0 && this.#timer !== null) this.#finish();
  }

  #finish(): void {
    this.stop();
    this.#expected.clear();
    this.#call();
  }
}
