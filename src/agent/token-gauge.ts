/** Cautious for text in any script; the first answer of the model replaces it. */
const assumedBytesPerToken = 3.5;
const least = 1;
const most = 8;
/** How much one observation weighs. */
const weight = 0.2;

/** Estimates tokens from bytes of JSON, and learns the ratio from what the model reports. */
export class TokenGauge {
  #bytesPerToken = assumedBytesPerToken;
  readonly #sizes = new WeakMap<object, number>();

  /** Tokens of a value that never changes: its size is remembered. */
  of(value: object): number {
    return this.tokens(this.bytes(value));
  }

  bytes(value: object): number {
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;
    const bytes = Buffer.byteLength(JSON.stringify(value));
    this.#sizes.set(value, bytes);
    return bytes;
  }

  tokens(bytes: number): number {
    return Math.ceil(bytes / this.#bytesPerToken);
  }

  /** A prompt of so many bytes was counted as so many tokens. */
  learn(bytes: number, tokens: number): void {
    if (tokens <= 0 || bytes <= 0) return;
    const seen = Math.min(most, Math.max(least, bytes / tokens));
    this.#bytesPerToken += (seen - this.#bytesPerToken) * weight;
  }
}
