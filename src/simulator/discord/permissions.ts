import {
  type APIOverwrite,
  type APIThreadChannel,
  ChannelType,
  OverwriteType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import type { AnyChannel, SimulatedGuild, World } from "./world.ts";

const everything = Object.values(PermissionFlagsBits).reduce((all, bit) => all | bit, 0n);
/** What a member in time-out keeps: https://discord.com/developers/docs/topics/permissions#permissions-for-timed-out-members */
const timedOut = PermissionFlagsBits.ViewChannel | PermissionFlagsBits.ReadMessageHistory;

/** What members may do in a guild, channels apart. */
export function guildPermissions(world: World, guild: SimulatedGuild, userId: string): bigint {
  const member = guild.members.get(userId);
  if (member === undefined) return 0n;
  if (guild.info.owner_id === userId) return everything;
  let bits = BigInt(guild.roles.get(guild.id)?.permissions ?? "0");
  for (const roleId of member.roles) bits |= BigInt(guild.roles.get(roleId)?.permissions ?? "0");
  if (bits & PermissionFlagsBits.Administrator) return everything;
  return isTimedOut(world, guild, userId) ? bits & timedOut : bits;
}

/** What a user may do in a channel, as https://discord.com/developers/docs/topics/permissions has it. */
export function channelPermissions(world: World, channel: AnyChannel, userId: string): bigint {
  if (channel.type === ChannelType.DM) {
    const belongs = userId === world.botUser.id || channel.recipients?.some((user) => user.id === userId);
    return belongs ? everything : 0n;
  }
  const guild = world.guildOfChannel(channel.id);
  if (guild === null) return 0n;
  if (isThread(channel)) return threadPermissions(world, guild, channel, userId);
  const base = guildPermissions(world, guild, userId);
  if (base === everything || base === 0n) return base;
  const bits = applyOverwrites(base, channel.permission_overwrites ?? [], guild, userId);
  if (!(bits & PermissionFlagsBits.ViewChannel)) return 0n;
  return isTimedOut(world, guild, userId) ? bits & timedOut : bits;
}

export function mayView(world: World, channel: AnyChannel, userId: string): boolean {
  return (channelPermissions(world, channel, userId) & PermissionFlagsBits.ViewChannel) !== 0n;
}

export function isThread(channel: AnyChannel): channel is APIThreadChannel {
  return (
    channel.type === ChannelType.PublicThread ||
    channel.type === ChannelType.PrivateThread ||
    channel.type === ChannelType.AnnouncementThread
  );
}

/** The permission to write there: threads have one of their own. */
export function sendPermission(channel: AnyChannel): bigint {
  return isThread(channel) ? PermissionFlagsBits.SendMessagesInThreads : PermissionFlagsBits.SendMessages;
}

function threadPermissions(
  world: World,
  guild: SimulatedGuild,
  thread: APIThreadChannel,
  userId: string,
): bigint {
  const parent = guild.channels.get(thread.parent_id ?? "");
  if (parent === undefined) return 0n;
  const bits = channelPermissions(world, parent, userId);
  if (thread.type !== ChannelType.PrivateThread) return bits;
  const mayEnter =
    guild.threadMembers.get(thread.id)?.has(userId) || bits & PermissionFlagsBits.ManageThreads;
  return mayEnter ? bits : 0n;
}

function applyOverwrites(
  base: bigint,
  overwrites: readonly APIOverwrite[],
  guild: SimulatedGuild,
  userId: string,
): bigint {
  const roles = guild.members.get(userId)?.roles ?? [];
  const everyone = overwrites.filter((one) => one.id === guild.id);
  const ofRoles = overwrites.filter((one) => one.type === OverwriteType.Role && roles.includes(one.id));
  const ofMember = overwrites.filter((one) => one.type === OverwriteType.Member && one.id === userId);
  return [everyone, ofRoles, ofMember].reduce((bits, group) => {
    const deny = group.reduce((all, one) => all | BigInt(one.deny), 0n);
    const allow = group.reduce((all, one) => all | BigInt(one.allow), 0n);
    return (bits & ~deny) | allow;
  }, base);
}

function isTimedOut(world: World, guild: SimulatedGuild, userId: string): boolean {
  const until = guild.members.get(userId)?.communication_disabled_until;
  return until !== null && until !== undefined && Date.parse(until) > world.now();
}
