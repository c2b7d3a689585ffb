import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { snowflakeAt } from "../../snowflake.ts";
import { channelOrOwn, messageArgument, reasonArgument } from "../argument-schemas.ts";
import { inChannel } from "../audiences.ts";
import { plain } from "../authority.ts";
import { fromChannel } from "../sources.ts";
import type { MessagesPlace } from "../targets.ts";
import { defineTool } from "../tool.ts";
import { readableInServers } from "./kinds.ts";
import { assertMayDeleteIn } from "./threads-open.ts";

/** https://docs.discord.com/developers/resources/message#bulk-delete-messages */
const most = 100;
const oldestMs = 14 * 24 * 60 * 60_000;
/** Between the check and Discord's own a message can come of age. */
const marginMs = 60_000;
const maxNamed = 20;
const maxAuthors = 5;

export const messagesDelete = defineTool({
  name: "discord_messages_delete",
  title: "Delete several messages",
  description:
    "Deletes 2 to 100 messages of one Discord channel at once, for good. Discord takes none older than 14 days here; those go one by one with discord_message_delete.",
  family: "messages",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    {
      channel_id: channelOrOwn("The channel of the messages."),
      message_ids: Type.Array(messageArgument("A message."), {
        minItems: 2,
        maxItems: most,
        uniqueItems: true,
        description: `The messages, 2 to ${most}.`,
      }),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    count: Type.Integer(),
    channel_id: Type.String(),
    deleted: Type.Array(Type.String(), { description: "The ids of the messages." }),
  }),
  targets: {
    channel: {
      kind: "channel",
      argument: "channel_id",
      absent: "own",
      types: readableInServers,
      needs: PermissionFlagsBits.ReadMessageHistory | PermissionFlagsBits.ManageMessages,
    },
    messages: { kind: "messages", argument: "message_ids", in: "channel", needs: 0n },
  },
  check(_input, { channel, messages: { messages } }, _authority, { now }) {
    assertMayDeleteIn(channel);
    if (messages.length < 2)
      throw new AppError("invalid_arguments", "That is one message only; use discord_message_delete.");
    const oldest = BigInt(snowflakeAt(now() - oldestMs + marginMs));
    const old = messages.filter(({ id }) => BigInt(id) < oldest).map(({ id }) => id);
    if (old.length === 0) return;
    const more = old.length > maxNamed ? ` and ${old.length - maxNamed} more` : "";
    throw new AppError(
      "invalid_arguments",
      `Discord deletes messages at once only while they are younger than 14 days; too old are ${old.slice(0, maxNamed).join(", ")}${more}. Delete those one by one with discord_message_delete.`,
      { data: { path: "message_ids", problem: "some are older than 14 days" } },
    );
  },
  question: (_input, { messages }) =>
    `Delete ${messages.messages.length} messages in ${messages.channel.actor.place}, by ${authorsOf(messages)}?`,
  audience: (_input, { channel }) => inChannel(channel),
  async run({ reason: why }, { channel, messages: { messages } }, { change, reason, signal }) {
    const ids = messages.map(({ id }) => id);
    await change.bulkDeleteMessages(channel.facts.id, ids, { signal, reason: reason(why) });
    return {
      value: { count: ids.length, channel_id: channel.facts.id, deleted: ids },
      sources: [fromChannel(channel.facts.id)],
    };
  },
});

function authorsOf({ messages }: MessagesPlace): string {
  const names = [
    ...new Set(messages.map(({ author }) => `@${plain(author.global_name ?? author.username)}`)),
  ];
  const rest = names.length - maxAuthors;
  return `${names.slice(0, maxAuthors).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
