import { PermissionFlagsBits } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import { AppError } from "../../errors.ts";
import { permissionNames } from "../../permissions/names.ts";
import { reasonArgument, roleArgument } from "../argument-schemas.ts";
import { inGuild } from "../audiences.ts";
import { type Authority, denied, quoted } from "../authority.ts";
import { whom } from "../members/describe.ts";
import { permissionBits, permissionsArgument } from "../permissions/permission-words.ts";
import { excerpt } from "../question.ts";
import { fromGuild } from "../sources.ts";
import type { RolePlace } from "../targets.ts";
import { type ChangeContext, defineTool } from "../tool.ts";
import {
  colorNumber,
  describeRole,
  placeOf,
  roleColor,
  roleHoist,
  roleMentionable,
  roleName,
  rolePosition,
  roleShape,
} from "./describe.ts";
import { assertMayMove, moved } from "./move.ts";

const input = Type.Object(
  {
    role_id: roleArgument("Which role."),
    name: Type.Optional(roleName),
    color: Type.Optional(roleColor),
    hoist: Type.Optional(roleHoist),
    mentionable: Type.Optional(roleMentionable),
    add_permissions: Type.Optional(permissionsArgument("What it is to permit besides.")),
    remove_permissions: Type.Optional(permissionsArgument("What it is no longer to permit.")),
    position: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 250,
        description: "Its new place, 1 for the lowest, as discord_roles_list counts; in a call of its own.",
      }),
    ),
    reason: reasonArgument,
  },
  { additionalProperties: false },
);
type Input = Static<typeof input>;

export const roleEdit = defineTool({
  name: "discord_role_edit",
  title: "Change a role",
  description:
    "Changes a role of this Discord server: its name, colour, how it shows, what it permits; or its place among the roles.",
  family: "roles",
  kind: "destroy",
  repeatable: true,
  input,
  output: Type.Union([
    roleShape,
    Type.Object(
      { role_id: Type.String(), name: Type.String(), position: rolePosition },
      { description: "Of a role that was moved." },
    ),
  ]),
  targets: {
    role: {
      kind: "role",
      argument: "role_id",
      absent: "error",
      isBelow: true,
      needs: PermissionFlagsBits.ManageRoles,
    },
  },
  async check(given, { role }, authority) {
    const { role_id: _role, reason: _reason, position, ...rest } = given;
    const isEveryone = role.facts.id === role.guildId;
    const { add_permissions: _add, remove_permissions: _remove, ...looks } = rest;
    if (position === undefined && Object.keys(rest).length === 0)
      throw new AppError("invalid_arguments", "Say what is to change: a name, a colour, permissions, …");
    if (position !== undefined && Object.keys(rest).length > 0)
      throw new AppError("invalid_arguments", "Move the role in a call of its own, with position alone.", {
        data: { path: "position", problem: "excludes the other changes" },
      });
    if (isEveryone && (position !== undefined || Object.keys(looks).length > 0))
      throw new AppError("invalid_arguments", "Of @everyone Discord lets only the permissions be changed.");
    if (position !== undefined) await assertMayMove(role, position, authority);
    await assertMayPermit(given, role, authority);
  },
  question: (given, { role }) =>
    `Change the role ${whom(quoted(role.facts.name), role.facts.id)}: ${changesOf(given, role)}?`,
  audience: (_input, { role }) => inGuild(role.guildId),
  async run(given, { role }, context) {
    const value =
      given.position === undefined ? await edit(given, role, context) : await move(given, role, context);
    return { value, sources: [fromGuild(role.guildId)] };
  },
});

/** Nobody gives, by a role, what they do not have; and Discord's settings let them take nothing else away either. */
async function assertMayPermit(given: Input, { facts }: RolePlace, authority: Authority): Promise<void> {
  const { added, removed } = permissionsOf(given);
  const both = permissionNames(added & removed);
  if (both.length > 0)
    throw new AppError("invalid_arguments", `To be added and removed at once: ${both.join(", ")}.`);
  await authority.assertHoldsAll(added & ~facts.permissions);
  const { bits, who } = (await authority.inGuild()).actor;
  const foreign = permissionNames(removed & facts.permissions & ~bits);
  if (foreign.length > 0)
    throw denied(`${who} cannot take away what they do not have themselves: ${foreign.join(", ")}.`, foreign);
}

function permissionsOf({ add_permissions: add = [], remove_permissions: remove = [] }: Input) {
  return {
    added: permissionBits("add_permissions", add),
    removed: permissionBits("remove_permissions", remove),
  };
}

function changesOf(given: Input, { facts }: RolePlace): string {
  const { name, color, hoist, mentionable, position } = given;
  const { added, removed } = permissionsOf(given);
  const newly = permissionNames(added & ~facts.permissions);
  const gone = permissionNames(removed & facts.permissions);
  const parts = [
    name === undefined ? "" : `call it ${excerpt(name, 100)}`,
    color === undefined ? "" : `give it the colour ${color}`,
    hoist === undefined ? "" : hoist ? "show its members apart" : "no longer show its members apart",
    mentionable === undefined ? "" : mentionable ? "let anybody mention it" : "let not everybody mention it",
    newly.length === 0 ? "" : `let its members ${newly.join(", ")}`,
    gone.length === 0 ? "" : `no longer let its members ${gone.join(", ")}`,
    position === undefined ? "" : `move it to place ${position}, counted from the lowest`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "nothing" : parts.join("; ");
}

async function edit(given: Input, { guildId, facts }: RolePlace, { change, reason, signal }: ChangeContext) {
  const { name, color, hoist, mentionable } = given;
  const { added, removed } = permissionsOf(given);
  const permissions = (facts.permissions | added) & ~removed;
  const body = {
    ...(name === undefined ? {} : { name }),
    ...(color === undefined ? {} : { color: colorNumber(color) }),
    ...(hoist === undefined ? {} : { hoist }),
    ...(mentionable === undefined ? {} : { mentionable }),
    ...(permissions === facts.permissions ? {} : { permissions: String(permissions) }),
  };
  const role = await change.editRole(guildId, facts.id, body, { signal, reason: reason(given.reason) });
  return describeRole(role);
}

async function move(given: Input, role: RolePlace, { authority, change, reason, signal }: ChangeContext) {
  const { guildId, facts } = role;
  const { roles } = await authority.guild();
  const order = moved(role, given.position ?? 0, roles.values());
  const after =
    order.length === 0
      ? [...roles.values()]
      : await change.moveRoles(guildId, [...order], { signal, reason: reason(given.reason) });
  return { role_id: facts.id, name: facts.name, position: placeOf(facts.id, after, guildId) };
}
