import { Type } from "typebox";
import { note } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { describeMessage, messageLink, messageShape, seemsWithheld, withheldNote } from "./describe.ts";
import { messageThere, readChannel, whichMessage } from "./one-message.ts";

export const messageGet = defineTool({
  name: "discord_message_get",
  title: "Read a message",
  description: "Reads one Discord message by its id or a link to it, with its reactions and attachments.",
  family: "messages",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      ...whichMessage,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    channel_id: Type.String(),
    link: Type.String(),
    note,
    message: messageShape,
  }),
  targets: {
    channel: readChannel,
    message: messageThere,
  },
  async run(_input, { channel: { facts }, message: { message } }) {
    const value = {
      channel_id: facts.id,
      link: messageLink(facts, message.id),
      ...(seemsWithheld(message) ? { note: withheldNote } : {}),
      message: describeMessage(message),
    };
    return { value, sources: [fromChannel(facts.id)] };
  },
});
