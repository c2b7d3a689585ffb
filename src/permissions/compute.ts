import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import type { ChannelFacts, GuildFacts, MemberFacts, OverwriteFacts } from "./facts.ts";

const { Administrator, AttachFiles, Connect, EmbedLinks, ManageThreads, MentionEveryone } =
  PermissionFlagsBits;
const { ReadMessageHistory, SendMessages, SendMessagesInThreads, SendTTSMessages, ViewChannel } =
  PermissionFlagsBits;

/** What the owner and administrators have. */
export const everything: bigint = Object.values(PermissionFlagsBits).reduce((all, bit) => all | bit, 0n);

/** https://docs.discord.com/developers/topics/permissions#permissions-for-timed-out-members */
const whileTimedOut = ViewChannel | ReadMessageHistory;

/** https://docs.discord.com/developers/topics/permissions#implicit-permissions */
const withSending = MentionEveryone | SendTTSMessages | AttachFiles | EmbedLinks;

/** There are no roles and overwrites in a direct message: who belongs to it may read it and write to it. */
const inDirectMessages =
  ViewChannel |
  ReadMessageHistory |
  SendMessages |
  EmbedLinks |
  AttachFiles |
  PermissionFlagsBits.AddReactions |
  PermissionFlagsBits.PinMessages |
  PermissionFlagsBits.UseExternalEmojis |
  PermissionFlagsBits.UseExternalStickers |
  PermissionFlagsBits.SendVoiceMessages |
  PermissionFlagsBits.SendPolls |
  PermissionFlagsBits.UseApplicationCommands;

/** Owner, administrator, @everyone and roles: https://docs.discord.com/developers/topics/permissions#permission-overwrites */
export function basePermissions(guild: GuildFacts, member: MemberFacts): bigint {
  if (guild.ownerId === member.userId) return everything;
  const roles = [guild.id, ...member.roleIds];
  const bits = roles.reduce((all, id) => all | (guild.roles.get(id)?.permissions ?? 0n), 0n);
  return bits & Administrator ? everything : bits;
}

/** In Discord's order: @everyone, all roles together, the member; in each what is denied first. Administrators pass. */
export function applyOverwrites(
  base: bigint,
  overwrites: readonly OverwriteFacts[],
  guild: GuildFacts,
  member: MemberFacts,
): bigint {
  if (base & Administrator) return everything;
  const ofEveryone = { allow: 0n, deny: 0n };
  const ofRoles = { allow: 0n, deny: 0n };
  const own = { allow: 0n, deny: 0n };
  for (const { id, type, allow, deny } of overwrites) {
    const layer = type === "member" ? own : id === guild.id ? ofEveryone : ofRoles;
    if (layer === own && id !== member.userId) continue;
    // A deleted role's overwrite may outlive it for a moment.
    if (layer === ofRoles && !(member.roleIds.includes(id) && guild.roles.has(id))) continue;
    layer.allow |= allow;
    layer.deny |= deny;
  }
  return [ofEveryone, ofRoles, own].reduce((bits, { allow, deny }) => (bits & ~deny) | allow, base);
}

/** What a member may do in the guild, channels apart. `now` in milliseconds since 1970, for time-outs. */
export function guildPermissions(guild: GuildFacts, member: MemberFacts, now: number): bigint {
  return whenTimedOut(basePermissions(guild, member), member, now);
}

export interface ChannelQuestion {
  readonly guild: GuildFacts;
  readonly member: MemberFacts;
  readonly channel: ChannelFacts;
  /** The channel that a thread belongs to; of no matter to others. */
  readonly parent: ChannelFacts | null;
  /** Whether the member was added to the thread; of matter to private ones alone. */
  readonly isThreadMember: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a member really may do in a channel of a guild: 0 without VIEW_CHANNEL, and whenever the facts do not fit together. */
export function channelPermissions(question: ChannelQuestion): bigint {
  const { guild, member, channel, now } = question;
  if (channel.guildId !== guild.id) return 0n;
  if (isThread(channel)) return threadPermissions(question);
  const base = basePermissions(guild, member);
  if (base & Administrator) return everything;
  const bits = overwritten(base, channel.overwrites, guild, member);
  return whenTimedOut(withoutImplied(bits, channel, SendMessages), member, now);
}

/** https://docs.discord.com/developers/topics/permissions#inherited-permissions-threads */
function threadPermissions({ guild, member, channel, parent, isThreadMember, now }: ChannelQuestion): bigint {
  if (parent === null || !isParentOf(parent, channel)) return 0n;
  const base = basePermissions(guild, member);
  if (base & Administrator) return everything;
  const inherited = overwritten(base, parent.overwrites, guild, member);
  const own = withoutImplied(inherited & ~SendMessages, channel, SendMessagesInThreads);
  const bits = whenTimedOut(own, member, now);
  const mayEnter = channel.type !== ChannelType.PrivateThread || isThreadMember || bits & ManageThreads;
  return mayEnter ? bits : 0n;
}

/** Whether that is the channel of a thread, in the same guild. */
export function isParentOf(parent: ChannelFacts, thread: ChannelFacts): boolean {
  return parent.id === thread.parentId && parent.guildId === thread.guildId && !isThread(parent);
}

/** Of a direct message, those who belong to it: its recipients and the bot. */
export function directMessagePermissions(channel: ChannelFacts, userId: string, botUserId: string): bigint {
  const belongs = channel.recipientIds.includes(userId) || userId === botUserId;
  return channel.guildId === null && belongs ? inDirectMessages : 0n;
}

export function isThread({ type }: ChannelFacts): boolean {
  return (
    type === ChannelType.AnnouncementThread ||
    type === ChannelType.PublicThread ||
    type === ChannelType.PrivateThread
  );
}

/** An administrator is one by a role; an overwrite makes nobody one, though it can hold the bit. */
function overwritten(
  base: bigint,
  overwrites: readonly OverwriteFacts[],
  guild: GuildFacts,
  member: MemberFacts,
): bigint {
  return applyOverwrites(base, overwrites, guild, member) & ~Administrator;
}

/**
 * What has to be there too for permissions to count in a channel, as its type has it: the other side of what is
 * implicitly denied. https://docs.discord.com/developers/topics/permissions#implicit-permissions
 */
export function prerequisites(bits: bigint, channel: ChannelFacts): bigint {
  if (bits === 0n) return 0n;
  const connecting = isVoice(channel) && bits & ~ViewChannel ? Connect : 0n;
  const sending = isThread(channel) ? SendMessagesInThreads : SendMessages;
  return ViewChannel | connecting | (bits & withSending ? sending : 0n);
}

function isVoice({ type }: ChannelFacts): boolean {
  return type === ChannelType.GuildVoice || type === ChannelType.GuildStageVoice;
}

/** What is denied along with something else, though no overwrite says so. */
function withoutImplied(bits: bigint, channel: ChannelFacts, sending: bigint): bigint {
  if (!(bits & ViewChannel)) return 0n;
  if (isVoice(channel) && !(bits & Connect)) return ViewChannel;
  return bits & sending ? bits : bits & ~withSending;
}

function whenTimedOut(bits: bigint, { timedOutUntil }: MemberFacts, now: number): bigint {
  const isExempt = (bits & Administrator) !== 0n;
  return timedOutUntil === null || timedOutUntil <= now || isExempt ? bits : bits & whileTimedOut;
}
