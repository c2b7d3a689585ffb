import { type APIMessage, GatewayDispatchEvents as Events, PermissionFlagsBits } from "discord-api-types/v10";
import { reachChannel, requireInChannel } from "./access.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { reachMessage, seen } from "./messages.ts";

const PIN = "/channels/:channelId/messages/pins/:messageId";
/** The older form, which Discord still answers and which clients still use. */
const OLD_PIN = "/channels/:channelId/pins/:messageId";

export const pinRoutes: readonly Route[] = [
  { method: "GET", pattern: "/channels/:channelId/messages/pins", handle: list },
  { method: "PUT", pattern: PIN, handle: (request) => pin(request, true) },
  { method: "DELETE", pattern: PIN, handle: (request) => pin(request, false) },
  { method: "GET", pattern: "/channels/:channelId/pins", handle: (request) => ok(pinned(request)) },
  { method: "PUT", pattern: OLD_PIN, handle: (request) => pin(request, true) },
  { method: "DELETE", pattern: OLD_PIN, handle: (request) => pin(request, false) },
];

function pinned(request: RestRequest): APIMessage[] {
  const channel = reachChannel(request);
  const messages = request.world.messages.in(channel.id).filter((message) => message.pinned);
  return messages.map((message) => seen(request, message)).reverse();
}

function list(request: RestRequest): RestReply {
  const items = pinned(request).map((message) => ({ pinned_at: message.timestamp, message }));
  return ok({ items, has_more: false });
}

function pin(request: RestRequest, isPinned: boolean): RestReply {
  const channel = reachChannel(request);
  requireInChannel(request, channel, PermissionFlagsBits.PinMessages);
  const message = reachMessage(request);
  if (message.pinned === isPinned) return noContent;
  request.world.messages.replace({ ...message, pinned: isPinned });
  const guildId = request.world.guildOfChannel(channel.id)?.id ?? null;
  const place = guildId === null ? {} : { guild_id: guildId };
  const d = {
    channel_id: channel.id,
    last_pin_timestamp: new Date(request.world.now()).toISOString(),
    ...place,
  };
  request.publish({ dispatch: { t: Events.ChannelPinsUpdate, d }, guildId, channelId: channel.id });
  return noContent;
}
