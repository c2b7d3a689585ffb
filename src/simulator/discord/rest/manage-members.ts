import { type APIGuildMember, AuditLogEvent, PermissionFlagsBits } from "discord-api-types/v10";
import type { MemberPatch } from "../member-changes.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachGuild, requireInGuild } from "./access.ts";
import { audit } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, unknownMember, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";
import { requireAboveMember, requireAboveRole } from "./hierarchy.ts";

const MEMBER = "/guilds/:guildId/members/:userId";
const BAN = "/guilds/:guildId/bans/:userId";
const {
  BanMembers,
  ChangeNickname,
  KickMembers,
  ManageNicknames,
  ManageRoles,
  ModerateMembers,
  MuteMembers,
  DeafenMembers,
} = PermissionFlagsBits;
/** The longest time-out: https://discord.com/developers/docs/resources/guild#modify-guild-member */
const TIMEOUT_MS = 28 * 24 * 3_600_000;

export const memberRoutes: readonly Route[] = [
  { method: "PATCH", pattern: MEMBER, handle: update },
  { method: "PATCH", pattern: "/guilds/:guildId/members/@me", handle: rename },
  { method: "DELETE", pattern: MEMBER, handle: kick },
  { method: "PUT", pattern: `${MEMBER}/roles/:roleId`, handle: (request) => changeRole(request, true) },
  { method: "DELETE", pattern: `${MEMBER}/roles/:roleId`, handle: (request) => changeRole(request, false) },
  { method: "GET", pattern: "/guilds/:guildId/bans", handle: bans },
  { method: "GET", pattern: BAN, handle: ban },
  { method: "PUT", pattern: BAN, handle: addBan },
  { method: "DELETE", pattern: BAN, handle: removeBan },
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
  if (form.has("communication_disabled_until")) requireInGuild(request, guild, ModerateMembers);
  if (form.has("mute")) requireInGuild(request, guild, MuteMembers);
  if (form.has("deaf")) requireInGuild(request, guild, DeafenMembers);
  if (userId !== request.world.botUser.id) requireAboveMember(request, guild, userId);
  if (patch.roleIds !== undefined) {
    requireInGuild(request, guild, ManageRoles);
    const before = new Set(member.roles);
    const after = new Set(patch.roleIds);
    for (const id of new Set([...before, ...after]))
      if (before.has(id) !== after.has(id)) requireAboveRole(request, guild, id);
  }
  const changed = request.changes.members.update(guild.id, userId, patch);
  audit(
    request,
    guild,
    patch.roleIds === undefined ? AuditLogEvent.MemberUpdate : AuditLogEvent.MemberRoleUpdate,
    userId,
  );
  return ok(changed);
}

function readPatch(request: RestRequest, form: Form): MemberPatch {
  const nick = form.text("nick", { max: 32 });
  const until = form.text("communication_disabled_until", { max: 40 });
  const time = until === null ? null : Date.parse(until);
  if (time !== null && (Number.isNaN(time) || time > request.world.now() + TIMEOUT_MS)) {
    form.fail(
      "communication_disabled_until",
      "INVALID_COMMUNICATION_DISABLED_TIMESTAMP",
      "A time-out lasts 28 days at most.",
    );
  }
  const roleIds = form.list("roles", 250)?.map(String);
  const mute = form.flag("mute");
  const deaf = form.flag("deaf");
  return {
    ...(form.has("nick") ? { nick: nick === "" ? null : nick } : {}),
    ...(form.has("communication_disabled_until") ? { timedOutUntil: time } : {}),
    ...(roleIds === undefined ? {} : { roleIds }),
    ...(mute === null ? {} : { mute }),
    ...(deaf === null ? {} : { deaf }),
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
  if (member.roles.includes(roleId) === isGiven) return noContent;
  if (isGiven) request.changes.members.addRole(guild.id, member.user.id, roleId);
  else request.changes.members.removeRole(guild.id, member.user.id, roleId);
  audit(request, guild, AuditLogEvent.MemberRoleUpdate, member.user.id);
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

function reachBans(request: RestRequest): SimulatedGuild {
  const guild = reachGuild(request);
  requireInGuild(request, guild, BanMembers);
  return guild;
}

function bans(request: RestRequest): RestReply {
  const { banned } = reachBans(request);
  return ok([...banned].map(([id, reason]) => ({ user: request.world.user(id), reason })));
}

function ban(request: RestRequest): RestReply {
  const { banned } = reachBans(request);
  const id = request.param("userId");
  if (!banned.has(id)) throw new DiscordError(404, 10_026, "Unknown Ban");
  return ok({ user: request.world.user(id), reason: banned.get(id) ?? null });
}

function addBan(request: RestRequest): RestReply {
  const guild = reachBans(request);
  const id = request.param("userId");
  if (!request.world.users.has(id)) throw unknownUser();
  if (guild.members.has(id)) requireAboveMember(request, guild, id);
  const form = new Form(request.body);
  form.integer("delete_message_seconds", { min: 0, max: 604_800 });
  form.check();
  const reason = request.headers.get("x-audit-log-reason");
  request.changes.members.ban(guild.id, id, reason === null ? null : decodeURIComponent(reason));
  audit(request, guild, AuditLogEvent.MemberBanAdd, id);
  return noContent;
}

function removeBan(request: RestRequest): RestReply {
  const guild = reachBans(request);
  const id = request.param("userId");
  if (!guild.banned.has(id)) throw new DiscordError(404, 10_026, "Unknown Ban");
  request.changes.members.unban(guild.id, id);
  audit(request, guild, AuditLogEvent.MemberBanRemove, id);
  return noContent;
}
