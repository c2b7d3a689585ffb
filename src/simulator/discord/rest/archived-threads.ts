import { type APIThreadChannel, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { isThread } from "../permissions.ts";
import { compareIds } from "../snowflake.ts";
import type { SimulatedGuild } from "../world.ts";
import { reachChannel, requireInChannel } from "./access.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { wrongChannelType } from "./errors.ts";
import { Form } from "./form.ts";

const { ReadMessageHistory, ManageThreads } = PermissionFlagsBits;
const archivedPath = "/channels/:channelId/threads/archived";

export const archivedThreadRoutes: readonly Route[] = [
  { method: "GET", pattern: `${archivedPath}/public`, handle: (request) => list(request, false) },
  { method: "GET", pattern: `${archivedPath}/private`, handle: (request) => list(request, true) },
  {
    method: "GET",
    pattern: "/channels/:channelId/users/@me/threads/archived/private",
    handle: listJoined,
  },
];

function reach(request: RestRequest, permission: bigint) {
  const channel = reachChannel(request);
  const guild = request.world.guildOfChannel(channel.id);
  if (guild === null || isThread(channel)) throw wrongChannelType();
  requireInChannel(request, channel, permission);
  const archived = [...guild.threads.values()].filter(
    (thread) => thread.parent_id === channel.id && thread.thread_metadata?.archived === true,
  );
  return { guild, archived };
}

const archivedAt = (thread: APIThreadChannel): number =>
  Date.parse(thread.thread_metadata?.archive_timestamp ?? "");

/** https://discord.com/developers/docs/resources/channel#list-public-archived-threads */
function list(request: RestRequest, isPrivate: boolean): RestReply {
  const needed = isPrivate ? ReadMessageHistory | ManageThreads : ReadMessageHistory;
  const { guild, archived } = reach(request, needed);
  const form = Form.ofQuery(request.query);
  const before = form.time("before") ?? Number.POSITIVE_INFINITY;
  const limit = form.integer("limit", { min: 2, max: 100 }) ?? 50;
  form.check();
  const found = archived
    .filter((thread) => (thread.type === ChannelType.PrivateThread) === isPrivate)
    .filter((thread) => archivedAt(thread) < before)
    .sort((a, b) => archivedAt(b) - archivedAt(a));
  return page(request, guild, found, limit);
}

function listJoined(request: RestRequest): RestReply {
  const { guild, archived } = reach(request, ReadMessageHistory);
  const form = Form.ofQuery(request.query);
  const before = form.snowflake("before");
  const limit = form.integer("limit", { min: 2, max: 100 }) ?? 50;
  form.check();
  const found = archived
    .filter((thread) => thread.type === ChannelType.PrivateThread)
    .filter((thread) => guild.threadMembers.get(thread.id)?.has(request.world.botUser.id))
    .filter((thread) => before === null || compareIds(thread.id, before) < 0)
    .sort((a, b) => compareIds(b.id, a.id));
  return page(request, guild, found, limit);
}

function page(
  request: RestRequest,
  guild: SimulatedGuild,
  found: readonly APIThreadChannel[],
  limit: number,
): RestReply {
  const threads = found.slice(0, limit);
  const botId = request.world.botUser.id;
  const members = threads.flatMap((thread) => guild.threadMembers.get(thread.id)?.get(botId) ?? []);
  return ok({ threads, members, has_more: found.length > limit });
}
