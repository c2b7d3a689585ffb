import {
  type APIMessage,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
  ReactionType,
} from "discord-api-types/v10";
import { addReaction, type ReactionEmoji, reactorsOf, readEmoji, removeReaction } from "../reactions.ts";
import { compareIds } from "../snowflake.ts";
import { reachChannel, requireInChannel } from "./access.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { tooMany, unknownEmoji, unknownUser } from "./errors.ts";
import { Form } from "./form.ts";
import { reachMessage } from "./messages.ts";
import { refuseArchived } from "./threads.ts";

const reactionsBound = 20;
const reactionPath = "/channels/:channelId/messages/:messageId/reactions/:emoji";

export const reactionRoutes: readonly Route[] = [
  { method: "GET", pattern: reactionPath, handle: list },
  { method: "PUT", pattern: `${reactionPath}/@me`, handle: add },
  {
    method: "DELETE",
    pattern: `${reactionPath}/@me`,
    handle: (request) => remove(request, request.world.botUser.id),
  },
  { method: "DELETE", pattern: `${reactionPath}/:userId`, handle: removeOther },
];

function reach(request: RestRequest): { message: APIMessage; emoji: ReactionEmoji } {
  const message = reachMessage(request);
  const emoji = readEmoji(request.param("emoji"));
  if (emoji === null || (emoji.id !== null && !isThere(request, message, emoji.id))) throw unknownEmoji();
  return { message, emoji };
}

/** A custom emoji of a server that the bot is in, or one with which somebody else has reacted. */
function isThere(request: RestRequest, message: APIMessage, emojiId: string): boolean {
  const guilds = [...request.world.guilds.values()].filter((guild) => guild.hasBot);
  return (
    guilds.some((guild) => guild.emojis.has(emojiId)) ||
    (message.reactions ?? []).some((one) => one.emoji.id === emojiId)
  );
}

function list(request: RestRequest): RestReply {
  const { message, emoji } = reach(request);
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 100 }) ?? 25;
  const after = form.snowflake("after") ?? "0";
  const type = form.choice("type", [ReactionType.Normal, ReactionType.Super]) ?? ReactionType.Normal;
  form.check();
  if (type === ReactionType.Super) return ok([]);
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
  refuseArchived(reachChannel(request));
  // Joining a reaction that is there needs no permission of its own.
  if (reactorsOf(request.world, message.id, emoji).size === 0) {
    requireInChannel(request, reachChannel(request), PermissionFlagsBits.AddReactions);
    if ((message.reactions ?? []).length >= reactionsBound)
      throw tooMany(Codes.MaximumNumberOfReactionsReached, "reactions", reactionsBound);
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
