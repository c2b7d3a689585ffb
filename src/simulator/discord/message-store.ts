import type { APIMessage } from "discord-api-types/v10";
import { compareIds } from "./snowflake.ts";

export interface MessageWindow {
  readonly limit: number;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly around?: string | undefined;
}

/** Kept for each channel; the oldest go first. */
const messagesPerChannel = 10_000;

/** Messages by channel, oldest first. Ids only grow, so a new message always goes to the end. */
export class MessageStore {
  readonly #channels = new Map<string, APIMessage[]>();
  readonly #byId = new Map<string, APIMessage>();

  add(message: APIMessage): void {
    const messages = this.#channels.get(message.channel_id) ?? [];
    this.#channels.set(message.channel_id, messages);
    messages.push(message);
    this.#byId.set(message.id, message);
    if (messages.length > messagesPerChannel) {
      const oldest = messages.shift();
      if (oldest !== undefined) this.#byId.delete(oldest.id);
    }
  }

  get(id: string): APIMessage | null {
    return this.#byId.get(id) ?? null;
  }

  replace(message: APIMessage): void {
    const messages = this.#channels.get(message.channel_id) ?? [];
    const at = messages.findIndex((other) => other.id === message.id);
    if (at < 0) return;
    messages[at] = message;
    this.#byId.set(message.id, message);
  }

  remove(id: string): void {
    const message = this.#byId.get(id);
    if (message === undefined) return;
    this.#byId.delete(id);
    const messages = this.#channels.get(message.channel_id) ?? [];
    this.#channels.set(
      message.channel_id,
      messages.filter((other) => other.id !== id),
    );
  }

  forgetChannel(channelId: string): void {
    for (const message of this.#channels.get(channelId) ?? []) this.#byId.delete(message.id);
    this.#channels.delete(channelId);
  }

  /** Of every channel. */
  all(): readonly APIMessage[] {
    return [...this.#byId.values()];
  }

  /** Oldest first. */
  in(channelId: string): readonly APIMessage[] {
    return this.#channels.get(channelId) ?? [];
  }

  /**
   * Newest first, as Discord answers: https://discord.com/developers/docs/resources/message#get-channel-messages
   * `after` gives those directly after that id, not the newest.
   */
  page(channelId: string, { limit, before, after, around }: MessageWindow): APIMessage[] {
    const messages = this.in(channelId);
    if (around !== undefined) {
      const newer = messages.filter((message) => compareIds(message.id, around) >= 0);
      const older = messages.filter((message) => compareIds(message.id, around) < 0);
      const half = Math.floor(limit / 2);
      const page = [...older.slice(-half || older.length), ...newer.slice(0, limit - half)];
      return page.slice(0, limit).reverse();
    }
    if (after !== undefined) {
      return messages
        .filter((message) => compareIds(message.id, after) > 0)
        .slice(0, limit)
        .reverse();
    }
    const older =
      before === undefined ? messages : messages.filter((message) => compareIds(message.id, before) < 0);
    return older.slice(-limit).reverse();
  }
}
