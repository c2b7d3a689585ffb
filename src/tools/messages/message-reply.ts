import { Type } from "typebox";
import { channelOrOwn, messageArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { saying } from "../question.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { assertMayUseEmojis, customEmojiIds } from "./custom-emojis.ts";
import { describeMessage, messageShape } from "./describe.ts";
import { messageThere, readChannel } from "./one-message.ts";
import { messageText, post, replyingBits } from "./post.ts";
import { named } from "./whose.ts";

export const messageReply = defineTool({
  name: "discord_message_reply",
  title: "Reply to a message",
  description:
    "Posts a message as the bot that replies to another one in the same Discord channel or thread. Not for answering the person, which your own words do.",
  family: "messages",
  kind: "write",
  asks: "elsewhere",
  repeatable: false,
  input: Type.Object(
    {
      channel_id: channelOrOwn("The channel of the message."),
      message_id: messageArgument("The message that is replied to."),
      content: messageText("What the reply says."),
      ping: Type.Optional(
        Type.Boolean({ default: false, description: "Whether its author is notified. Default: false." }),
      ),
    },
    { additionalProperties: false },
  ),
  output: messageShape,
  targets: {
    channel: { ...readChannel, speaks: true, needs: replyingBits },
    message: messageThere,
  },
  check: ({ content }, { channel }, authority, by) =>
    assertMayUseEmojis(customEmojiIds(content), channel, authority, by),
  question: ({ content }, { message }) => `Post ${saying(content)} as a reply to ${named(message)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ content, ping = false }, { channel, message }, context) {
    const body = { content, message_reference: { message_id: message.message.id } };
    const posted = await post(channel, body, context, ping);
    return { value: describeMessage(posted), sources: [fromChannel(channel.facts.id)] };
  },
});
