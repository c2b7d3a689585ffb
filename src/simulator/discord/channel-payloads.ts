import {
  type APIDMChannel,
  type APIThreadChannel,
  type APIUser,
  ChannelType,
  OverwriteType,
} from "discord-api-types/v10";
import { noFlags } from "./payloads.ts";
import type { ChannelSeed, OverwriteSeed } from "./seed.ts";
import type { GuildChannel } from "./world.ts";

export function overwritePayload(seed: OverwriteSeed) {
  return {
    id: seed.id,
    type: seed.type === "role" ? OverwriteType.Role : OverwriteType.Member,
    allow: String(seed.allow ?? 0n),
    deny: String(seed.deny ?? 0n),
  };
}

export function channelPayload(seed: ChannelSeed, guildId: string, position: number): GuildChannel {
  const base = {
    id: seed.id,
    guild_id: guildId,
    name: seed.name,
    position,
    flags: noFlags,
    permission_overwrites: (seed.overwrites ?? []).map(overwritePayload),
  };
  const inCategory = { parent_id: seed.parentId ?? null, nsfw: false };
  const withMessages = { last_message_id: null, rate_limit_per_user: seed.slowModeSeconds ?? 0 };
  switch (seed.kind) {
    case "category":
      return { ...base, type: ChannelType.GuildCategory, parent_id: null };
    case "voice":
      return {
        ...base,
        ...inCategory,
        ...withMessages,
        type: ChannelType.GuildVoice,
        bitrate: 64_000,
        user_limit: 0,
        rtc_region: null,
      };
    case "announcement":
      return {
        ...base,
        ...inCategory,
        ...withMessages,
        type: ChannelType.GuildAnnouncement,
        topic: seed.topic ?? null,
      };
    case "text":
      return {
        ...base,
        ...inCategory,
        ...withMessages,
        type: ChannelType.GuildText,
        topic: seed.topic ?? null,
      };
    case "forum":
      return forumPayload({ ...base, ...inCategory, ...withMessages }, seed);
    default:
      throw new Error(`Channel ${seed.id} is a ${seed.kind}: make it with threadPayload`);
  }
}

function forumPayload<Base extends object>(base: Base, { topic, tags }: ChannelSeed) {
  return {
    ...base,
    type: ChannelType.GuildForum as const,
    topic: topic ?? null,
    available_tags: (tags ?? []).map(({ id, name, moderated }) => ({
      id,
      name,
      moderated: moderated ?? false,
      emoji_id: null,
      emoji_name: null,
    })),
    default_reaction_emoji: null,
    default_sort_order: null,
    default_forum_layout: 0,
  };
}

const threadTypes: Partial<Record<ChannelSeed["kind"], APIThreadChannel["type"]>> = {
  private_thread: ChannelType.PrivateThread,
  announcement_thread: ChannelType.AnnouncementThread,
};

export function threadPayload(
  seed: ChannelSeed,
  guildId: string,
  ownerId: string,
  createdAt: number,
): APIThreadChannel {
  const created = new Date(createdAt).toISOString();
  return {
    id: seed.id,
    guild_id: guildId,
    name: seed.name,
    type: threadTypes[seed.kind] ?? ChannelType.PublicThread,
    flags: noFlags,
    owner_id: ownerId,
    ...(seed.parentId === undefined ? {} : { parent_id: seed.parentId }),
    last_message_id: null,
    rate_limit_per_user: seed.slowModeSeconds ?? 0,
    message_count: 0,
    member_count: 1,
    total_message_sent: 0,
    thread_metadata: {
      archived: seed.archived ?? false,
      archive_timestamp: created,
      auto_archive_duration: seed.archiveAfterMinutes ?? 10_080,
      locked: false,
      create_timestamp: created,
      ...(seed.kind === "private_thread" ? { invitable: seed.invitable ?? true } : {}),
    },
    ...(seed.appliedTags === undefined ? {} : { applied_tags: [...seed.appliedTags] }),
  };
}

export function directChannelPayload(id: string, recipient: APIUser): APIDMChannel {
  return {
    id,
    type: ChannelType.DM,
    name: null,
    flags: noFlags,
    last_message_id: null,
    recipients: [recipient],
  };
}
