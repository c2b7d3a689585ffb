import { AppError } from "../errors.ts";

/** How many may be taken at once: in all, and of one key. */
export interface SlotBounds {
  readonly inAll: number;
  readonly ofOne: number;
}

/** Of requests that are answered over HTTP at once, by token. */
const ofTokens: SlotBounds = { inAll: 1024, ofOne: 128 };
/** Of requests that are read before it is known who sends them, by address: each may take a minute, and 64 KiB. */
export const ofStrangers: SlotBounds = { inAll: 512, ofOne: 64 };

/** Requests that are under way, counted in all and for each key. */
export class RequestSlots {
  readonly #bounds: SlotBounds;
  readonly #ofKey = new Map<string, number>();
  #taken = 0;

  constructor(bounds = ofTokens) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#taken;
  }

  /** Gives what gives the slot back, idempotently. Throws AppError `rate_limited`. */
  take(key: string): () => void {
    const own = this.#ofKey.get(key) ?? 0;
    if (own >= this.#bounds.ofOne || this.#taken >= this.#bounds.inAll)
      throw new AppError("rate_limited", "Too many requests are worked on at once; wait for one of them.", {
        retryAfterMs: 1000,
      });
    this.#taken++;
    this.#ofKey.set(key, own + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#taken--;
      const left = (this.#ofKey.get(key) ?? 1) - 1;
      if (left === 0) this.#ofKey.delete(key);
      else this.#ofKey.set(key, left);
    };
  }
}
