import { Type } from "typebox";
import { reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { fromChannel } from "../sources.ts";
import { assertMayAct } from "../speaking.ts";
import { defineTool } from "../tool.ts";
import { messageThere, readChannel, whichMessage } from "./one-message.ts";
import { assertMayDeleteIn } from "./threads-open.ts";
import { named, toDelete } from "./whose.ts";

export const messageDelete = defineTool({
  name: "discord_message_delete",
  title: "Delete a message",
  description:
    "Deletes one message for good: the person's own, one that the bot posted for them, or as a moderator any. For several at once use discord_messages_delete.",
  family: "messages",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    deleted: Type.String({ description: "The message's id." }),
    channel_id: Type.String(),
  }),
  targets: {
    channel: readChannel,
    message: { ...messageThere, needs: toDelete },
  },
  async check(_input, { channel }, authority, { now }) {
    assertMayDeleteIn(channel);
    await assertMayAct(channel, authority, now);
  },
  question: (_input, { message }) => `Delete ${named(message)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ reason: why }, { channel, message: { message } }, { change, reason, signal }) {
    await change.deleteMessage(channel.facts.id, message.id, { signal, reason: reason(why) });
    return {
      value: { deleted: message.id, channel_id: channel.facts.id },
      sources: [fromChannel(channel.facts.id)],
    };
  },
});
