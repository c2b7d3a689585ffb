import { Type } from "typebox";
import { inChannel } from "../audiences.ts";
import { denied } from "../authority.ts";
import { saying } from "../question.ts";
import { fromChannel } from "../sources.ts";
import { assertMayTakePart } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { assertMayUseEmojis, customEmojiIds } from "./custom-emojis.ts";
import { describeMessage, messageShape } from "./describe.ts";
import { messageThere, readChannel, whichMessage } from "./one-message.ts";
import { embedsOf, mentionsOf, messageText, replyingBits } from "./post.ts";
import { assertNotArchived } from "./threads-open.ts";
import { isWritten, named } from "./whose.ts";

export const messageEdit = defineTool({
  name: "discord_message_edit",
  title: "Edit a message",
  description:
    "Replaces the text of a message that the bot posted for this person. Nobody can edit what people wrote themselves.",
  family: "messages",
  kind: "write",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
      content: messageText("What it says from now on."),
    },
    { additionalProperties: false },
  ),
  output: messageShape,
  targets: {
    channel: { ...readChannel, needs: replyingBits },
    message: messageThere,
  },
  async check({ content }, { channel, message }, authority, by) {
    if (!message.isOurs || !isWritten(message.message))
      throw denied("Only messages that the bot posted can be edited; nobody edits those of other people.");
    // Moderators neither: https://docs.discord.com/developers/resources/message#edit-message
    if (authority.actor.kind === "user" && message.postedFor !== authority.actor.userId)
      throw denied("Only the person for whom the bot posted a message can have its words changed.");
    // Its words are what a person presses a button on.
    if ((message.message.components ?? []).length > 0)
      throw denied("That message has buttons, so its words stay as they are.");
    assertNotArchived(channel);
    await assertMayTakePart(channel, authority, by.now);
    await assertMayUseEmojis(customEmojiIds(content), channel, authority, by);
  },
  question: ({ content }, { message }) => `Change ${named(message)} into ${saying(content)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ content }, { channel, message: { message } }, { actor, change, signal }) {
    const body = {
      content,
      ...embedsOf(channel, message.flags),
      allowed_mentions: mentionsOf(channel, actor),
    };
    const edited = await change.editMessage(channel.facts.id, message.id, body, { signal });
    return { value: describeMessage(edited), sources: [fromChannel(channel.facts.id)] };
  },
});
