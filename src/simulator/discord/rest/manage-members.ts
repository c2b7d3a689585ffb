import { type APIGuildMember, AuditLogEvent, PermissionFlagsBits } from "discord-api-types/v10";
import type { MemberPatch } from "../member-changes.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachGuild, requireInGuild } from "./access.ts";
import { audit, changesOf } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, unknownMember, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";
import { refuseAdministrator, requireAboveMember, requireAboveRole } from "./hierarchy.ts";

const memberPath = "/guilds/:guildId/members/:userId";
const {
  ChangeNickname,
  KickMembers,
  ManageNicknames,
  ManageRoles,
  ModerateMembers,
  MuteMembers,
  DeafenMembers,
} = PermissionFlagsBits;
/** The longest time-out: https://discord.com/developers/docs/resources/guild#modify-guild-member */
const timeoutMs = 28 * 24 * 3_600_000;

export const memberRoutes: readonly Route[] = [
  { method: "PATCH", pattern: memberPath, handle: update },
  { method: "PATCH", pattern: "/guilds/:guildId/members/@me", handle: rename },
  { method: "DELETE", pattern: memberPath, handle: kick },
  { method: "PUT", pattern: `${memberPath}/roles/:roleId`, handle: (request) => changeRole(request, true) },
  {
    method: "DELETE",
    pattern: `${memberPath}/roles/:roleId`,
    handle: (request) => changeRole(request, false),
  },
];

function reachMember(request: RestRequest): { guild: SimulatedGuild; member: APIGuildMember } {
  const guild = reachGuild(request);
  const member = guild.members.get(request.param("userId"));
  if (member === undefined)
    throw request.world.users.has(request.param("userId")) ? unknownMember() : unknownUser();
  return { guild, member };
}

function update(request: RestRequest): RestReply {
  const { guild, member } = reachMember(request);
  const userId = member.user.id;
  const form = new Form(request.body);
  const patch = readPatch(request, form);
  form.check();
  if (form.has("nick")) requireInGuild(request, guild, ManageNicknames);
  if (form.has("communication_disabled_until")) {
    requireInGuild(request, guild, ModerateMembers);
    refuseAdministrator(request, guild, userId);
  }
  // Nobody of this world is in a voice channel.
  if (form.has("mute") || form.has("deaf")) {
    if (form.has("mute")) requireInGuild(request, guild, MuteMembers);
    if (form.has("deaf")) requireInGuild(request, guild, DeafenMembers);
    throw new DiscordError(400, 40_032, "Target user is not connected to voice.");
  }
  if (userId !== request.world.botUser.id) requireAboveMember(request, guild, userId);
  if (patch.roleIds !== undefined) {
    requireInGuild(request, guild, ManageRoles);
    const before = new Set(member.roles);
    const after = new Set(patch.roleIds);
    for (const id of new Set([...before, ...after]))
      if (before.has(id) !== after.has(id)) requireAboveRole(request, guild, id);
  }
  const before = { ...member };
  const changed = request.changes.members.update(guild.id, userId, patch);
  auditMember(request, guild, before, changed);
  return ok(changed);
}

/** What changed of the roles is an entry of its own. */
function auditMember(
  request: RestRequest,
  guild: SimulatedGuild,
  before: APIGuildMember,
  after: APIGuildMember,
): void {
  const { nick, communication_disabled_until } = after;
  const changes = changesOf(before, { nick, communication_disabled_until });
  const { id } = after.user;
  if (changes.changes !== undefined) audit(request, guild, AuditLogEvent.MemberUpdate, id, changes);
  auditRoles(request, guild, id, before.roles, after.roles);
}

function auditRoles(
  request: RestRequest,
  guild: SimulatedGuild,
  userId: string,
  before: readonly string[],
  after: readonly string[],
): void {
  const partial = (ids: string[]) => ids.map((id) => ({ id, name: guild.roles.get(id)?.name ?? "" }));
  const given = partial(after.filter((id) => !before.includes(id)));
  const taken = partial(before.filter((id) => !after.includes(id)));
  if (given.length + taken.length === 0) return;
  const changes = [
    ...(given.length === 0 ? [] : [{ key: "$add" as const, new_value: given }]),
    ...(taken.length === 0 ? [] : [{ key: "$remove" as const, new_value: taken }]),
  ];
  audit(request, guild, AuditLogEvent.MemberRoleUpdate, userId, { changes });
}

function readPatch(request: RestRequest, form: Form): MemberPatch {
  const nick = form.text("nick", { max: 32 });
  const until = form.text("communication_disabled_until", { max: 40 });
  const time = until === null ? null : Date.parse(until);
  if (time !== null && (Number.isNaN(time) || time > request.world.now() + timeoutMs)) {
    form.fail(
      "communication_disabled_until",
      "INVALID_COMMUNICATION_DISABLED_TIMESTAMP",
      "A time-out lasts 28 days at most.",
    );
  }
  const roleIds = form.list("roles", 250)?.map(String);
  form.flag("mute");
  form.flag("deaf");
  return {
    ...(form.has("nick") ? { nick: nick === "" ? null : nick } : {}),
    ...(form.has("communication_disabled_until") ? { timedOutUntil: time } : {}),
    ...(roleIds === undefined ? {} : { roleIds }),
  };
}

function rename(request: RestRequest): RestReply {
  const guild = reachGuild(request);
  requireInGuild(request, guild, ChangeNickname);
  const form = new Form(request.body);
  const nick = form.text("nick", { max: 32 });
  form.check();
  return ok(
    request.changes.members.update(guild.id, request.world.botUser.id, { nick: nick === "" ? null : nick }),
  );
}

function changeRole(request: RestRequest, isGiven: boolean): RestReply {
  const { guild, member } = reachMember(request);
  const roleId = request.param("roleId");
  requireInGuild(request, guild, ManageRoles);
  requireAboveRole(request, guild, roleId);
  const before = member.roles;
  if (before.includes(roleId) === isGiven) return noContent;
  if (isGiven) request.changes.members.addRole(guild.id, member.user.id, roleId);
  else request.changes.members.removeRole(guild.id, member.user.id, roleId);
  const after = guild.members.get(member.user.id)?.roles ?? [];
  auditRoles(request, guild, member.user.id, before, after);
  return noContent;
}

function kick(request: RestRequest): RestReply {
  const { guild, member } = reachMember(request);
  requireInGuild(request, guild, KickMembers);
  requireAboveMember(request, guild, member.user.id);
  request.changes.members.remove(guild.id, member.user.id);
  audit(request, guild, AuditLogEvent.MemberKick, member.user.id);
  return noContent;
}
