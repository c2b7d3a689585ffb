import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../errors.ts";
import type { GuildFacts, MemberFacts } from "../permissions/facts.ts";
import { maySpeakYet } from "../permissions/speaking.ts";
import { snowflakeAt, snowflakeTime } from "../snowflake.ts";
import { type Authority, denied } from "./authority.ts";
import type { Finding } from "./find.ts";
import type { ChannelPlace } from "./targets.ts";

const { Administrator, BypassSlowmode, ManageThreads } = PermissionFlagsBits;
/** Pages of a hundred messages in which the actor's last one is looked for. */
const maxPages = 3;

/**
 * What Discord asks of whoever says something beside permissions: screening and verification, slow mode, and that a
 * thread is not locked. Throws AppError `permission_denied`, or `rate_limited` saying when slow mode is over.
 */
export async function assertMaySpeak(place: ChannelPlace, finding: Finding): Promise<void> {
  const { facts, actor: standing } = place;
  await assertMayTakePart(place, finding.authority, finding.now);
  if (finding.actor.kind === "bot" || facts.guildId === null) return;
  if (facts.slowMode > 0 && (standing.bits & BypassSlowmode) === 0n) await assertNotTooSoon(place, finding);
}

/** The same without slow mode: for reacting, editing, and whatever else is done without saying anything new. */
export async function assertMayTakePart(
  place: ChannelPlace,
  authority: Authority,
  now: () => number,
): Promise<void> {
  for (const { bits, who, place: where } of [place.actor, place.bot]) {
    if (place.facts.thread?.isLocked && (bits & ManageThreads) === 0n)
      throw denied(`${who} cannot write in ${where}, which is locked.`);
  }
  await assertMayAct(place, authority, now);
}

/**
 * Screening, verification, and no time-out: some things need no permission which a time-out would take away, such as
 * deleting one's own messages.
 */
export async function assertMayAct(
  { facts, actor }: ChannelPlace,
  authority: Authority,
  now: () => number,
): Promise<void> {
  if (authority.actor.kind === "bot" || facts.guildId === null) return;
  const member = await authority.member(authority.actor.userId);
  if (member === null) return;
  const isTimedOut = member.timedOutUntil !== null && member.timedOutUntil > now();
  if (isTimedOut && (actor.bits & Administrator) === 0n)
    throw denied(`${actor.who} is timed out and can only read for now.`);
  assertVerified(actor.who, await authority.guild(), member, now());
}

function assertVerified(who: string, guild: GuildFacts, member: MemberFacts, now: number): void {
  const hindrance = maySpeakYet(guild, member, now);
  if (hindrance === null) return;
  const reasons = {
    pending: `${who} has not agreed to the server's rules yet.`,
    account_age: `${who} cannot write in this server yet: their account is too new for it.`,
    membership_age: `${who} cannot write in this server yet: they joined it a moment ago.`,
    phone: `This server asks for a verified phone of those without a role, and Discord does not say whether ${who} has one.`,
  } as const;
  throw denied(reasons[hindrance.reason]);
}

async function assertNotTooSoon(place: ChannelPlace, finding: Finding): Promise<void> {
  const { facts, actor } = place;
  const { now, lastAt } = finding;
  const since = now() - facts.slowMode * 1000;
  const isForum = facts.type === ChannelType.GuildForum || facts.type === ChannelType.GuildMedia;
  const seen = isForum ? await lastPost(place, finding) : await lastMessage(place, since, finding);
  const last = Math.max(seen, (await lastAt(facts.id, finding.actor.userId)) ?? 0);
  if (last <= since) return;
  const waitMs = Math.max(1000, Math.min(last, now()) + facts.slowMode * 1000 - now());
  throw new AppError(
    "rate_limited",
    `${actor.who} cannot write in ${actor.place} yet: it is in slow mode, one message in ${facts.slowMode} s. Try again in ${Math.ceil(waitMs / 1000)} s.`,
    { retryAfterMs: waitMs },
  );
}

/** When the actor last wrote there; now when there is more to look through than is looked through. */
async function lastMessage(
  { facts }: ChannelPlace,
  since: number,
  { actor, discord, now, signal }: Finding,
): Promise<number> {
  let last = 0;
  let after = String(BigInt(snowflakeAt(since)) - 1n);
  for (let page = 0; page < maxPages; page++) {
    const messages = await discord.messages(facts.id, { after, limit: 100 }, signal);
    for (const { author, timestamp } of messages)
      if (author.id === actor.userId) last = Math.max(last, Date.parse(timestamp));
    if (messages.length < 100) return last;
    after = messages.reduce((max, { id }) => (BigInt(id) > BigInt(max) ? id : max), after);
  }
  return last === 0 ? now() : last;
}

/** In a forum slow mode is about posts: https://docs.discord.com/developers/topics/threads#forum-and-media-channel-fields */
async function lastPost({ facts }: ChannelPlace, { actor, discord, signal }: Finding): Promise<number> {
  if (facts.guildId === null) return 0;
  const threads = await discord.activeThreads(facts.guildId, signal);
  const own = threads.filter((one) => one.parent_id === facts.id && one.owner_id === actor.userId);
  return Math.max(0, ...own.map(({ id }) => snowflakeTime(id)));
}
