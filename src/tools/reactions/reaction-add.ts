import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { assertMayUseEmojis } from "../messages/custom-emojis.ts";
import { messageThere, readChannel, whichMessage } from "../messages/one-message.ts";
import { assertNotArchived } from "../messages/threads-open.ts";
import { named } from "../messages/whose.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { emojiText, reactionWith, readEmoji, toReact } from "./emoji.ts";

export const reactionAdd = defineTool({
  name: "discord_reaction_add",
  title: "React to a message",
  description: "Reacts to a Discord message with an emoji, as the bot.",
  family: "reactions",
  kind: "write",
  asks: "elsewhere",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
      emoji: emojiText("With what."),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    message_id: Type.String(),
    channel_id: Type.String(),
    emoji: Type.String(),
  }),
  targets: {
    channel: readChannel,
    message: { ...messageThere, needs: toReact },
  },
  async check({ emoji: said }, { channel, message }, authority, by) {
    assertNotArchived(channel);
    await assertMayTakePart(channel, authority, by.now);
    const emoji = readEmoji(said);
    // Whoever joins a reaction needs not have the emoji.
    if (emoji.id === null || reactionWith(emoji, message) !== undefined) return;
    await assertMayUseEmojis([emoji.id], channel, authority, by);
  },
  question: ({ emoji }, { message }) => `React with ${readEmoji(emoji).shown} to ${named(message)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ emoji: said }, { channel, message: { message } }, { change, signal }) {
    const emoji = readEmoji(said);
    await change.addReaction(channel.facts.id, message.id, emoji.route, { signal });
    return {
      value: { message_id: message.id, channel_id: channel.facts.id, emoji: emoji.shown },
      sources: [fromChannel(channel.facts.id)],
    };
  },
});
