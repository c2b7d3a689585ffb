import { Type } from "typebox";
import { inGuild } from "../audiences.ts";
import { quoted } from "../authority.ts";
import { whom } from "../members/describe.ts";
import { note } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { assertNotEveryone } from "./everyone.ts";
import { handingInput, handingTargets } from "./handing.ts";

export const roleTake = defineTool({
  name: "discord_role_take",
  title: "Take a role",
  description: "Takes a role from a member of this Discord server.",
  family: "roles",
  kind: "destroy",
  repeatable: true,
  input: handingInput("From whom."),
  output: Type.Object({
    user_id: Type.String(),
    role_id: Type.String(),
    taken: Type.Boolean({ description: "Whether they had it before." }),
    note,
  }),
  targets: handingTargets,
  check: (_input, { role }) => assertNotEveryone(role, "taken"),
  question: (_input, { role, member }) =>
    `Take the role ${whom(quoted(role.facts.name), role.facts.id)} from ${whom(member.name, member.facts.userId)}?`,
  audience: (_input, { role }) => inGuild(role.guildId),
  async run({ reason: why }, { role, member }, { change, reason, signal }) {
    const { guildId, facts } = role;
    const { userId, roleIds } = member.facts;
    const isSo = roleIds.includes(facts.id) === false;
    if (!isSo) await change.takeRole(guildId, userId, facts.id, { signal, reason: reason(why) });
    const value = {
      user_id: userId,
      role_id: facts.id,
      taken: !isSo,
      ...(isSo ? { note: "They did not have it." } : {}),
    };
    return { value, sources: [fromGuild(guildId)] };
  },
});
