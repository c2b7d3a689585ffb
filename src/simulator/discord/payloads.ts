import {
  type APIGuild,
  type APIGuildMember,
  type APIMessage,
  type APIRole,
  type APIUser,
  Locale,
  MessageType,
} from "discord-api-types/v10";
import type { GuildSeed, MemberSeed, RoleSeed, UserSeed } from "./seed.ts";

/** Discord's objects, whole: every field that the OpenAPI description requires is there. */

// Typed as number: the enums of flags have no member for none.
export const noFlags: number = 0;

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
    public_flags: noFlags,
    flags: noFlags,
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
    flags: noFlags,
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
    flags: noFlags,
    pending: false,
    mute: false,
    deaf: false,
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
    system_channel_flags: noFlags,
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
    flags: noFlags,
  };
}
