import { Type } from "typebox";
import { channelArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { saying } from "../question.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { assertMayUseEmojis, customEmojiIds } from "./custom-emojis.ts";
import { describeMessage, messageShape } from "./describe.ts";
import { readable } from "./kinds.ts";
import { messageText, post, sendingBits } from "./post.ts";

export const messageSend = defineTool({
  name: "discord_message_send",
  title: "Send a message",
  description:
    "Posts a message as the bot in a Discord channel or thread. Not for answering the person, which your own words do.",
  family: "messages",
  kind: "write",
  asks: "elsewhere",
  repeatable: false,
  input: Type.Object(
    {
      channel_id: Type.Optional(channelArgument("Where. Default: the channel of this conversation.")),
      content: messageText("What it says."),
    },
    { additionalProperties: false },
  ),
  output: messageShape,
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: readable,
      speaks: true,
      needs: sendingBits,
    },
  },
  check: ({ content }, { channel }, authority, by) =>
    assertMayUseEmojis(customEmojiIds(content), channel, authority, by),
  question: ({ content }, { channel }) => `Post ${saying(content)} in ${channel.actor.place}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ content }, { channel }, context) {
    const message = await post(channel, { content }, context);
    return { value: describeMessage(message), sources: [fromChannel(channel.facts.id)] };
  },
});
