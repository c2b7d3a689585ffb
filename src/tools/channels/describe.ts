import type { APIChannel } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { madeAt } from "../argument-schemas.ts";
import { nullable, timestamp } from "../result-schemas.ts";
import { channelKind } from "./kinds.ts";

/** A channel as tools give it: fields that this kind does not have, or that Discord leaves out, are left out. */
export const channelShape = Type.Object({
  channel_id: Type.String(),
  name: nullable(Type.String()),
  type: Type.String({ description: "Its kind, such as text, voice, forum or thread." }),
  topic: Type.Optional(nullable(Type.String())),
  nsfw: Type.Optional(Type.Boolean({ description: "Whether it is age-restricted." })),
  slow_mode_seconds: Type.Optional(Type.Integer()),
  bitrate: Type.Optional(Type.Integer({ description: "Of voice, in bits a second." })),
  user_limit: Type.Optional(Type.Integer({ description: "How many fit into it; 0 for no limit." })),
  tags: Type.Optional(Type.Array(Type.String(), { description: "Of a forum." })),
  recipients: Type.Optional(Type.Array(Type.String(), { description: "Of a direct message: user names." })),
  archived: Type.Optional(Type.Boolean()),
  locked: Type.Optional(Type.Boolean()),
  message_count: Type.Optional(Type.Integer({ description: "Of a thread." })),
  member_count: Type.Optional(Type.Integer({ description: "Of a thread; Discord stops counting at 50." })),
  created_at: timestamp("When it was made."),
});
type Channel = Static<typeof channelShape>;

/** Of a channel in a category that can be seen. */
export const inCategory = {
  category: Type.Optional(nullable(Type.String({ description: "The category's name." }))),
  category_id: Type.Optional(Type.String()),
};

export function describeChannel(channel: APIChannel): Channel {
  return {
    channel_id: channel.id,
    name: channel.name ?? null,
    type: channelKind(channel.type),
    ...details(channel),
    created_at: madeAt(channel.id),
  };
}

function details(channel: APIChannel) {
  const given: Partial<Channel> = {};
  if ("topic" in channel) given.topic = channel.topic ?? null;
  if ("nsfw" in channel) given.nsfw = channel.nsfw ?? false;
  if ("rate_limit_per_user" in channel) given.slow_mode_seconds = channel.rate_limit_per_user ?? 0;
  if ("bitrate" in channel && channel.bitrate !== undefined) given.bitrate = channel.bitrate;
  if ("user_limit" in channel && channel.user_limit !== undefined) given.user_limit = channel.user_limit;
  if ("available_tags" in channel) given.tags = channel.available_tags.map(({ name }) => name);
  if ("recipients" in channel && channel.recipients !== undefined)
    given.recipients = channel.recipients.map(({ username }) => username);
  if ("thread_metadata" in channel && channel.thread_metadata !== undefined) {
    given.archived = channel.thread_metadata.archived;
    given.locked = channel.thread_metadata.locked ?? false;
  }
  if ("message_count" in channel && channel.message_count !== undefined)
    given.message_count = channel.message_count;
  if ("member_count" in channel && channel.member_count !== undefined)
    given.member_count = channel.member_count;
  return given;
}
