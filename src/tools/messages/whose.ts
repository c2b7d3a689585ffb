import { type APIMessage, MessageType, PermissionFlagsBits } from "discord-api-types/v10";
import { plain } from "../authority.ts";
import { excerpt } from "../question.ts";
import type { MessagePlace, Requirement } from "../targets.ts";

const { ManageMessages } = PermissionFlagsBits;

/** What a person wrote; the author of what Discord wrote itself is only whom it is about. */
const written: readonly MessageType[] = [MessageType.Default, MessageType.Reply];

export const isWritten = ({ type }: APIMessage): boolean => written.includes(type);

/** One's own messages are deleted without a permission: https://docs.discord.com/developers/resources/message#delete-message */
export const toDelete: Requirement<MessagePlace> = {
  words: "Manage Messages, unless it is their own, or the bot posted it for them",
  bits: (place, userId) => (isOwn(place, userId) || place.postedFor === userId ? 0n : ManageMessages),
};

function isOwn({ message, isOurs }: MessagePlace, userId: string): boolean {
  return message.author.id === userId && (isOurs || isWritten(message));
}

/** `the message of @ben in #general: “Hello”`. */
export function named({ message, channel }: MessagePlace): string {
  const author = plain(message.author.global_name ?? message.author.username);
  const words = message.content === "" ? "" : `: ${excerpt(message.content)}`;
  return `the message of @${author} in ${channel.actor.place}${words}`;
}
