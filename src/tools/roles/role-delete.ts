import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { reasonArgument, roleArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { quoted } from "../authority.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import { assertNotEveryone } from "./everyone.ts";

export const roleDelete = defineTool({
  name: "discord_role_delete",
  title: "Delete a role",
  description: "Deletes a role of this Discord server for good, and takes it from all who have it.",
  family: "roles",
  kind: "destroy",
  repeatable: true,
  input: Type.Object(
    { role_id: roleArgument("Which role."), reason: reasonArgument },
    { additionalProperties: false },
  ),
  output: Type.Object({ deleted: Type.String({ description: "The role's id." }) }),
  targets: {
    role: {
      kind: "role",
      argument: "role_id",
      absent: "error",
      isBelow: true,
      needs: PermissionFlagsBits.ManageRoles,
    },
  },
  check: (_input, { role }) => assertNotEveryone(role, "deleted"),
  question: (_input, { role }) => `Delete the role ${quoted(role.facts.name)} (${role.facts.id})?`,
  audience: (_input, { role }) => inGuild(role.guildId),
  async run({ reason: why }, { role }, { change, reason, signal }) {
    await change.deleteRole(role.guildId, role.facts.id, { signal, reason: reason(why) });
    return { value: { deleted: role.facts.id }, sources: [fromGuild(role.guildId)] };
  },
});
