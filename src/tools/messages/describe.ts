import { type APIMessage, MessageType } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import type { ChannelFacts } from "../../permissions/facts.ts";
import { flag, nullable, person, timestamp } from "../result-schemas.ts";

const plainTypes: readonly MessageType[] = [MessageType.Default, MessageType.Reply];
const maxEmbedText = 500;

const listOfTexts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

/** A message as tools give it: what is not there is left out. */
export const messageShape = Type.Object({
  message_id: Type.String(),
  author: Type.Object({ ...person, bot: flag("It is a bot.") }),
  content: Type.String(),
  timestamp: timestamp("When it was written."),
  edited_at: Type.Optional(timestamp("When it was last edited.")),
  type: Type.Optional(Type.String({ description: "What Discord calls it, when nobody wrote it by hand." })),
  reply_to: Type.Optional(
    Type.Object({
      message_id: Type.String(),
      author: Type.Optional(Type.String({ description: "The user name of who wrote it." })),
      deleted: flag("It was deleted."),
    }),
  ),
  attachments: listOfTexts("Names of files."),
  stickers: listOfTexts("Their names."),
  reactions: Type.Optional(
    Type.Array(Type.Object({ emoji: nullable(Type.String()), count: Type.Integer() })),
  ),
  embeds: Type.Optional(
    Type.Array(
      Type.Object({
        title: Type.Optional(Type.String()),
        description: Type.Optional(Type.String()),
        url: Type.Optional(Type.String()),
      }),
    ),
  ),
  forwarded: listOfTexts("The texts of what was forwarded."),
  poll: Type.Optional(Type.String({ description: "Its question." })),
  pinned: flag("It is pinned."),
});
type Message = Static<typeof messageShape>;

export function describeMessage(message: APIMessage): Message {
  const { poll, referenced_message: repliedTo, message_reference: reference } = message;
  const given: Message = {
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
  if (!plainTypes.includes(message.type)) given.type = MessageType[message.type] ?? `type_${message.type}`;
  if (message.type === MessageType.Reply && reference?.message_id !== undefined) {
    given.reply_to = {
      message_id: reference.message_id,
      ...(repliedTo ? { author: repliedTo.author.username } : { deleted: true }),
    };
  }
  if (poll?.question.text !== undefined) given.poll = poll.question.text;
  if (message.pinned) given.pinned = true;
  return { ...given, ...listsOf(message) };
}

function listsOf({ attachments, sticker_items: stickers = [], reactions = [], ...message }: APIMessage) {
  const embeds = message.embeds.map(({ title, description, url }) => ({
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description: description.slice(0, maxEmbedText) }),
    ...(url === undefined ? {} : { url }),
  }));
  const forwarded = (message.message_snapshots ?? []).map(({ message: { content } }) => content);
  return {
    ...(attachments.length === 0 ? {} : { attachments: attachments.map(({ filename }) => filename) }),
    ...(stickers.length === 0 ? {} : { stickers: stickers.map(({ name }) => name) }),
    ...(reactions.length === 0
      ? {}
      : { reactions: reactions.map(({ emoji, count }) => ({ emoji: emoji.name, count })) }),
    ...(embeds.length === 0 ? {} : { embeds }),
    ...(forwarded.length === 0 ? {} : { forwarded }),
  };
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
