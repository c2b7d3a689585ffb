import {
  type APIDMChannel,
  type APIGuild,
  type APIGuildMember,
  type APIMessage,
  type APIRole,
  type APIThreadChannel,
  type APIUser,
  ChannelType,
  Locale,
  MessageType,
  OverwriteType,
} from "discord-api-types/v10";
import type { ChannelSeed, GuildSeed, MemberSeed, OverwriteSeed, RoleSeed, UserSeed } from "./seed.ts";
import type { GuildChannel } from "./world.ts";

/** Discord's objects, whole: every field that the OpenAPI description requires is there. */

// Typed as number: the enums of flags have no member for none.
export const NO_FLAGS: number = 0;

export function userPayload(seed: UserSeed): APIUser {
  return {
    id: seed.id,
    username: seed.username,
    discriminator: seed.bot ? "4242" : "0",
    global_name: seed.bot ? null : (seed.globalName ?? null),
    avatar: null,
    banner: null,
    accent_color: null,
    avatar_decoration_data: null,
    collectibles: null,
    primary_guild: null,
    public_flags: NO_FLAGS,
    flags: NO_FLAGS,
    ...(seed.bot ? { bot: true } : {}),
  };
}

export function rolePayload(seed: RoleSeed, position: number, botId: string): APIRole {
  const color = seed.color ?? 0;
  return {
    id: seed.id,
    name: seed.name,
    color,
    colors: { primary_color: color, secondary_color: null, tertiary_color: null },
    hoist: seed.hoist ?? false,
    icon: null,
    unicode_emoji: null,
    position,
    permissions: String(seed.permissions),
    managed: seed.ofBot ?? false,
    mentionable: seed.mentionable ?? false,
    flags: NO_FLAGS,
    ...(seed.ofBot ? { tags: { bot_id: botId } } : {}),
  };
}

export function memberPayload(
  user: APIUser,
  seed: Omit<MemberSeed, "userId">,
  joinedAt: number,
): APIGuildMember {
  return {
    user,
    nick: seed.nick ?? null,
    avatar: null,
    banner: null,
    avatar_decoration_data: null,
    collectibles: null,
    roles: [...(seed.roleIds ?? [])],
    joined_at: new Date(joinedAt).toISOString(),
    premium_since: null,
    communication_disabled_until: null,
    flags: NO_FLAGS,
    pending: false,
    mute: false,
    deaf: false,
  };
}

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
    flags: NO_FLAGS,
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

const THREAD_TYPES: Partial<Record<ChannelSeed["kind"], APIThreadChannel["type"]>> = {
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
    type: THREAD_TYPES[seed.kind] ?? ChannelType.PublicThread,
    flags: NO_FLAGS,
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
    flags: NO_FLAGS,
    last_message_id: null,
    recipients: [recipient],
  };
}

/** A guild without its roles and emojis, which live in maps and are put in when it is sent. */
export function guildPayload(seed: GuildSeed): APIGuild {
  return {
    id: seed.id,
    name: seed.name,
    description: seed.description ?? null,
    owner_id: seed.ownerId,
    icon: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    ...{ home_header: null, nsfw: false },
    features: [],
    application_id: null,
    region: "deprecated",
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: NO_FLAGS,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 1,
    roles: [],
    emojis: [],
    stickers: [],
    default_message_notifications: 1,
    mfa_level: 0,
    explicit_content_filter: 0,
    max_presences: null,
    max_members: 500_000,
    max_stage_video_channel_users: 50,
    max_video_channel_users: 25,
    vanity_url_code: null,
    premium_tier: 0,
    premium_subscription_count: seed.boosts ?? 0,
    preferred_locale: Locale.EnglishUS,
    rules_channel_id: null,
    safety_alerts_channel_id: null,
    public_updates_channel_id: null,
    premium_progress_bar_enabled: false,
    nsfw_level: 0,
    hub_type: null,
    incidents_data: null,
  };
}

export function messagePayload(
  id: string,
  channelId: string,
  author: APIUser,
  content: string,
  at: number,
): APIMessage {
  return {
    id,
    channel_id: channelId,
    author,
    content,
    type: MessageType.Default,
    timestamp: new Date(at).toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    components: [],
    pinned: false,
    flags: NO_FLAGS,
  };
}
