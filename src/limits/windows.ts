interface Window {
  readonly endsAt: number;
  taken: number;
}

/** Windows that are held at most: above what one machine is asked by in a minute, and some 20 MB. */
const maxWindows = 100_000;

/**
 * Counts by key within windows of one length: a key's window begins with its first point and ends so much later.
 * Nobody waits for the answer, so nothing is promised; it is asked at every request.
 */
export class Windows {
  /** Since all are of one length, the oldest ends first. */
  readonly #open = new Map<string, Window>();
  readonly #points: number;
  readonly #lengthMs: number;
  readonly #maxWindows: number;

  /** `most`: windows that are held at once. */
  constructor(points: number, seconds: number, most = maxWindows) {
    this.#points = points;
    this.#lengthMs = seconds * 1000;
    this.#maxWindows = most;
  }

  /** Windows that are held; ended ones among them until another begins. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes a point: 0, or the milliseconds until there are points again when none is left. */
  take(key: string, now: number): number {
    const window = this.#open.get(key);
    if (window === undefined || window.endsAt <= now) return this.#begin(key, now);
    if (window.taken >= this.#points) return window.endsAt - now;
    window.taken++;
    return 0;
  }

  /**
   * Each that begins clears away those that have ended. Above the bound the one that would end next goes too: whoever has
   * so many keys has the points of all of them, and gains nothing by beginning one of them anew.
   */
  #begin(key: string, now: number): number {
    for (const [known, { endsAt }] of this.#open) {
      if (endsAt > now && this.#open.size < this.#maxWindows) break;
      this.#open.delete(known);
    }
    this.#open.set(key, { endsAt: now + this.#lengthMs, taken: 1 });
    return 0;
  }
}
