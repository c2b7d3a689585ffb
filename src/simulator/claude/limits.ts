const windowMs = 60_000;
const requestsPerMinute = 4_000;
const inputTokensPerMinute = 2_000_000;
const outputTokensPerMinute = 400_000;

/**
 * The headers that tell a client how much it has left. Nothing is ever refused by them: a 429 is a fault.
 * https://platform.claude.com/docs/en/api/rate-limits#response-headers
 */
export class LimitHeaders {
  readonly #now: () => number;
  #windowStart = 0;
  #requests = 0;
  #input = 0;
  #output = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  spend(inputTokens: number, outputTokens: number): void {
    this.#input += inputTokens;
    this.#output += outputTokens;
  }

  /** Counts a request. `limited` is for a 429, which has nothing left. */
  next(limited: boolean): Record<string, string> {
    if (this.#now() - this.#windowStart >= windowMs) {
      this.#windowStart = this.#now();
      this.#requests = this.#input = this.#output = 0;
    }
    this.#requests += 1;
    const reset = new Date(this.#windowStart + windowMs).toISOString();
    const group = (name: string, limit: number, used: number) => ({
      [`anthropic-ratelimit-${name}-limit`]: String(limit),
      [`anthropic-ratelimit-${name}-remaining`]: String(limited ? 0 : Math.max(0, limit - used)),
      [`anthropic-ratelimit-${name}-reset`]: reset,
    });
    return {
      ...group("requests", requestsPerMinute, this.#requests),
      ...group("input-tokens", inputTokensPerMinute, this.#input),
      ...group("output-tokens", outputTokensPerMinute, this.#output),
      ...group("tokens", inputTokensPerMinute + outputTokensPerMinute, this.#input + this.#output),
    };
  }
}
