import { type APIThreadMember, RESTJSONErrorCodes as Codes } from "discord-api-types/v10";
import { isThread } from "../permissions.ts";
import { compareIds } from "../snowflake.ts";
import { reachChannel } from "./access.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, unknownMember } from "./errors.ts";
import { Form } from "./form.ts";

const MEMBERS = "/channels/:channelId/thread-members";

export const threadRoutes: readonly Route[] = [
  { method: "GET", pattern: MEMBERS, handle: list },
  { method: "GET", pattern: `${MEMBERS}/:userId`, handle: one },
  { method: "PUT", pattern: `${MEMBERS}/@me`, handle: (request) => join(request, request.world.botUser.id) },
  {
    method: "PUT",
    pattern: `${MEMBERS}/:userId`,
    handle: (request) => join(request, request.param("userId")),
  },
  {
    method: "DELETE",
    pattern: `${MEMBERS}/@me`,
    handle: (request) => leave(request, request.world.botUser.id),
  },
  {
    method: "DELETE",
    pattern: `${MEMBERS}/:userId`,
    handle: (request) => leave(request, request.param("userId")),
  },
];

function reachThread(request: RestRequest): { id: string; members: ReadonlyMap<string, APIThreadMember> } {
  const channel = reachChannel(request);
  if (!isThread(channel))
    throw new DiscordError(
      400,
      Codes.CannotExecuteActionOnThisChannelType,
      "Cannot execute action on this channel type",
    );
  const members = request.world.guildOfChannel(channel.id)?.threadMembers.get(channel.id) ?? new Map();
  return { id: channel.id, members };
}

function present(request: RestRequest, member: APIThreadMember, withMember: boolean): object {
  const guildMember = request.world
    .guildOfChannel(request.param("channelId"))
    ?.members.get(member.user_id ?? "");
  return withMember && guildMember !== undefined ? { ...member, member: guildMember } : member;
}

function list(request: RestRequest): RestReply {
  const { members } = reachThread(request);
  const form = Form.ofQuery(request.query);
  const withMember = form.flag("with_member") ?? false;
  const limit = form.integer("limit", { min: 1, max: 100 }) ?? 100;
  const after = form.snowflake("after") ?? "0";
  form.check();
  const sorted = [...members.entries()]
    .sort(([a], [b]) => compareIds(a, b))
    .filter(([id]) => compareIds(id, after) > 0);
  return ok(sorted.slice(0, limit).map(([, member]) => present(request, member, withMember)));
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

function join(request: RestRequest, userId: string): RestReply {
  const { id, members } = reachThread(request);
  if (!request.world.guildOfChannel(id)?.members.has(userId)) throw unknownMember();
  if (!members.has(userId)) request.changes.channels.addThreadMember(id, userId);
  return noContent;
}

function leave(request: RestRequest, userId: string): RestReply {
  const { id } = reachThread(request);
  request.changes.channels.removeThreadMember(id, userId);
  return noContent;
}
