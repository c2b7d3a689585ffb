import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { basePermissions } from "../../permissions/compute.ts";
import { reasonArgument, time, userArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { denied } from "../authority.ts";
import { timestamp } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { whom } from "./describe.ts";
import { assertNotSelf } from "./oneself.ts";

const { Administrator, ModerateMembers } = PermissionFlagsBits;
/** https://docs.discord.com/developers/resources/guild#modify-guild-member */
const mostMinutes = 28 * 24 * 60;

export const memberTimeout = defineTool({
  name: "discord_member_timeout",
  title: "Time a member out",
  description:
    "Puts a member of this Discord server in time-out: until it ends they can read, but not write, react or speak. Give either minutes or until.",
  family: "members",
  kind: "destroy",
  repeatable: false,
  input: Type.Object(
    {
      user_id: userArgument("Whom."),
      minutes: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: mostMinutes,
          description: `For how many minutes; at most ${mostMinutes}, which are 28 days.`,
        }),
      ),
      until: Type.Optional(time("Until when, at most 28 days from now, such as 2026-05-01T18:30:00Z.")),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ user_id: Type.String(), timed_out_until: timestamp("When it ends.") }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: ModerateMembers },
    member: { kind: "member", argument: "user_id", absent: "error", isBelow: true, needs: 0n },
  },
  check(input, { guild, member }, authority, { now }) {
    assertNotSelf(member.facts.userId, authority, "put themselves in time-out");
    if (basePermissions(guild.facts, member.facts) & Administrator)
      throw denied(`${member.name} is an administrator, whom Discord lets nobody put in time-out.`);
    endOf(input, now());
  },
  question({ minutes, until }, { member: { facts, name } }) {
    const length = minutes === undefined ? `until ${until}` : `for ${minutes} minutes`;
    return `Put ${whom(name, facts.userId)} in time-out ${length}?`;
  },
  audience: (_input, { guild }) => inGuild(guild.facts.id),
  async run(input, { guild, member }, { change, reason, now, signal }) {
    const until = new Date(endOf(input, now())).toISOString();
    const { userId } = member.facts;
    await change.editMember(
      guild.facts.id,
      userId,
      { communication_disabled_until: until },
      { signal, reason: reason(input.reason) },
    );
    return {
      value: { user_id: userId, timed_out_until: until },
      sources: [fromGuild(guild.facts.id)],
    };
  },
});

/** In milliseconds since 1970. Throws AppError `invalid_arguments`. */
function endOf(
  { minutes, until }: { readonly minutes?: number; readonly until?: string },
  now: number,
): number {
  if ((minutes === undefined) === (until === undefined))
    throw new AppError("invalid_arguments", "Give either minutes or until.", {
      data: { path: "minutes", problem: "is needed when until is missing, and excludes it" },
    });
  if (minutes !== undefined) return now + minutes * 60_000;
  const text = until ?? "";
  const isZoned = !text.includes("T") || /(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const end = Date.parse(isZoned ? text : `${text}Z`);
  const problem = Number.isNaN(end)
    ? "is no time that exists"
    : end <= now
      ? "is already over"
      : end > now + mostMinutes * 60_000
        ? "is more than 28 days away, which is the longest that Discord allows"
        : null;
  if (problem !== null)
    throw new AppError("invalid_arguments", `until ${problem}.`, { data: { path: "until", problem } });
  return end;
}
