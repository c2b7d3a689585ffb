import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, snowflake } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { whom } from "./describe.ts";

const { BanMembers } = PermissionFlagsBits;

export const memberUnban = defineTool({
  name: "discord_member_unban",
  title: "Lift a ban",
  description: "Lifts the ban of a user from this Discord server, so that they can join again.",
  family: "members",
  // It undoes what a moderator decided.
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    { user_id: snowflake("Whose ban: their id, as discord_bans_list gives it."), reason: reasonArgument },
    { additionalProperties: false },
  ),
  output: Type.Object({ unbanned: Type.String({ description: "The user's id." }) }),
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: BanMembers },
    user: { kind: "user", argument: "user_id", absent: "error", needs: 0n },
  },
  question: (_input, { guild, user: { user, name } }) =>
    `Lift the ban of ${whom(name, user.id)} from ${guild.actor.place}?`,
  audience: (_input, { guild }) => inGuild(guild.facts.id),
  async run({ reason: why }, { guild, user: { user } }, { change, reason, signal }) {
    await change.unbanUser(guild.facts.id, user.id, { signal, reason: reason(why) });
    return { value: { unbanned: user.id }, sources: [fromGuild(guild.facts.id)] };
  },
});
