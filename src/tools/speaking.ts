import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../errors.ts";
import { maySpeakYet } from "../permissions/speaking.ts";
import { denied } from "./authority.ts";
import type { Finding } from "./find.ts";
import { firstIdOf } from "./schemas.ts";
import type { ChannelPlace } from "./targets.ts";

const { BypassSlowmode, ManageThreads } = PermissionFlagsBits;
/** Pages of a hundred messages in which the actor's last one is looked for. */
const maxPages = 3;

/**
 * What Discord asks of whoever says something beside permissions: screening and verification, slow mode, and that a
 * thread is not locked. Throws AppError `permission_denied`, or `rate_limited` saying when slow mode is over.
 */
export async function assertMaySpeak(place: ChannelPlace, finding: Finding): Promise<void> {
  const { facts, actor: standing } = place;
  for (const one of [standing, place.bot]) {
    if (facts.thread?.isLocked && (one.bits & ManageThreads) === 0n)
      throw denied(`${one.who} cannot write in ${one.place}, which is locked.`);
  }
  if (finding.actor.kind === "bot" || facts.guildId === null) return;
  await assertVerified(place, finding);
  if (facts.slowMode > 0 && (standing.bits & BypassSlowmode) === 0n) await assertNotTooSoon(place, finding);
}

async function assertVerified({ actor: { who } }: ChannelPlace, finding: Finding): Promise<void> {
  const { authority, actor, now } = finding;
  const member = await authority.member(actor.userId);
  const guild = await authority.guild();
  const hindrance = member === null ? null : maySpeakYet(guild, member, now());
  if (hindrance === null) return;
  const reasons = {
    pending: `${who} has not agreed to the server's rules yet.`,
    account_age: `${who} cannot write in this server yet: their account is too new for it.`,
    membership_age: `${who} cannot write in this server yet: they joined it a moment ago.`,
    phone: `This server asks for a verified phone of those without a role, and Discord does not say whether ${who} has one.`,
  } as const;
  throw denied(reasons[hindrance.reason]);
}

async function assertNotTooSoon({ facts, actor }: ChannelPlace, finding: Finding): Promise<void> {
  const { now, signal, discord, lastAt } = finding;
  const since = now() - facts.slowMode * 1000;
  let last = await lastAt(facts.id, finding.actor.userId);
  let after = String(firstIdOf(since) - 1n);
  for (let page = 0; page < maxPages; page++) {
    const messages = await discord.messages(facts.id, { after, limit: 100 }, signal);
    for (const { author, timestamp } of messages)
      if (author.id === finding.actor.userId) last = Math.max(last ?? 0, Date.parse(timestamp));
    const newest = messages.reduce((max, { id }) => (BigInt(id) > BigInt(max) ? id : max), after);
    if (messages.length < 100) {
      if (last === null || last <= since) return;
      break;
    }
    after = newest;
  }
  const waitMs = Math.max(1000, (last ?? now()) + facts.slowMode * 1000 - now());
  throw new AppError(
    "rate_limited",
    `${actor.who} cannot write in ${actor.place} yet: it is in slow mode, one message in ${facts.slowMode} s. Try again in ${Math.ceil(waitMs / 1000)} s.`,
    { retryAfterMs: waitMs },
  );
}
