import type { APIUser } from "discord-api-types/v10";
import { Type } from "typebox";
import { pageSize, snowflake } from "../argument-schemas.ts";
import { messageThere, readChannel, whichMessage } from "../messages/one-message.ts";
import { flag, nextPage, nullable, person } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import type { MessagePlace } from "../targets.ts";
import { defineTool, type ReadContext } from "../tool.ts";
import { type Emoji, emojiText, readEmoji } from "./emoji.ts";

export const reactionsList = defineTool({
  name: "discord_reactions_list",
  title: "List reactions",
  description:
    "Lists the reactions to a Discord message; with an emoji, who reacted with it, in the order of their ids.",
  family: "reactions",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
      emoji: Type.Optional(emojiText("Who reacted with this.")),
      limit: pageSize("people", { most: 99, default: 50 }),
      after: Type.Optional(snowflake("Only people after this user id: next_after of the page before.")),
    },
    { additionalProperties: false },
  ),
  output: Type.Union([
    Type.Object({
      message_id: Type.String(),
      reactions: Type.Array(
        Type.Object({
          emoji: nullable(Type.String({ description: "As the argument takes it." })),
          count: Type.Integer(),
          bot_reacted: flag("One of them is the bot's."),
        }),
      ),
    }),
    Type.Object({
      message_id: Type.String(),
      emoji: Type.String(),
      next_after: nextPage("after"),
      people: Type.Array(Type.Object({ ...person, bot: flag("It is a bot.") })),
    }),
  ]),
  targets: {
    channel: readChannel,
    message: messageThere,
  },
  check({ emoji }) {
    if (emoji !== undefined) readEmoji(emoji);
  },
  async run({ emoji, limit = 50, after }, { message }, context) {
    const shown =
      emoji === undefined
        ? { reactions: counted(message) }
        : await who(message, readEmoji(emoji), { limit, ...(after === undefined ? {} : { after }) }, context);
    return {
      value: { message_id: message.message.id, ...shown },
      sources: [fromChannel(message.channel.facts.id)],
    };
  },
});

function counted({ message }: MessagePlace) {
  return (message.reactions ?? []).map(({ emoji, count, me }) => ({
    emoji: emoji.id === null ? emoji.name : `${emoji.name}:${emoji.id}`,
    count,
    ...(me ? { bot_reacted: true } : {}),
  }));
}

/** One more is asked for than is shown, so that it is known whether there are more. */
async function who(
  { message, channel }: MessagePlace,
  emoji: Emoji,
  { limit, after }: { readonly limit: number; readonly after?: string },
  { discord, signal }: ReadContext,
) {
  const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
  const users = await discord.reactions(channel.facts.id, message.id, emoji.route, page, signal);
  const shown = users.slice(0, limit);
  const last = shown.at(-1);
  return {
    emoji: emoji.shown,
    ...(users.length > limit && last !== undefined ? { next_after: last.id } : {}),
    people: shown.map(describe),
  };
}

function describe({ id, username, global_name: name, bot }: APIUser) {
  return { user_id: id, username, display_name: name ?? username, ...(bot ? { bot: true } : {}) };
}
