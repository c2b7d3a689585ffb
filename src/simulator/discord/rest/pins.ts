import {
  type APIMessage,
  AuditLogEvent,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import type { AnyChannel } from "../world.ts";
import { botPermissions, reachChannel, requireInChannel } from "./access.ts";
import { audit } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { tooMany, unknownMessage } from "./errors.ts";
import { Form } from "./form.ts";
import { seen } from "./messages.ts";
import { refuseArchived } from "./threads.ts";

const pinPath = "/channels/:channelId/messages/pins/:messageId";
/** The older form, which Discord still answers and which clients still use. */
const oldPin = "/channels/:channelId/pins/:messageId";
const pinsBound = 250;
const pageSize = 50;

export const pinRoutes: readonly Route[] = [
  { method: "GET", pattern: "/channels/:channelId/messages/pins", handle: list },
  { method: "PUT", pattern: pinPath, handle: (request) => pin(request, true) },
  { method: "DELETE", pattern: pinPath, handle: (request) => pin(request, false) },
  { method: "GET", pattern: "/channels/:channelId/pins", handle: listFirst },
  { method: "PUT", pattern: oldPin, handle: (request) => pin(request, true) },
  { method: "DELETE", pattern: oldPin, handle: (request) => pin(request, false) },
];

interface Pinned {
  readonly pinned_at: string;
  readonly message: APIMessage;
}

/** The latest pin first; none without READ_MESSAGE_HISTORY. */
function pinned(request: RestRequest, channel: AnyChannel): Pinned[] {
  if (!(botPermissions(request, channel) & PermissionFlagsBits.ReadMessageHistory)) return [];
  return request.world.messages
    .in(channel.id)
    .flatMap((message) => {
      const pinned_at = request.world.pinnedAt.get(message.id);
      return pinned_at === undefined ? [] : [{ pinned_at, message: seen(request, message) }];
    })
    .sort((a, b) => Date.parse(b.pinned_at) - Date.parse(a.pinned_at));
}

/** https://discord.com/developers/docs/resources/message#get-channel-pins */
function list(request: RestRequest): RestReply {
  const channel = reachChannel(request);
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: pageSize }) ?? pageSize;
  const before = form.time("before") ?? Number.POSITIVE_INFINITY;
  form.check();
  const older = pinned(request, channel).filter(({ pinned_at }) => Date.parse(pinned_at) < before);
  return ok({ items: older.slice(0, limit), has_more: older.length > limit });
}

function listFirst(request: RestRequest): RestReply {
  const found = pinned(request, reachChannel(request));
  return ok(found.slice(0, pageSize).map(({ message }) => message));
}

function pin(request: RestRequest, isPinned: boolean): RestReply {
  const channel = reachChannel(request);
  requireInChannel(request, channel, PermissionFlagsBits.PinMessages);
  refuseArchived(channel);
  const { world } = request;
  const message = world.messages.get(request.param("messageId"));
  if (message === null || message.channel_id !== channel.id) throw unknownMessage();
  if (message.pinned === isPinned) return noContent;
  const held = world.messages.in(channel.id).filter((one) => one.pinned).length;
  if (isPinned && held >= pinsBound)
    throw tooMany(Codes.MaximumNumberOfPinsReachedForTheChannel, "pins", pinsBound);
  request.messaging.setPinned(message, world.botUser, isPinned);
  const guild = world.guildOfChannel(channel.id);
  if (guild === null) return noContent;
  const action = isPinned ? AuditLogEvent.MessagePin : AuditLogEvent.MessageUnpin;
  audit(request, guild, action, message.author.id, {
    options: { channel_id: channel.id, message_id: message.id },
  });
  return noContent;
}
