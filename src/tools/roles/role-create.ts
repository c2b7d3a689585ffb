import { PermissionFlagsBits } from "discord-api-types/v10";
import { Type } from "typebox";
import { permissionNames } from "../../permissions/names.ts";
import { reasonArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { permissionBits, permissionsArgument } from "../permissions/permission-words.ts";
import { excerpt } from "../question.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";
import {
  colorNumber,
  describeRole,
  roleColor,
  roleHoist,
  roleMentionable,
  roleName,
  roleShape,
} from "./describe.ts";

export const roleCreate = defineTool({
  name: "discord_role_create",
  title: "Create a role",
  description:
    "Makes a new role in this Discord server, below all others. It permits what is named and nothing else.",
  family: "roles",
  kind: "destroy",
  repeatable: false,
  input: Type.Object(
    {
      name: roleName,
      permissions: Type.Optional(
        permissionsArgument("What it permits in the server; nothing when left out."),
      ),
      color: Type.Optional(roleColor),
      hoist: Type.Optional(roleHoist),
      mentionable: Type.Optional(roleMentionable),
      reason: reasonArgument,
    },
    { additionalProperties: false },
  ),
  output: roleShape,
  targets: {
    guild: { kind: "guild", argument: null, absent: "error", needs: PermissionFlagsBits.ManageRoles },
  },
  async check({ permissions = [] }, _places, authority) {
    await authority.assertHoldsAll(permissionBits("permissions", permissions));
  },
  question({ name, permissions = [] }, { guild }) {
    const bits = permissionNames(permissionBits("permissions", permissions));
    const given =
      bits.length === 0 ? "without permissions of its own" : `with the permissions ${bits.join(", ")}`;
    return `Create the role ${excerpt(name, 100)} in ${guild.actor.place}, ${given}?`;
  },
  audience: (_input, { guild }) => inGuild(guild.facts.id),
  async run(input, { guild }, { change, reason, signal }) {
    const { name, permissions = [], color, hoist, mentionable } = input;
    const body = {
      name,
      // Left out, Discord would give it what @everyone has.
      permissions: String(permissionBits("permissions", permissions)),
      ...(color === undefined ? {} : { color: colorNumber(color) }),
      ...(hoist === undefined ? {} : { hoist }),
      ...(mentionable === undefined ? {} : { mentionable }),
    };
    const role = await change.createRole(guild.facts.id, body, { signal, reason: reason(input.reason) });
    return { value: describeRole(role), sources: [fromGuild(guild.facts.id)] };
  },
});
