import {
  type APIAttachment,
  type APIGuildMember,
  type APIMessage,
  type APIUser,
  ChannelType,
  GatewayDispatchEvents as Events,
  MessageFlags,
  MessageReferenceType,
  MessageType,
} from "discord-api-types/v10";
import type { Journal } from "./journal.ts";
import { type AllowedMentions, parseMentions } from "./mentions.ts";
import { messagePayload } from "./payloads.ts";
import { isThread } from "./permissions.ts";
import { compareIds, snowflakeTime } from "./snowflake.ts";
import type { AnyChannel, World } from "./world.ts";
import type { Publish } from "./world-events.ts";

type Body = Partial<
  Pick<
    APIMessage,
    | "embeds"
    | "components"
    | "flags"
    | "tts"
    | "nonce"
    | "webhook_id"
    | "application_id"
    | "interaction_metadata"
    | "interaction"
    | "message_reference"
  >
>;

export interface Draft {
  /** A new one when left out. */
  readonly id?: string;
  readonly author: APIUser;
  readonly channel: AnyChannel;
  readonly content: string;
  /** Null lets every mention through. */
  readonly allowedMentions: AllowedMentions | null;
  readonly replyTo?: APIMessage | undefined;
  readonly attachments?: readonly APIAttachment[];
  readonly body?: Body;
  /** A reply's, or the default one, when left out. */
  readonly type?: MessageType;
}

export interface MessagePatch extends Body {
  readonly content?: string;
  readonly allowedMentions?: AllowedMentions | null;
}

/** What happens to messages, whoever does it: the store changes and the gateway hears of it. */
export class Messaging {
  readonly #world: World;
  readonly #publish: Publish;
  readonly #journal: Journal<APIMessage>;

  constructor(world: World, publish: Publish, journal: Journal<APIMessage>) {
    this.#world = world;
    this.#publish = publish;
    this.#journal = journal;
  }

  create(draft: Draft): APIMessage {
    const message = this.compose(draft);
    this.#world.messages.add(message);
    const { channel } = draft;
    if ("last_message_id" in channel) channel.last_message_id = message.id;
    if (isThread(channel)) {
      channel.message_count = (channel.message_count ?? 0) + 1;
      channel.total_message_sent = (channel.total_message_sent ?? 0) + 1;
    }
    this.#announce(Events.MessageCreate, message);
    return message;
  }

  /** A message that is in no channel yet, such as an ephemeral one. */
  compose(draft: Draft): APIMessage {
    const { author, channel, content, allowedMentions, replyTo } = draft;
    const id = draft.id ?? this.#world.ids.next();
    const mentions = parseMentions(this.#world, channel, author.id, content, allowedMentions);
    const pingsReplied =
      replyTo !== undefined && (allowedMentions === null || allowedMentions.repliedUser === true);
    const users = pingsReplied
      ? [replyTo.author, ...mentions.users.filter((user) => user.id !== replyTo.author.id)]
      : mentions.users;
    return {
      ...messagePayload(id, channel.id, author, content, snowflakeTime(id)),
      ...draft.body,
      ...(draft.type === undefined ? {} : { type: draft.type }),
      attachments: [...(draft.attachments ?? [])],
      mentions: users,
      mention_roles: mentions.roleIds,
      mention_everyone: mentions.everyone,
      ...(replyTo === undefined ? {} : this.#reference(channel, replyTo)),
    };
  }

  edit(message: APIMessage, { allowedMentions, ...patch }: MessagePatch): APIMessage {
    const channel = this.#channelOf(message);
    const content = patch.content ?? message.content;
    const mentions = parseMentions(this.#world, channel, message.author.id, content, allowedMentions ?? null);
    const edited: APIMessage = {
      ...message,
      ...patch,
      mentions: mentions.users,
      mention_roles: mentions.roleIds,
      edited_timestamp: new Date(this.#world.now()).toISOString(),
    };
    this.#world.messages.replace(edited);
    this.#announce(Events.MessageUpdate, edited);
    return edited;
  }

  /** Pins or unpins, with the notice in the channel that Discord writes for a pin. */
  setPinned(message: APIMessage, by: APIUser, isPinned: boolean): void {
    const channel = this.#channelOf(message);
    const changed = { ...message, pinned: isPinned };
    const at = isPinned ? this.#pinTime() : null;
    this.#world.messages.replace(changed);
    if (at === null) this.#world.pinnedAt.delete(message.id);
    else this.#world.pinnedAt.set(message.id, at);
    const guildId = this.#world.guildOfChannel(channel.id)?.id ?? null;
    const place = guildId === null ? {} : { guild_id: guildId };
    const d = { channel_id: channel.id, last_pin_timestamp: at, ...place };
    this.#publish({ dispatch: { t: Events.ChannelPinsUpdate, d }, guildId, channelId: channel.id });
    this.#announce(Events.MessageUpdate, changed);
    if (!isPinned) return;
    const message_reference = {
      type: MessageReferenceType.Default,
      channel_id: channel.id,
      message_id: message.id,
      ...place,
    };
    const draft = { author: by, channel, content: "", allowedMentions: { parse: [] } };
    this.create({ ...draft, type: MessageType.ChannelPinnedMessage, body: { message_reference } });
  }

  /** A thread was started from it. */
  flagThread(message: APIMessage): void {
    const changed = { ...message, flags: (message.flags ?? 0) | MessageFlags.HasThread };
    this.#world.messages.replace(changed);
    this.#announce(Events.MessageUpdate, changed);
  }

  /** Pages of pins go by their times, so no two are the same. */
  #pinTime(): string {
    const latest = Math.max(0, ...[...this.#world.pinnedAt.values()].map((at) => Date.parse(at)));
    return new Date(Math.max(this.#world.now(), latest + 1)).toISOString();
  }

  remove(message: APIMessage): void {
    this.#world.messages.remove(message.id);
    this.#world.pinnedAt.delete(message.id);
    const guildId = this.#world.guildOfChannel(message.channel_id)?.id ?? null;
    this.#publish({
      dispatch: {
        t: Events.MessageDelete,
        d: {
          id: message.id,
          channel_id: message.channel_id,
          ...(guildId === null ? {} : { guild_id: guildId }),
        },
      },
      guildId,
      channelId: message.channel_id,
    });
  }

  removeMany(channelId: string, ids: readonly string[]): void {
    for (const id of ids) {
      this.#world.messages.remove(id);
      this.#world.pinnedAt.delete(id);
    }
    const guildId = this.#world.guildOfChannel(channelId)?.id ?? null;
    const place = guildId === null ? {} : { guild_id: guildId };
    const d = { ids: [...ids].sort(compareIds), channel_id: channelId, ...place };
    this.#publish({ dispatch: { t: Events.MessageDeleteBulk, d }, guildId, channelId });
  }

  type(user: APIUser, channel: AnyChannel): void {
    const guild = this.#world.guildOfChannel(channel.id);
    const member = guild?.members.get(user.id);
    this.#publish({
      dispatch: {
        t: Events.TypingStart,
        d: {
          channel_id: channel.id,
          user_id: user.id,
          timestamp: Math.floor(this.#world.now() / 1000),
          ...(guild === null ? {} : { guild_id: guild.id }),
          ...(member === undefined ? {} : { member }),
        },
      },
      guildId: guild?.id ?? null,
      channelId: channel.id,
    });
  }

  /** Lets those who wait for messages see one that no channel has, such as an ephemeral one. */
  note(message: APIMessage): void {
    this.#journal.add(message);
  }

  #channelOf(message: APIMessage): AnyChannel {
    const channel = this.#world.channel(message.channel_id);
    if (channel === null) throw new Error(`Message ${message.id} is in a channel that is gone`);
    return channel;
  }

  #reference(channel: AnyChannel, replyTo: APIMessage): Partial<APIMessage> {
    const guildId = channel.type === ChannelType.DM ? undefined : this.#world.guildOfChannel(channel.id)?.id;
    // Discord gives the message that was replied to, but not what that one replied to.
    const { referenced_message: _inner, ...referenced } = replyTo;
    return {
      type: MessageType.Reply,
      message_reference: {
        type: MessageReferenceType.Default,
        channel_id: channel.id,
        message_id: replyTo.id,
        ...(guildId === undefined ? {} : { guild_id: guildId }),
      },
      referenced_message: referenced,
    };
  }

  #announce(t: Events.MessageCreate | Events.MessageUpdate, message: APIMessage): void {
    this.#journal.add(message);
    const guild = this.#world.guildOfChannel(message.channel_id);
    const withMember = (user: APIUser) => {
      const member = guild?.members.get(user.id);
      return member === undefined ? user : { ...user, member: withoutUser(member) };
    };
    const author = guild?.members.get(message.author.id);
    const d = {
      ...message,
      mentions: message.mentions.map(withMember),
      ...(guild === null ? {} : { guild_id: guild.id }),
      ...(author === undefined ? {} : { member: withoutUser(author) }),
    };
    this.#publish({ dispatch: { t, d }, guildId: guild?.id ?? null, channelId: message.channel_id });
  }
}

function withoutUser(member: APIGuildMember): Omit<APIGuildMember, "user"> {
  const { user: _user, ...rest } = member;
  return rest;
}
