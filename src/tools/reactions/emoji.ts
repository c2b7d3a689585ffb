import { type APIReaction, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { plain } from "../authority.ts";
import type { Given, MessagePlace, Requirement } from "../targets.ts";

/** Longer than any emoji, and than a custom one with its name and id. */
const maxLength = 64;

export const emojiText = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength,
    description: `${description} One Unicode emoji such as 👍, or a custom one as <:name:id> or name:id.`,
  });

export interface Emoji {
  /** Null for those of Unicode. */
  readonly id: string | null;
  /** As Discord's routes take it: "👍" or "name:id". */
  readonly route: string;
  /** As people see it: "👍" or ":name:". */
  readonly shown: string;
}

/** Throws AppError `invalid_arguments` for what is no emoji. */
export function readEmoji(said: string): Emoji {
  const text = said.trim();
  const [, name, id] = /^(?:<a?:)?:?(\w{2,32}):(\d{15,20})>?$/.exec(text) ?? [];
  if (name !== undefined && id !== undefined) return { id, route: `${name}:${id}`, shown: `:${name}:` };
  const isUnicode = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20E3/u.test(text);
  if (isUnicode && !/[\s\p{L}]/u.test(text)) return { id: null, route: text, shown: text };
  const problem = "must be one Unicode emoji, or a custom one as name:id";
  throw new AppError("invalid_arguments", `${plain(said)} is no emoji: give one such as 👍, or name:id.`, {
    data: { path: "emoji", problem },
  });
}

/** That emoji among a message's reactions. */
export function reactionWith({ id, route }: Emoji, { message }: MessagePlace): APIReaction | undefined {
  return (message.reactions ?? []).find(({ emoji }) =>
    id === null ? emoji.id === null && bare(emoji.name ?? "") === bare(route) : emoji.id === id,
  );
}

/** Discord keeps some emojis with the mark that they are shown in colour, and some without. */
const bare = (text: string): string => text.replaceAll("\uFE0F", "");

/** Joining a reaction needs no permission of its own: https://docs.discord.com/developers/resources/message#create-reaction */
export const toReact: Requirement<MessagePlace> = {
  words: "Add Reactions, unless somebody has reacted with that emoji already",
  bits: (place, _userId, given) =>
    reactionWith(emojiIn(given), place) === undefined ? PermissionFlagsBits.AddReactions : 0n,
};

export const emojiIn = ({ emoji }: Given): Emoji => readEmoji(typeof emoji === "string" ? emoji : "");
