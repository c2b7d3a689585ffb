import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { channelPermissions, guildPermissions, isParentOf, isThread, prerequisites } from "./compute.ts";
import type { ChannelFacts, GuildFacts, MemberFacts, OverwriteFacts } from "./facts.ts";

/** Those who hold all of the bits in a channel, or in the guild as a whole where there is none. */
export interface Readers {
  readonly channel: ChannelFacts | null;
  /** The channel that a thread belongs to; of no matter to others. */
  readonly parent: ChannelFacts | null;
  readonly bits: bigint;
}

/** Imagined members that are looked at for one answer; where there are more to look at, nothing is certain. */
const membersBound = 20_000;
const nobody = "0";

/**
 * Whether everybody who could be in the audience is certainly among the source, by roles and overwrites, whoever is a
 * member just now. False when it is not certain. Time-outs are of no matter: they take from both.
 *
 * It looks for a member who is in the audience and not in the source, and it is enough to imagine those with few roles.
 * Take any such member, and a bit that they lack in the source. Of their roles keep one that denies them that bit in
 * the source, if there is one, and for each bit that the audience asks for one that gives it, if one does: at best by
 * an overwrite. Without the others they are still in the audience, since taking roles away takes denials away, and what
 * gave each bit is still there; and they still lack the bit, since nothing that gives it was added. So whoever has more
 * roles than the audience asks for bits, and one, shows nothing that a member with fewer does not show.
 *
 * Roles that say the same of these bits, in the guild and in both channels, are one, and so are users who have the same
 * overwrites of their own; the owner and administrators are in every source. What is asked of each imagined member is
 * asked of `compute.ts`, so that implicit denials and threads are as they are there. A private thread counts as its
 * channel where it is the audience, which is more people than it has; as a source it holds but itself.
 */
export function isWithin(guild: GuildFacts, audience: Readers, source: Readers): boolean {
  if (!isOfGuild(guild, audience) || !isOfGuild(guild, source)) return false;
  const asksNoMore = (source.bits & ~audience.bits) === 0n;
  if (audience.channel?.id === source.channel?.id && asksNoMore) return true;
  if (source.channel?.type === ChannelType.PrivateThread) return false;
  const [there, here] = [overwritesOf(audience), overwritesOf(source)];
  const asked = audience.bits | neededFor(audience);
  const relevant = asked | source.bits | neededFor(source);
  const roleIds = distinctRoles(guild, [there, here], relevant);
  const userIds = distinctUsers([there, here], relevant);
  const most = bitCount(asked) + 1;
  if (choiceCount(roleIds.length, most) * userIds.length > membersBound) return false;
  for (const held of choices(roleIds, most)) {
    for (const userId of userIds) {
      const member = { userId, roleIds: held, timedOutUntil: null, joinedAt: null, isPending: false };
      if (isAmong(guild, member, audience) && !isAmong(guild, member, source)) return false;
    }
  }
  return true;
}

/** Whether every member of the guild, with any roles, holds all of the bits in that channel. */
export function readableByAllMembers(
  guild: GuildFacts,
  channel: ChannelFacts,
  parent: ChannelFacts | null,
  bits: bigint,
): boolean {
  return isWithin(guild, { channel: null, parent: null, bits: 0n }, { channel, parent, bits });
}

function isOfGuild(guild: GuildFacts, { channel, parent }: Readers): boolean {
  if (channel === null) return true;
  if (channel.guildId !== guild.id) return false;
  return !isThread(channel) || (parent !== null && isParentOf(parent, channel));
}

function overwritesOf({ channel, parent }: Readers): readonly OverwriteFacts[] {
  const decisive = channel !== null && isThread(channel) ? parent : channel;
  return decisive?.overwrites ?? [];
}

const neededFor = ({ channel, bits }: Readers): bigint =>
  channel === null ? 0n : prerequisites(bits, channel);

function isAmong(guild: GuildFacts, member: MemberFacts, { channel, parent, bits }: Readers): boolean {
  const now = 0;
  const held =
    channel === null
      ? guildPermissions(guild, member, now)
      : channelPermissions({ guild, member, channel, parent, isThreadMember: true, now });
  return (held & bits) === bits;
}

type Views = readonly (readonly OverwriteFacts[])[];

/** One role of each sort that makes a difference, administrators left out. */
function distinctRoles(guild: GuildFacts, views: Views, relevant: bigint): readonly string[] {
  const sorts = new Map<string, string>();
  for (const { id, permissions } of guild.roles.values()) {
    if (id === guild.id || permissions & PermissionFlagsBits.Administrator) continue;
    const said = [permissions & relevant, ...saidOf("role", id, views, relevant)];
    if (said.some((bits) => bits !== 0n)) sorts.set(said.join(), id);
  }
  return [...sorts.values()];
}

/** One user of each sort that overwrites tell apart, and one who has none. */
function distinctUsers(views: Views, relevant: bigint): readonly string[] {
  const sorts = new Map<string, string>();
  const ids = views.flatMap((view) => view.filter(({ type }) => type === "member").map(({ id }) => id));
  for (const id of ids) sorts.set(saidOf("member", id, views, relevant).join(), id);
  return [nobody, ...sorts.values()];
}

function saidOf(type: OverwriteFacts["type"], id: string, views: Views, relevant: bigint): bigint[] {
  return views.flatMap((view) => {
    const own = view.filter((one) => one.type === type && one.id === id);
    const allow = own.reduce((bits, one) => bits | one.allow, 0n) & relevant;
    const deny = own.reduce((bits, one) => bits | one.deny, 0n) & relevant;
    return [allow, deny & ~allow];
  });
}

function bitCount(bits: bigint): number {
  let count = 0;
  for (let left = bits; left !== 0n; left &= left - 1n) count += 1;
  return count;
}

/** Every choice of at most so many of them. */
function* choices(
  all: readonly string[],
  most: number,
  chosen: readonly string[] = [],
  from = 0,
): Generator<readonly string[]> {
  yield chosen;
  if (chosen.length === most) return;
  for (const [at, one] of all.entries()) if (at >= from) yield* choices(all, most, [...chosen, one], at + 1);
}

function choiceCount(of: number, most: number): number {
  let [count, ofSize] = [1, 1];
  for (let size = 1; size <= Math.min(most, of); size++) {
    ofSize = (ofSize * (of - size + 1)) / size;
    count += ofSize;
  }
  return count;
}
