import type { APIAttachment, APIMessage } from "discord-api-types/v10";
import type { Messaging } from "./messaging.ts";
import { mayView } from "./permissions.ts";
import { addReaction } from "./reactions.ts";
import { directChannel } from "./rest/users.ts";
import { snowflakeAt } from "./snowflake.ts";
import type { AnyChannel, World } from "./world.ts";
import type { Publish } from "./world-events.ts";

export interface Utterance {
  readonly userId: string;
  readonly channelId: string;
  readonly content: string;
  /** Id of the message that it replies to. */
  readonly replyTo?: string;
  /** Whether the reply mentions who is replied to; true as in Discord's client. */
  readonly pingReplied?: boolean;
  readonly attachments?: readonly {
    readonly filename: string;
    readonly contentType?: string;
    readonly size?: number;
    readonly url?: string;
    /** What is in it; without, its address leads nowhere. */
    readonly text?: string;
  }[];
}

/** What people do. Ids that do not exist are a mistake of the caller's and throw. */
export class People {
  readonly #world: World;
  readonly #messaging: Messaging;
  readonly #publish: Publish;

  constructor(world: World, messaging: Messaging, publish: Publish) {
    this.#world = world;
    this.#messaging = messaging;
    this.#publish = publish;
  }

  /** Writes a message. Mentions are taken from the text, as Discord does. People can say more than bots: 4,000 characters. */
  say({ userId, channelId, content, replyTo, pingReplied, attachments }: Utterance): APIMessage {
    const author = this.#world.user(userId);
    const channel = this.#channel(channelId);
    if (!mayView(this.#world, channel, userId))
      throw new Error(`User ${userId} cannot see channel ${channelId}`);
    const all = { parse: ["users", "roles", "everyone"], repliedUser: pingReplied ?? true };
    return this.#messaging.create({
      author,
      channel,
      content,
      allowedMentions: all,
      replyTo: replyTo === undefined ? undefined : this.message(replyTo),
      attachments: (attachments ?? []).map((attachment) => this.#attachment(channel, attachment)),
    });
  }

  edit(messageId: string, content: string): APIMessage {
    return this.#messaging.edit(this.message(messageId), { content });
  }

  remove(messageId: string): void {
    this.#messaging.remove(this.message(messageId));
  }

  react(userId: string, messageId: string, emoji: string): void {
    addReaction(this.#world, this.#publish, this.message(messageId), this.#world.user(userId), emoji);
  }

  type(userId: string, channelId: string): void {
    this.#messaging.type(this.#world.user(userId), this.#channel(channelId));
  }

  /** The id of the direct channel between that user and the bot. */
  openDirectMessage(userId: string): string {
    return directChannel(this.#world, userId).id;
  }

  message(messageId: string): APIMessage {
    const message = this.#world.messages.get(messageId);
    if (message === null) throw new Error(`The simulated world has no message ${messageId}`);
    return message;
  }

  #channel(channelId: string): AnyChannel {
    const channel = this.#world.channel(channelId);
    if (channel === null) throw new Error(`The simulated world has no channel ${channelId}`);
    return channel;
  }

  #attachment(channel: AnyChannel, given: NonNullable<Utterance["attachments"]>[number]): APIAttachment {
    const id = snowflakeAt(this.#world.now());
    const { filename, contentType = "", text } = given;
    const url = given.url ?? this.#world.cdn.put(channel.id, id, filename, contentType, text);
    return {
      id,
      filename,
      size: given.size ?? (text === undefined ? 1024 : Buffer.byteLength(text)),
      url,
      proxy_url: url,
      ...(given.contentType === undefined ? {} : { content_type: given.contentType }),
    };
  }
}
