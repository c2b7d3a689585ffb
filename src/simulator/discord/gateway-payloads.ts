import {
  type APIGuildMember,
  type APIThreadChannel,
  ApplicationFlags,
  type GatewayGuildCreateDispatchData,
  type GatewayReadyDispatchData,
  GatewayIntentBits as Intents,
  PresenceUpdateStatus,
} from "discord-api-types/v10";
import type { PrivilegedIntents } from "./gateway-intents.ts";
import type { GatewaySession } from "./gateway-session.ts";
import { mayView } from "./permissions.ts";
import type { SimulatedGuild, World } from "./world.ts";

export function readyPayload(
  world: World,
  session: GatewaySession,
  resumeUrl: string,
  allowed: PrivilegedIntents,
): GatewayReadyDispatchData {
  const guilds = [...world.guilds.values()].filter((guild) => guild.hasBot && session.hears(guild.id));
  const flags = applicationFlags(allowed);
  return {
    v: 10,
    user: { ...world.botUser, mfa_enabled: true, verified: true, email: null },
    guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
    session_id: session.id,
    resume_gateway_url: resumeUrl,
    shard: [session.shardId, session.shardCount],
    application: { id: world.applicationId, flags, flags_new: String(flags) },
  };
}

/** Which privileged intents the application has switched on, as an application of under 100 guilds shows them. */
export function applicationFlags(allowed: PrivilegedIntents): number {
  return (
    (allowed.presences ? ApplicationFlags.GatewayPresenceLimited : 0) |
    (allowed.members ? ApplicationFlags.GatewayGuildMembersLimited : 0) |
    (allowed.messageContent ? ApplicationFlags.GatewayMessageContentLimited : 0)
  );
}

/** https://discord.com/developers/docs/events/gateway-events#guild-create */
export function guildCreatePayload(
  world: World,
  guild: SimulatedGuild,
  session: GatewaySession,
): GatewayGuildCreateDispatchData {
  const bot = guild.members.get(world.botUser.id);
  const seesPresences = (session.intents & Intents.GuildPresences) !== 0;
  const isLarge = guild.members.size > session.largeThreshold;
  return {
    ...guildObject(guild),
    joined_at: bot?.joined_at ?? new Date(world.now()).toISOString(),
    large: isLarge,
    unavailable: false,
    member_count: guild.members.size,
    voice_states: [],
    members: seesPresences
      ? presentMembers(guild, world.botUser.id, isLarge)
      : bot === undefined
        ? []
        : [bot],
    channels: [...guild.channels.values()],
    threads: visibleThreads(world, guild),
    presences: seesPresences
      ? [...guild.online].map((id) => ({
          user: { id },
          guild_id: guild.id,
          status: PresenceUpdateStatus.Online,
          activities: [],
          client_status: { desktop: PresenceUpdateStatus.Online },
        }))
      : [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

/** The guild with what lives in maps put in. */
export function guildObject(guild: SimulatedGuild) {
  return { ...guild.info, roles: [...guild.roles.values()], emojis: [...guild.emojis.values()] };
}

/** Active threads that the bot can see. */
export function visibleThreads(world: World, guild: SimulatedGuild): APIThreadChannel[] {
  return [...guild.threads.values()].filter(
    (thread) => thread.thread_metadata?.archived !== true && mayView(world, thread, world.botUser.id),
  );
}

function presentMembers(guild: SimulatedGuild, botId: string, isLarge: boolean): APIGuildMember[] {
  const members = [...guild.members.values()];
  return isLarge
    ? members.filter((member) => guild.online.has(member.user.id) || member.user.id === botId)
    : members;
}
