import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";

/** Requests that are answered over HTTP at once, in all and for one token. */
const maxRequests = 1024;
const maxRequestsPerToken = 128;

/** Requests that are being answered, counted in all and for each token. */
export class Places {
  readonly #ofToken = new Map<string, number>();
  #taken = 0;

  get size(): number {
    return this.#taken;
  }

  /** Gives what gives the place back, idempotently. Throws AppError `rate_limited`. */
  take({ tokenId }: Pick<Principal, "tokenId">): () => void {
    const key = tokenId ?? "";
    const own = this.#ofToken.get(key) ?? 0;
    if (own >= maxRequestsPerToken || this.#taken >= maxRequests)
      throw new AppError("rate_limited", "Too many requests are worked on at once; wait for one of them.", {
        retryAfterMs: 1000,
      });
    this.#taken++;
    this.#ofToken.set(key, own + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#taken--;
      const left = (this.#ofToken.get(key) ?? 1) - 1;
      if (left === 0) this.#ofToken.delete(key);
      else this.#ofToken.set(key, left);
    };
  }
}
