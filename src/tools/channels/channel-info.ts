import { type APIChannel, PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { channelKind } from "./channel-kinds.ts";
import { madeAt, snowflake } from "./schemas.ts";
import { defineTool, type ToolContext } from "./tool.ts";

export const channelInfo = defineTool({
  name: "discord_channel_info",
  title: "Describe a channel",
  description:
    "Tells about a Discord channel, thread or direct message: name, type, topic, category, slow mode, when it was made. Without channel_id: the channel of this conversation, which is the only one that can be asked about.",
  input: Type.Object(
    { channel_id: Type.Optional(snowflake("Which channel. Default: the one of this conversation.")) },
    { additionalProperties: false },
  ),
  kind: "read",
  repeatable: true,
  needs({ channel_id: channelId }, actor) {
    const target = { kind: "channel", channelId: channelId ?? actor.channelId } as const;
    return [{ target, permissions: PermissionFlagsBits.ViewChannel }];
  },
  async run({ channel_id: channelId }, context) {
    const asked = channelId ?? context.actor.channelId;
    const channel = await context.discord.channel(asked, context.signal);
    const value = {
      channel_id: channel.id,
      name: channel.name ?? null,
      type: channelKind(channel.type),
      ...details(channel),
      ...(await parentOf(channel, context)),
      created_at: madeAt(channel.id),
    };
    return { value, sources: [`channel:${asked}`] };
  },
});

/** What this kind of channel has; fields that Discord leaves out are left out. */
function details(channel: APIChannel) {
  const given: Record<string, unknown> = {};
  if ("topic" in channel) given.topic = channel.topic ?? null;
  if ("nsfw" in channel) given.nsfw = channel.nsfw ?? false;
  if ("rate_limit_per_user" in channel) given.slow_mode_seconds = channel.rate_limit_per_user ?? 0;
  if ("bitrate" in channel) given.bitrate = channel.bitrate;
  if ("user_limit" in channel) given.user_limit = channel.user_limit;
  if ("available_tags" in channel) given.tags = channel.available_tags.map(({ name }) => name);
  if ("recipients" in channel) given.recipients = channel.recipients?.map(({ username }) => username);
  if ("thread_metadata" in channel && channel.thread_metadata !== undefined) {
    given.archived = channel.thread_metadata.archived;
    given.locked = channel.thread_metadata.locked ?? false;
  }
  if ("message_count" in channel) given.message_count = channel.message_count;
  if ("member_count" in channel) given.member_count = channel.member_count;
  return given;
}

/** A category can be hidden from somebody who sees a channel in it. */
async function parentOf(channel: APIChannel, { canSee, discord, signal }: ToolContext) {
  const parentId = "parent_id" in channel ? (channel.parent_id ?? null) : null;
  if (parentId === null || !(await canSee(parentId))) return {};
  const { name } = await discord.channel(parentId, signal);
  return "thread_metadata" in channel
    ? { parent_channel_id: parentId, parent_name: name }
    : { category_id: parentId, category: name };
}
