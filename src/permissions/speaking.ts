import { GuildVerificationLevel as Level, PermissionFlagsBits } from "discord-api-types/v10";
import { snowflakeTime } from "../snowflake.ts";
import { basePermissions } from "./compute.ts";
import type { GuildFacts, MemberFacts } from "./facts.ts";

export interface Hindrance {
  readonly reason: "pending" | "account_age" | "membership_age" | "phone";
  /** Until it is over; null when waiting alone does not help, or it cannot be said. */
  readonly waitMs: number | null;
}

const accountAgeMs = 5 * 60_000;
const membershipAgeMs = 10 * 60_000;

/**
 * Whether a guild lets a member say anything at all, whatever their permissions: null when it does. `now` in
 * milliseconds since 1970. The owner and administrators pass; who has not agreed to the guild's rules does not. Of the
 * verification levels each includes those below it, and members with a role are exempt from all:
 * - LOW asks for a verified e-mail address, which Discord tells no bot: it is passed over, here and in the levels above
 * - MEDIUM: the account is older than five minutes, by its id
 * - HIGH: a member for longer than ten minutes; not established when it is not known since when
 * - VERY_HIGH asks for a verified phone, which cannot be seen either: refused, since it is the level's whole point
 *
 * https://docs.discord.com/developers/resources/guild#guild-object-verification-level
 * https://docs.discord.com/developers/resources/guild#membership-screening-object
 * https://support.discord.com/hc/en-us/articles/216679607-What-are-Verification-Levels
 */
export function maySpeakYet(guild: GuildFacts, member: MemberFacts, now: number): Hindrance | null {
  if (guild.ownerId === member.userId) return null;
  if (basePermissions(guild, member) & PermissionFlagsBits.Administrator) return null;
  if (member.isPending) return { reason: "pending", waitMs: null };
  if (member.roleIds.length > 0) return null;
  if (guild.verificationLevel >= Level.VeryHigh) return { reason: "phone", waitMs: null };
  const accountMs = accountAgeMs - (now - snowflakeTime(member.userId));
  if (guild.verificationLevel >= Level.Medium && accountMs > 0)
    return { reason: "account_age", waitMs: accountMs };
  if (guild.verificationLevel < Level.High) return null;
  if (member.joinedAt === null) return { reason: "membership_age", waitMs: null };
  const membershipMs = membershipAgeMs - (now - member.joinedAt);
  return membershipMs > 0 ? { reason: "membership_age", waitMs: membershipMs } : null;
}
