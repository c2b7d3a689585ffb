import { type APIMessage, MessageType } from "discord-api-types/v10";
import type { ChannelFacts } from "../../permissions/facts.ts";

const plainTypes: readonly MessageType[] = [MessageType.Default, MessageType.Reply];
const maxEmbedText = 500;

/** A message as tools give it: what is not there is left out. */
export function describeMessage(message: APIMessage) {
  const { referenced_message: repliedTo, message_reference: reference } = message;
  const given: Record<string, unknown> = {
    message_id: message.id,
    author: {
      user_id: message.author.id,
      username: message.author.username,
      display_name: message.author.global_name ?? message.author.username,
      ...(message.author.bot ? { bot: true } : {}),
    },
    content: message.content,
    timestamp: message.timestamp,
  };
  if (message.edited_timestamp !== null) given.edited_at = message.edited_timestamp;
  if (!plainTypes.includes(message.type)) given.type = MessageType[message.type] ?? message.type;
  if (message.type === MessageType.Reply && reference?.message_id !== undefined) {
    given.reply_to = {
      message_id: reference.message_id,
      ...(repliedTo ? { author: repliedTo.author.username } : { deleted: true }),
    };
  }
  const lists = {
    attachments: message.attachments.map(({ filename }) => filename),
    stickers: (message.sticker_items ?? []).map(({ name }) => name),
    reactions: (message.reactions ?? []).map(({ emoji, count }) => ({ emoji: emoji.name, count })),
    embeds: message.embeds.map(({ title, description, url }) => ({
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description: description.slice(0, maxEmbedText) }),
      ...(url === undefined ? {} : { url }),
    })),
    forwarded: (message.message_snapshots ?? []).map(({ message: { content } }) => content),
  };
  for (const [name, list] of Object.entries(lists)) if (list.length > 0) given[name] = list;
  if (message.poll) given.poll = message.poll.question.text;
  if (message.pinned) given.pinned = true;
  return given;
}

/** https://docs.discord.com/developers/reference#message-formatting */
export const messageLink = (
  { guildId, id }: Pick<ChannelFacts, "guildId" | "id">,
  messageId: string,
): string => `https://discord.com/channels/${guildId ?? "@me"}/${id}/${messageId}`;

/**
 * Whether Discord seems to have kept the content back, as it does from bots without the message-content intent:
 * then a message of a person has nothing at all in it.
 * https://docs.discord.com/developers/events/gateway#message-content-intent
 */
export function seemsWithheld(message: APIMessage): boolean {
  return (
    plainTypes.includes(message.type) &&
    !message.author.bot &&
    message.content === "" &&
    message.attachments.length === 0 &&
    message.embeds.length === 0 &&
    (message.components ?? []).length === 0 &&
    (message.sticker_items ?? []).length === 0 &&
    (message.message_snapshots ?? []).length === 0 &&
    message.poll === undefined
  );
}

export const withheldNote =
  "Some messages came without their content: the bot lacks Discord's message content intent, which its operator can switch on in the developer portal.";
