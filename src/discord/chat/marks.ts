import { isDecimalId, isNewer } from "../../snowflake.ts";
import type { ChannelMarks } from "../ports.ts";

/** The marks of channels, written in batches: each message of each channel advances one. */
export class Marks {
  readonly #store: ChannelMarks;
  #pending = new Map<string, string>();

  constructor(store: ChannelMarks) {
    this.#store = store;
  }

  /**
   * Everything up to this message is durably accepted or deliberately passed over. Throws for what is no id: stored, it
   * could be newer than all that comes, or keep every other mark from being stored.
   */
  advance(channelId: string, messageId: string): void {
    if (!isDecimalId(channelId) || !isDecimalId(messageId)) throw new TypeError("a mark needs ids");
    const before = this.#pending.get(channelId);
    if (before === undefined || isNewer(messageId, before)) this.#pending.set(channelId, messageId);
  }

  /** The newest that is handled, stored or not. */
  async latest(channelId: string): Promise<string | null> {
    return this.#pending.get(channelId) ?? (await this.#store.get(channelId));
  }

  async flush(): Promise<void> {
    if (this.#pending.size === 0) return;
    const marks = this.#pending;
    this.#pending = new Map();
    try {
      await this.#store.advance(marks);
    } catch (error) {
      for (const [channelId, messageId] of marks) this.advance(channelId, messageId);
      throw error;
    }
  }
}
