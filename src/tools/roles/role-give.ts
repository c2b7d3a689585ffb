import { Type } from "typebox";
import { inGuild } from "../audiences.ts";
import { quoted } from "../authority.ts";
import { whom } from "../members/describe.ts";
import { note } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { assertNotEveryone } from "./everyone.ts";
import { handingInput, handingTargets } from "./handing.ts";

export const roleGive = defineTool({
  name: "discord_role_give",
  title: "Give a role",
  description: "Gives a member of this Discord server a role.",
  family: "roles",
  kind: "destroy",
  repeatable: true,
  input: handingInput("Who gets it."),
  output: Type.Object({
    user_id: Type.String(),
    role_id: Type.String(),
    given: Type.Boolean({ description: "Whether they did not have it before." }),
    note,
  }),
  targets: handingTargets,
  check: (_input, { role }) => assertNotEveryone(role, "given"),
  question: (_input, { role, member }) =>
    `Give the role ${whom(quoted(role.facts.name), role.facts.id)} to ${whom(member.name, member.facts.userId)}?`,
  audience: (_input, { role }) => inGuild(role.guildId),
  async run({ reason: why }, { role, member }, { change, reason, signal }) {
    const { guildId, facts } = role;
    const { userId, roleIds } = member.facts;
    const isSo = roleIds.includes(facts.id) === true;
    if (!isSo) await change.giveRole(guildId, userId, facts.id, { signal, reason: reason(why) });
    const value = {
      user_id: userId,
      role_id: facts.id,
      given: !isSo,
      ...(isSo ? { note: "They had it already." } : {}),
    };
    return { value, sources: [fromGuild(guildId)] };
  },
});
