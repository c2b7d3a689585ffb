import {
  type APIThreadChannel,
  type APIThreadMember,
  ChannelType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { isThread, sendPermission } from "../permissions.ts";
import { compareIds } from "../snowflake.ts";
import type { AnyChannel } from "../world.ts";
import { botPermissions, reachChannel, requireInChannel } from "./access.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import {
  archivedThread,
  missingAccess,
  missingPermissions,
  unknownChannel,
  unknownMember,
} from "./errors.ts";
import { Form } from "./form.ts";

const membersPath = "/channels/:channelId/thread-members";
const { ManageThreads } = PermissionFlagsBits;

export const threadRoutes: readonly Route[] = [
  { method: "GET", pattern: membersPath, handle: list },
  { method: "GET", pattern: `${membersPath}/:userId`, handle: one },
  { method: "PUT", pattern: `${membersPath}/@me`, handle: joinSelf },
  { method: "PUT", pattern: `${membersPath}/:userId`, handle: addOther },
  { method: "DELETE", pattern: `${membersPath}/@me`, handle: leave },
  { method: "DELETE", pattern: `${membersPath}/:userId`, handle: removeOther },
];

/** After how long a thread may be archived by itself. */
export const archiveMinutes: readonly number[] = [60, 1440, 4320, 10_080];

/** Most of an archived thread stays as it is until it is opened again. */
export function refuseArchived(channel: AnyChannel): void {
  if (isThread(channel) && channel.thread_metadata?.archived) throw archivedThread();
}

type Members = ReadonlyMap<string, APIThreadMember>;

/** A channel that is no thread has no members of its own: to Discord it is an unknown one here. */
function reachThread(request: RestRequest): { thread: APIThreadChannel; members: Members } {
  const thread = reachChannel(request);
  if (!isThread(thread)) throw unknownChannel();
  const members: Members =
    request.world.guildOfChannel(thread.id)?.threadMembers.get(thread.id) ??
    new Map<string, APIThreadMember>();
  return { thread, members };
}

function present(request: RestRequest, member: APIThreadMember, withMember: boolean): object {
  const guildMember = request.world
    .guildOfChannel(request.param("channelId"))
    ?.members.get(member.user_id ?? "");
  return withMember && guildMember !== undefined ? { ...member, member: guildMember } : member;
}

/** In pages only with `with_member`: https://discord.com/developers/docs/resources/channel#list-thread-members */
function list(request: RestRequest): RestReply {
  const { members } = reachThread(request);
  if (!request.allowedIntents.members) throw missingAccess();
  const form = Form.ofQuery(request.query);
  const withMember = form.flag("with_member") ?? false;
  const limit = form.integer("limit", { min: 1, max: 100 }) ?? 100;
  const after = form.snowflake("after") ?? "0";
  form.check();
  const sorted = [...members.entries()].sort(([a], [b]) => compareIds(a, b));
  const page = withMember ? sorted.filter(([id]) => compareIds(id, after) > 0).slice(0, limit) : sorted;
  return ok(page.map(([, member]) => present(request, member, withMember)));
}

function one(request: RestRequest): RestReply {
  const { members } = reachThread(request);
  const form = Form.ofQuery(request.query);
  const withMember = form.flag("with_member") ?? false;
  form.check();
  const id = request.param("userId");
  const member = members.get(id === "@me" ? request.world.botUser.id : id);
  if (member === undefined) throw unknownMember();
  return ok(present(request, member, withMember));
}

function joinSelf(request: RestRequest): RestReply {
  const { thread } = reachThread(request);
  refuseArchived(thread);
  return join(request, request.world.botUser.id);
}

/** Whoever may write in a thread brings others in; into a private one that is not open to that, only its managers do. */
function addOther(request: RestRequest): RestReply {
  const { thread } = reachThread(request);
  requireInChannel(request, thread, sendPermission(thread));
  refuseArchived(thread);
  const isManager = (botPermissions(request, thread) & ManageThreads) !== 0n;
  const isOwner = thread.owner_id === request.world.botUser.id;
  const isClosed = thread.type === ChannelType.PrivateThread && thread.thread_metadata?.invitable === false;
  if (isClosed && !isManager && !isOwner) throw missingPermissions();
  return join(request, request.param("userId"));
}

function join(request: RestRequest, userId: string): RestReply {
  const { thread, members } = reachThread(request);
  if (!request.world.guildOfChannel(thread.id)?.members.has(userId)) throw unknownMember();
  if (!members.has(userId)) request.changes.channels.addThreadMember(thread.id, userId);
  return noContent;
}

function leave(request: RestRequest): RestReply {
  const { thread } = reachThread(request);
  refuseArchived(thread);
  request.changes.channels.removeThreadMember(thread.id, request.world.botUser.id);
  return noContent;
}

function removeOther(request: RestRequest): RestReply {
  const { thread } = reachThread(request);
  const isOwner = thread.owner_id === request.world.botUser.id;
  const mayAsOwner = isOwner && thread.type === ChannelType.PrivateThread;
  if (!mayAsOwner) requireInChannel(request, thread, ManageThreads);
  refuseArchived(thread);
  request.changes.channels.removeThreadMember(thread.id, request.param("userId"));
  return noContent;
}
