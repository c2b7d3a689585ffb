import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, userArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { note } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { whom } from "./describe.ts";
import { assertNotSelf } from "./oneself.ts";

const { ModerateMembers } = PermissionFlagsBits;

export const memberTimeoutEnd = defineTool({
  name: "discord_member_timeout_end",
  title: "End a time-out",
  description: "Takes a member of this Discord server out of time-out before it is over.",
  family: "members",
  // It undoes what a moderator decided.
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    { user_id: userArgument("Whose time-out."), reason: reasonArgument },
    { additionalProperties: false },
  ),
  output: Type.Object({ user_id: Type.String(), timed_out_until: Type.Null(), note }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: ModerateMembers },
    member: { kind: "member", argument: "user_id", absent: "error", isBelow: true, needs: 0n },
  },
  check(_input, { member }, authority) {
    assertNotSelf(member.facts.userId, authority, "end their own time-out");
  },
  question: (_input, { member: { facts, name } }) => `End the time-out of ${whom(name, facts.userId)}?`,
  audience: (_input, { guild }) => inGuild(guild.facts.id),
  async run({ reason: why }, { guild, member }, { change, reason, now, signal }) {
    const { userId, timedOutUntil } = member.facts;
    const wasTimedOut = timedOutUntil !== null && timedOutUntil > now();
    if (wasTimedOut)
      await change.editMember(
        guild.facts.id,
        userId,
        { communication_disabled_until: null },
        { signal, reason: reason(why) },
      );
    const value = {
      user_id: userId,
      timed_out_until: null,
      ...(wasTimedOut ? {} : { note: "They were in no time-out." }),
    };
    return { value, sources: [fromGuild(guild.facts.id)] };
  },
});
