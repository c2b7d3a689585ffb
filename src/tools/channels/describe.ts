import type { APIChannel } from "discord-api-types/v10";
import { madeAt } from "../schemas.ts";
import { channelKind } from "./kinds.ts";

/** A channel as tools give it: fields that this kind does not have, or that Discord leaves out, are left out. */
export function describeChannel(channel: APIChannel) {
  return {
    channel_id: channel.id,
    name: channel.name ?? null,
    type: channelKind(channel.type),
    ...details(channel),
    created_at: madeAt(channel.id),
  };
}

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
