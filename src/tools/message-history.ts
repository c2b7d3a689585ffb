import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../errors.ts";
import { describeMessage, seemsWithheld, withheldNote } from "./messages.ts";
import { snowflake } from "./schemas.ts";
import { defineTool } from "./tool.ts";

const { ViewChannel, ReadMessageHistory } = PermissionFlagsBits;

export const messageHistory = defineTool({
  name: "discord_message_history",
  title: "Read messages",
  description:
    "Reads messages of the Discord channel of this conversation, newest first. Give at most one of before, after and around, each a message id.",
  input: Type.Object(
    {
      channel_id: Type.Optional(snowflake("Which channel. Default: the one of this conversation.")),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: 10, description: "How many messages." }),
      ),
      before: Type.Optional(snowflake("Only messages before this message id.")),
      after: Type.Optional(snowflake("Only messages after this message id.")),
      around: Type.Optional(snowflake("Messages on both sides of this message id.")),
    },
    { additionalProperties: false },
  ),
  kind: "read",
  repeatable: true,
  needs({ channel_id: channelId, before, after, around }, actor) {
    if ([before, after, around].filter((anchor) => anchor !== undefined).length > 1) {
      throw new AppError("invalid_arguments", "Give at most one of before, after and around.", {
        data: { path: "before", problem: "excludes after and around" },
      });
    }
    const target = { kind: "channel", channelId: channelId ?? actor.channelId } as const;
    return [{ target, permissions: ViewChannel | ReadMessageHistory }];
  },
  async run({ channel_id: channelId, limit = 10, before, after, around }, { actor, discord, signal }) {
    const asked = channelId ?? actor.channelId;
    const page = {
      limit,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(around === undefined ? {} : { around }),
    };
    const messages = await discord.messages(asked, page, signal);
    const value = {
      channel_id: asked,
      ...(messages.some(seemsWithheld) ? { note: withheldNote } : {}),
      messages: messages.map(describeMessage),
    };
    return { value, sources: [`channel:${asked}`] };
  },
});
