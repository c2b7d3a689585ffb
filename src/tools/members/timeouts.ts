import { PermissionFlagsBits } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import type { MemberFacts } from "../../permissions/facts.ts";
import type { Authority } from "../authority.ts";
import { nullable, timestamp } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import type { ReadContext } from "../tool.ts";

const { ModerateMembers } = PermissionFlagsBits;

/** Discord's apps show the time-outs of others to those who can give one. */
export async function seesTimeoutOf(userId: string, authority: Authority): Promise<boolean> {
  if (authority.actor.userId === userId) return true;
  return ((await authority.inGuild()).actor.bits & ModerateMembers) !== 0n;
}

/** What is told of somebody's time-out; nothing to those to whom it is not shown. */
export const timeoutShape = Type.Object({
  timed_out_until: Type.Optional(
    nullable(
      timestamp("When their time-out ends; null when they are in none, and left out for who may not know."),
    ),
  ),
});

export async function timeoutOf(
  guildId: string,
  { userId, timedOutUntil: until }: MemberFacts,
  { authority, now }: Pick<ReadContext, "authority" | "now">,
): Promise<{ readonly value: Static<typeof timeoutShape>; readonly sources: string[] }> {
  if (!(await seesTimeoutOf(userId, authority))) return { value: {}, sources: [] };
  if (until === null || until <= now()) return { value: { timed_out_until: null }, sources: [] };
  return {
    value: { timed_out_until: new Date(until).toISOString() },
    sources: [fromGuild(guildId, ModerateMembers)],
  };
}
