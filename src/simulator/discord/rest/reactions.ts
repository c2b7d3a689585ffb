import { type APIMessage, PermissionFlagsBits } from "discord-api-types/v10";
import { addReaction, type ReactionEmoji, reactorsOf, readEmoji, removeReaction } from "../reactions.ts";
import { compareIds } from "../snowflake.ts";
import { reachChannel, requireInChannel } from "./access.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { unknownEmoji, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";
import { reachMessage } from "./messages.ts";

const REACTION = "/channels/:channelId/messages/:messageId/reactions/:emoji";

export const reactionRoutes: readonly Route[] = [
  { method: "GET", pattern: REACTION, handle: list },
  { method: "PUT", pattern: `${REACTION}/@me`, handle: add },
  {
    method: "DELETE",
    pattern: `${REACTION}/@me`,
    handle: (request) => remove(request, request.world.botUser.id),
  },
  { method: "DELETE", pattern: `${REACTION}/:userId`, handle: removeOther },
];

function reach(request: RestRequest): { message: APIMessage; emoji: ReactionEmoji } {
  const message = reachMessage(request);
  const emoji = readEmoji(request.param("emoji"));
  if (emoji === null) throw unknownEmoji();
  return { message, emoji };
}

function list(request: RestRequest): RestReply {
  const { message, emoji } = reach(request);
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 100 }) ?? 25;
  const after = form.snowflake("after") ?? "0";
  form.check();
  const users = [...reactorsOf(request.world, message.id, emoji)].filter((id) => compareIds(id, after) > 0);
  return ok(
    users
      .sort(compareIds)
      .slice(0, limit)
      .map((id) => request.world.user(id)),
  );
}

function add(request: RestRequest): RestReply {
  const { message, emoji } = reach(request);
  // Joining a reaction that is there needs no permission of its own.
  if (reactorsOf(request.world, message.id, emoji).size === 0) {
    requireInChannel(request, reachChannel(request), PermissionFlagsBits.AddReactions);
  }
  addReaction(request.world, request.publish, message, request.world.botUser, request.param("emoji"));
  return noContent;
}

function removeOther(request: RestRequest): RestReply {
  requireInChannel(request, reachChannel(request), PermissionFlagsBits.ManageMessages);
  return remove(request, request.param("userId"));
}

function remove(request: RestRequest, userId: string): RestReply {
  const { message, emoji } = reach(request);
  const user = request.world.users.get(userId);
  if (user === undefined) throw unknownUser();
  removeReaction(request.world, request.publish, message, user, emoji);
  return noContent;
}
