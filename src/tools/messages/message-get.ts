import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { channelArgument, messageArgument } from "../schemas.ts";
import { note } from "../shapes.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { describeMessage, messageLink, messageShape, seemsWithheld, withheldNote } from "./describe.ts";
import { readable } from "./kinds.ts";

export const messageGet = defineTool({
  name: "discord_message_get",
  title: "Read a message",
  description: "Reads one Discord message by its id or a link to it, with its reactions and attachments.",
  family: "messages",
  kind: "read",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: Type.Optional(
        channelArgument("The channel of the message. Default: the one of this conversation."),
      ),
      message_id: messageArgument("Which message."),
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
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: readable,
      needs: PermissionFlagsBits.ReadMessageHistory,
    },
    message: { kind: "message", argument: "message_id", in: "channel", absent: "error", needs: 0n },
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
