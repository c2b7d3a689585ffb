import { AuditLogEvent, PermissionFlagsBits } from "discord-api-types/v10";
import { compareIds, snowflakeTime } from "../snowflake.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachGuild, requireInGuild } from "./access.ts";
import { audit, givenReason } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { unknownBan, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";
import { requireAboveMember } from "./hierarchy.ts";

const ban = "/guilds/:guildId/bans/:userId";
const weekSeconds = 604_800;

export const banRoutes: readonly Route[] = [
  { method: "GET", pattern: "/guilds/:guildId/bans", handle: list },
  { method: "GET", pattern: ban, handle: one },
  { method: "PUT", pattern: ban, handle: add },
  { method: "DELETE", pattern: ban, handle: remove },
];

function reach(request: RestRequest): SimulatedGuild {
  const guild = reachGuild(request);
  requireInGuild(request, guild, PermissionFlagsBits.BanMembers);
  return guild;
}

/** In order of user id; with `before`, those next to it: https://discord.com/developers/docs/resources/guild#get-guild-bans */
function list(request: RestRequest): RestReply {
  const { banned } = reach(request);
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 1000 }) ?? 1000;
  const before = form.snowflake("before");
  const after = form.snowflake("after") ?? "0";
  form.check();
  const ids = [...banned.keys()].sort(compareIds);
  const page =
    before === null
      ? ids.filter((id) => compareIds(id, after) > 0).slice(0, limit)
      : ids.filter((id) => compareIds(id, before) < 0).slice(-limit);
  return ok(page.map((id) => ({ user: request.world.user(id), reason: banned.get(id) ?? null })));
}

function one(request: RestRequest): RestReply {
  const { banned } = reach(request);
  const id = request.param("userId");
  if (!banned.has(id)) throw unknownBan();
  return ok({ user: request.world.user(id), reason: banned.get(id) ?? null });
}

/** Members or not; what the banned user wrote in the last seconds that are named goes too. */
function add(request: RestRequest): RestReply {
  const guild = reach(request);
  const id = request.param("userId");
  if (!request.world.users.has(id)) throw unknownUser();
  if (guild.members.has(id)) requireAboveMember(request, guild, id);
  const form = new Form(request.body);
  const seconds = form.integer("delete_message_seconds", { min: 0, max: weekSeconds }) ?? 0;
  form.check();
  if (guild.banned.has(id)) return noContent;
  request.changes.members.ban(guild.id, id, givenReason(request));
  deleteSince(request, guild, id, request.world.now() - seconds * 1000);
  audit(request, guild, AuditLogEvent.MemberBanAdd, id);
  return noContent;
}

function deleteSince(request: RestRequest, guild: SimulatedGuild, authorId: string, since: number): void {
  for (const channelId of [...guild.channels.keys(), ...guild.threads.keys()]) {
    const ids = request.world.messages
      .in(channelId)
      .filter((message) => message.author.id === authorId && snowflakeTime(message.id) > since)
      .map((message) => message.id);
    if (ids.length > 0) request.messaging.removeMany(channelId, ids);
  }
}

function remove(request: RestRequest): RestReply {
  const guild = reach(request);
  const id = request.param("userId");
  if (!guild.banned.has(id)) throw unknownBan();
  request.changes.members.unban(guild.id, id);
  audit(request, guild, AuditLogEvent.MemberBanRemove, id);
  return noContent;
}
