import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { channelOrOwn, pageSize, snowflake } from "../argument-schemas.ts";
import { note } from "../result-schemas.ts";
import { fromChannel } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { describeMessage, messageShape, seemsWithheld, withheldNote } from "./describe.ts";
import { readChannel } from "./one-message.ts";

export const messageHistory = defineTool({
  name: "discord_message_history",
  title: "Read messages",
  description:
    "Reads messages of a Discord channel or thread, newest first. Give at most one of before, after and around, each a message id.",
  family: "messages",
  kind: "read",
  repeatable: true,
  isCore: true,
  input: Type.Object(
    {
      channel_id: channelOrOwn("Which channel."),
      limit: pageSize("messages", { most: 100, default: 10 }),
      before: Type.Optional(snowflake("Only messages before this message id.")),
      after: Type.Optional(snowflake("Only messages after this message id.")),
      around: Type.Optional(snowflake("Messages on both sides of this message id.")),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ channel_id: Type.String(), note, messages: Type.Array(messageShape) }),
  targets: {
    channel: readChannel,
  },
  check({ before, after, around }) {
    if ([before, after, around].filter((anchor) => anchor !== undefined).length > 1) {
      throw new AppError("invalid_arguments", "Give at most one of before, after and around.", {
        data: { path: "before", problem: "excludes after and around" },
      });
    }
  },
  async run({ limit = 10, before, after, around }, { channel }, { discord, signal }) {
    const channelId = channel.facts.id;
    const page = {
      limit,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(around === undefined ? {} : { around }),
    };
    const messages = await discord.messages(channelId, page, signal);
    const value = {
      channel_id: channelId,
      ...(messages.some(seemsWithheld) ? { note: withheldNote } : {}),
      messages: messages.map(describeMessage),
    };
    return { value, sources: [fromChannel(channelId)] };
  },
});
