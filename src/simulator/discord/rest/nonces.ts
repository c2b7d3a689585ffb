/** How long Discord remembers a nonce; its documentation says "the past few minutes". */
const nonceMemoryMs = 120_000;

/** Nonces by author, for `enforce_nonce`: https://discord.com/developers/docs/resources/message#create-message */
export class NonceMemory {
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly messageId: string; readonly at: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The message that was made with it lately, or null. */
  find(authorId: string, nonce: string): string | null {
    const seen = this.#seen.get(`${authorId}:${nonce}`);
    return seen !== undefined && this.#now() - seen.at < nonceMemoryMs ? seen.messageId : null;
  }

  remember(authorId: string, nonce: string, messageId: string): void {
    const now = this.#now();
    // Insertion order is age: what is too old is at the front.
    for (const [key, { at }] of this.#seen) {
      if (now - at < nonceMemoryMs) break;
      this.#seen.delete(key);
    }
    this.#seen.delete(`${authorId}:${nonce}`);
    this.#seen.set(`${authorId}:${nonce}`, { messageId, at: now });
  }
}
