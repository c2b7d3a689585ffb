import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { inChannel } from "../audiences.ts";
import { messageThere, readChannel, whichMessage } from "../messages/one-message.ts";
import { assertNotArchived } from "../messages/threads-open.ts";
import { named } from "../messages/whose.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import type { MessagePlace, Requirement } from "../targets.ts";
import { defineTool } from "../tool.ts";
import { emojiText, reactionWith, readEmoji } from "./emoji.ts";

/** The bot's reaction is somebody else's to the person, and it is not known for whom it was made. */
const toRemove: Requirement<MessagePlace> = {
  words: "Manage Messages (in direct messages nothing)",
  bits: ({ channel }) => (channel.facts.guildId === null ? 0n : PermissionFlagsBits.ManageMessages),
};

export const reactionRemove = defineTool({
  name: "discord_reaction_remove",
  title: "Take a reaction back",
  description: "Removes the bot's own reaction from a Discord message. Those of people stay.",
  family: "reactions",
  kind: "write",
  asks: "elsewhere",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
      emoji: emojiText("Which reaction."),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    message_id: Type.String(),
    channel_id: Type.String(),
    removed: Type.String({ description: "The emoji." }),
  }),
  targets: {
    channel: readChannel,
    message: { ...messageThere, actorNeeds: toRemove },
  },
  async check({ emoji: said }, { channel, message }, authority, { now }) {
    const emoji = readEmoji(said);
    assertNotArchived(channel);
    await assertMayTakePart(channel, authority, now);
    if (reactionWith(emoji, message)?.me !== true)
      throw new AppError("not_found", `The bot has not reacted with ${emoji.shown} to that message.`);
  },
  question: ({ emoji }, { message }) =>
    `Remove my reaction ${readEmoji(emoji).shown} from ${named(message)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ emoji: said }, { channel, message: { message } }, { change, signal }) {
    const emoji = readEmoji(said);
    await change.removeOwnReaction(channel.facts.id, message.id, emoji.route, { signal });
    return {
      value: { message_id: message.id, channel_id: channel.facts.id, removed: emoji.shown },
      sources: [fromChannel(channel.facts.id)],
    };
  },
});
