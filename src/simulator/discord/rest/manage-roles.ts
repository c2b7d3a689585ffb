import { type APIRole, AuditLogEvent, PermissionFlagsBits } from "discord-api-types/v10";
import { guildPermissions } from "../permissions.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachGuild, requireInGuild } from "./access.ts";
import { audit } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { missingPermissions } from "./errors.ts";
import { Form } from "./form.ts";
import { requireAboveRole } from "./hierarchy.ts";

const ROLE = "/guilds/:guildId/roles/:roleId";

export const roleRoutes: readonly Route[] = [
  { method: "POST", pattern: "/guilds/:guildId/roles", handle: create },
  { method: "PATCH", pattern: ROLE, handle: update },
  { method: "DELETE", pattern: ROLE, handle: remove },
];

function reach(request: RestRequest): SimulatedGuild {
  const guild = reachGuild(request);
  requireInGuild(request, guild, PermissionFlagsBits.ManageRoles);
  return guild;
}

/** Nobody gives what they do not have. */
function readRole(request: RestRequest, guild: SimulatedGuild) {
  const form = new Form(request.body);
  const name = form.text("name", { max: 100, min: 1 });
  const bits = form.text("permissions", { max: 20 });
  const color = form.integer("color", { min: 0, max: 0xffffff });
  const hoist = form.flag("hoist");
  const mentionable = form.flag("mentionable");
  if (bits !== null && !/^\d+$/.test(bits))
    form.fail("permissions", "NUMBER_TYPE_COERCE", `Value "${bits}" is not int.`);
  form.check();
  const permissions = bits === null ? null : BigInt(bits);
  const held = guildPermissions(request.world, guild, request.world.botUser.id);
  if (permissions !== null && (permissions & ~held) !== 0n) throw missingPermissions();
  return { name, permissions, color, hoist, mentionable };
}

function create(request: RestRequest): RestReply {
  const guild = reach(request);
  const { name, permissions, color, hoist, mentionable } = readRole(request, guild);
  const role = request.changes.guilds.addRole(guild.id, {
    name: name ?? "new role",
    permissions: permissions ?? BigInt(guild.roles.get(guild.id)?.permissions ?? "0"),
    color: color ?? 0,
    hoist: hoist ?? false,
    mentionable: mentionable ?? false,
  });
  audit(request, guild, AuditLogEvent.RoleCreate, role.id);
  return ok(role);
}

function update(request: RestRequest): RestReply {
  const guild = reach(request);
  const roleId = request.param("roleId");
  if (roleId !== guild.id) requireAboveRole(request, guild, roleId);
  const { name, permissions, color, hoist, mentionable } = readRole(request, guild);
  const patch: Partial<APIRole> = {
    ...(name === null ? {} : { name }),
    ...(permissions === null ? {} : { permissions: String(permissions) }),
    ...(color === null
      ? {}
      : { color, colors: { primary_color: color, secondary_color: null, tertiary_color: null } }),
    ...(hoist === null ? {} : { hoist }),
    ...(mentionable === null ? {} : { mentionable }),
  };
  audit(request, guild, AuditLogEvent.RoleUpdate, roleId);
  return ok(request.changes.guilds.updateRole(guild.id, roleId, patch));
}

function remove(request: RestRequest): RestReply {
  const guild = reach(request);
  const roleId = request.param("roleId");
  requireAboveRole(request, guild, roleId);
  request.changes.guilds.removeRole(guild.id, roleId);
  audit(request, guild, AuditLogEvent.RoleDelete, roleId);
  return noContent;
}
