import {
  type APIRole,
  AuditLogEvent,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { guildPermissions } from "../permissions.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachGuild, requireInGuild } from "./access.ts";
import { audit, changesOf } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { invalidForm, missingPermissions, tooMany } from "./errors.ts";
import { Form } from "./form.ts";
import { compareRoles, requireAboveRole, requireRoleBelow } from "./hierarchy.ts";

const rolePath = "/guilds/:guildId/roles/:roleId";
const rolesBound = 250;

export const roleRoutes: readonly Route[] = [
  { method: "POST", pattern: "/guilds/:guildId/roles", handle: create },
  { method: "PATCH", pattern: "/guilds/:guildId/roles", handle: move },
  { method: "PATCH", pattern: rolePath, handle: update },
  { method: "DELETE", pattern: rolePath, handle: remove },
];

function reach(request: RestRequest): SimulatedGuild {
  const guild = reachGuild(request);
  requireInGuild(request, guild, PermissionFlagsBits.ManageRoles);
  return guild;
}

/** Nobody adds what they do not have themselves. */
function readRole(request: RestRequest, guild: SimulatedGuild, before: bigint) {
  const form = new Form(request.body);
  const name = form.text("name", { max: 100, min: 1 });
  const permissions = form.bits("permissions");
  const color = form.integer("color", { min: 0, max: 0xffffff });
  const hoist = form.flag("hoist");
  const mentionable = form.flag("mentionable");
  form.check();
  const held = guildPermissions(request.world, guild, request.world.botUser.id);
  if (permissions !== null && (permissions & ~before & ~held) !== 0n) throw missingPermissions();
  return { name, permissions, color, hoist, mentionable };
}

function create(request: RestRequest): RestReply {
  const guild = reach(request);
  if (guild.roles.size >= rolesBound)
    throw tooMany(Codes.MaximumNumberOfGuildRolesReached, "guild roles", rolesBound);
  const everyone = BigInt(guild.roles.get(guild.id)?.permissions ?? "0");
  const { name, permissions, color, hoist, mentionable } = readRole(request, guild, everyone);
  const role = request.changes.guilds.addRole(guild.id, {
    name: name ?? "new role",
    permissions: permissions ?? everyone,
    color: color ?? 0,
    hoist: hoist ?? false,
    mentionable: mentionable ?? false,
  });
  const { name: made, permissions: granted } = role;
  audit(
    request,
    guild,
    AuditLogEvent.RoleCreate,
    role.id,
    changesOf({}, { name: made, permissions: granted }),
  );
  return ok(role);
}

function update(request: RestRequest): RestReply {
  const guild = reach(request);
  const roleId = request.param("roleId");
  const role = requireRoleBelow(request, guild, roleId);
  const before = BigInt(role.permissions);
  const { name, permissions, color, hoist, mentionable } = readRole(request, guild, before);
  const patch: Partial<APIRole> = {
    ...(name === null ? {} : { name }),
    ...(permissions === null ? {} : { permissions: String(permissions) }),
    ...(color === null
      ? {}
      : { color, colors: { primary_color: color, secondary_color: null, tertiary_color: null } }),
    ...(hoist === null ? {} : { hoist }),
    ...(mentionable === null ? {} : { mentionable }),
  };
  const { colors: _colors, ...plain } = patch;
  audit(request, guild, AuditLogEvent.RoleUpdate, roleId, changesOf(role, plain));
  return ok(request.changes.guilds.updateRole(guild.id, roleId, patch));
}

function remove(request: RestRequest): RestReply {
  const guild = reach(request);
  const roleId = request.param("roleId");
  requireAboveRole(request, guild, roleId);
  const changes = [{ key: "name" as const, old_value: guild.roles.get(roleId)?.name ?? "" }];
  request.changes.guilds.removeRole(guild.id, roleId);
  audit(request, guild, AuditLogEvent.RoleDelete, roleId, { changes });
  return noContent;
}

/** Below the bot's own, and to below it: https://discord.com/developers/docs/resources/guild#modify-guild-role-positions */
function move(request: RestRequest): RestReply {
  const guild = reach(request);
  if (!Array.isArray(request.body) || request.body.length > rolesBound) {
    const wrong = { code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType" };
    throw invalidForm({ _form: { _errors: [wrong] } });
  }
  const botTop = Math.max(
    0,
    ...(guild.members.get(request.world.botUser.id)?.roles ?? []).map(
      (id) => guild.roles.get(id)?.position ?? 0,
    ),
  );
  const moves = request.body.flatMap((entry: unknown) => {
    const form = new Form(entry);
    const id = form.required("id", form.snowflake("id"));
    const position = form.integer("position", { min: 0, max: rolesBound });
    form.check();
    requireRoleBelow(request, guild, id);
    if (id === guild.id) throw missingPermissions();
    if (position !== null && position >= botTop) throw missingPermissions();
    return position === null ? [] : [{ id, position }];
  });
  for (const { id, position } of moves.sort((a, b) => a.position - b.position)) {
    const before = guild.roles.get(id)?.position;
    place(request, guild, id, position);
    audit(request, guild, AuditLogEvent.RoleUpdate, id, changesOf({ position: before }, { position }));
  }
  return ok([...guild.roles.values()]);
}

/** The others move up or down to make room, so that no two have one place. */
function place(request: RestRequest, guild: SimulatedGuild, roleId: string, position: number): void {
  const others = [...guild.roles.values()]
    .filter((role) => role.id !== roleId && role.id !== guild.id)
    .sort(compareRoles)
    .map((role) => role.id);
  const order = [guild.id, ...others.toSpliced(Math.max(0, position - 1), 0, roleId)];
  order.forEach((id, at) => {
    if (guild.roles.get(id)?.position !== at)
      request.changes.guilds.updateRole(guild.id, id, { position: at });
  });
}
