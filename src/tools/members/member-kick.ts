import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, userArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { whom } from "./describe.ts";
import { assertNotSelf } from "./oneself.ts";

export const memberKick = defineTool({
  name: "discord_member_kick",
  title: "Kick a member",
  description: "Removes a member from this Discord server; they can come back with an invitation.",
  family: "members",
  kind: "destroy",
  repeatable: false,
  input: Type.Object(
    { user_id: userArgument("Whom."), reason: reasonArgument },
    { additionalProperties: false },
  ),
  output: Type.Object({ kicked: Type.String({ description: "The user's id." }) }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: PermissionFlagsBits.KickMembers },
    member: { kind: "member", argument: "user_id", absent: "error", isBelow: true, needs: 0n },
  },
  check(_input, { member }, authority) {
    assertNotSelf(member.facts.userId, authority, "kick themselves");
  },
  question: (_input, { guild, member: { facts, name } }) =>
    `Kick ${whom(name, facts.userId)} from ${guild.actor.place}?`,
  audience: (_input, { guild }) => inGuild(guild.facts.id),
  async run({ reason: why }, { guild, member }, { change, reason, signal }) {
    const { userId } = member.facts;
    await change.kickMember(guild.facts.id, userId, { signal, reason: reason(why) });
    return { value: { kicked: userId }, sources: [fromGuild(guild.facts.id)] };
  },
});
