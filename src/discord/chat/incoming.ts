import { type APIMessage, type GatewayMessageCreateDispatchData, MessageType } from "discord-api-types/v10";
import { snowflakeTime } from "../../snowflake.ts";

export interface Attachment {
  readonly name: string;
  readonly type: string | null;
  readonly bytes: number;
}

/** The message that a message replies to, as far as Discord gave it. */
export interface Replied {
  readonly id: string;
  readonly authorId: string;
  readonly authorName: string;
  readonly content: string;
  readonly attachments: readonly Attachment[];
}

/** A message that came by the gateway or was read by REST: what deciding and answering need of it, and no more. */
export interface Incoming {
  readonly id: string;
  readonly channelId: string;
  /** `null` in a direct message. */
  readonly guildId: string | null;
  readonly authorId: string;
  /** As people see it: nickname, display name or user name. */
  readonly authorName: string;
  /** By a bot, a webhook, or Discord itself (joins, pins, boosts). */
  readonly isFromMachine: boolean;
  readonly content: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** `null` where Discord gave no member, as by REST. */
  readonly memberRoleIds: readonly string[] | null;
  readonly mentions: readonly { readonly id: string; readonly name: string }[];
  readonly mentionedRoleIds: readonly string[];
  readonly attachments: readonly Attachment[];
  readonly stickerNames: readonly string[];
  readonly replyTo: { readonly channelId: string; readonly messageId: string } | null;
  readonly replied: Replied | null;
}

type Source = APIMessage & Partial<Pick<GatewayMessageCreateDispatchData, "member" | "guild_id">>;

/** `guildId` says where it is when the message itself does not: REST leaves it out. */
export function readIncoming(message: Source, guildId: string | null = message.guild_id ?? null): Incoming {
  const { author, member } = message;
  const reference = message.message_reference;
  const isReply = message.type === MessageType.Reply && reference?.message_id !== undefined;
  return {
    id: message.id,
    channelId: message.channel_id,
    guildId,
    authorId: author.id,
    authorName: member?.nick ?? author.global_name ?? author.username,
    isFromMachine: isFromMachine(message),
    content: message.content,
    sentAt: snowflakeTime(message.id),
    memberRoleIds: member?.roles ?? null,
    mentions: message.mentions.map(readMention),
    mentionedRoleIds: message.mention_roles,
    attachments: readAttachments(message),
    stickerNames: (message.sticker_items ?? []).map((sticker) => sticker.name),
    replyTo: isReply
      ? { channelId: reference.channel_id ?? message.channel_id, messageId: reference.message_id ?? "" }
      : null,
    replied: isReply && message.referenced_message ? readReplied(message.referenced_message) : null,
  };
}

/** Cheap enough to be asked of every message. */
export function isFromMachine(message: APIMessage): boolean {
  const isOrdinary = message.type === MessageType.Default || message.type === MessageType.Reply;
  return (
    !isOrdinary ||
    message.author.bot === true ||
    message.author.system === true ||
    message.webhook_id !== undefined
  );
}

export function readReplied(message: APIMessage): Replied {
  const { author } = message;
  return {
    id: message.id,
    authorId: author.id,
    authorName: author.global_name ?? author.username,
    content: message.content,
    attachments: readAttachments(message),
  };
}

function readMention(
  user: APIMessage["mentions"][number] & { readonly member?: { readonly nick?: string | null } },
) {
  return { id: user.id, name: user.member?.nick ?? user.global_name ?? user.username };
}

function readAttachments(message: APIMessage): Attachment[] {
  return message.attachments.map(({ filename, content_type, size }) => ({
    name: filename,
    type: content_type ?? null,
    bytes: size,
  }));
}
