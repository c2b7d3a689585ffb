import {
  type APIAttachment,
  type APIMessage,
  AuditLogEvent,
  ChannelType,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { stripContent } from "../gateway-intents.ts";
import { isRecord } from "../json.ts";
import { isThread, sendPermission } from "../permissions.ts";
import { isSnowflake, snowflakeTime } from "../snowflake.ts";
import type { AnyChannel } from "../world.ts";
import { botPermissions, reachChannel, requireInChannel } from "./access.ts";
import { audit } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, invalidForm, lockedThread, missingAccess, unknownMessage } from "./errors.ts";
import { Form } from "./form.ts";
import { readMessageBody, requireSomething } from "./message-body.ts";
import { refuseArchived } from "./threads.ts";

const { ReadMessageHistory, ManageMessages } = PermissionFlagsBits;
const bulkDeleteAgeMs = 14 * 24 * 3_600_000;

export const messageRoutes: readonly Route[] = [
  { method: "GET", pattern: "/channels/:channelId/messages", handle: list },
  { method: "POST", pattern: "/channels/:channelId/messages", handle: create },
  { method: "POST", pattern: "/channels/:channelId/messages/bulk-delete", handle: removeMany },
  {
    method: "GET",
    pattern: "/channels/:channelId/messages/:messageId",
    handle: (request) => ok(seen(request, reachMessage(request))),
  },
  { method: "PATCH", pattern: "/channels/:channelId/messages/:messageId", handle: edit },
  { method: "DELETE", pattern: "/channels/:channelId/messages/:messageId", handle: remove },
  { method: "POST", pattern: "/channels/:channelId/typing", handle: type },
];

/** A message as the bot gets it by REST: without MESSAGE_CONTENT it is emptied as it is on the gateway. */
export function seen(request: RestRequest, message: APIMessage): APIMessage {
  const isDirect = request.world.guildOfChannel(message.channel_id) === null;
  return isDirect || request.allowedIntents.messageContent
    ? message
    : stripContent(message, request.world.botUser.id);
}

export function reachMessage(request: RestRequest): APIMessage {
  const channel = reachChannel(request);
  if (!(botPermissions(request, channel) & ReadMessageHistory)) throw missingAccess();
  const message = request.world.messages.get(request.param("messageId"));
  if (message === null || message.channel_id !== channel.id) throw unknownMessage();
  return message;
}

function list(request: RestRequest): RestReply {
  const channel = reachChannel(request);
  const form = Form.ofQuery(request.query);
  const limit = form.integer("limit", { min: 1, max: 100 }) ?? 50;
  const window = {
    limit,
    before: form.snowflake("before") ?? undefined,
    after: form.snowflake("after") ?? undefined,
    around: form.snowflake("around") ?? undefined,
  };
  form.check();
  // Without READ_MESSAGE_HISTORY Discord answers with no messages rather than with an error.
  if (!(botPermissions(request, channel) & ReadMessageHistory)) return ok([]);
  return ok(request.world.messages.page(channel.id, window).map((message) => seen(request, message)));
}

function create(request: RestRequest): RestReply {
  const channel = reachChannel(request);
  requireInChannel(request, channel, sendPermission(channel));
  refuseWithoutText(channel);
  refuseClosed(request, channel);
  refuseLocked(request, channel);
  const author = request.world.botUser;
  const form = new Form(request.body);
  const body = readMessageBody(form);
  const hasFiles = form.has("files");
  if (hasFiles) requireInChannel(request, channel, PermissionFlagsBits.AttachFiles);
  const nonce = form.text("nonce", { max: 25 });
  const enforceNonce = form.flag("enforce_nonce") ?? false;
  const reference = form.part("message_reference");
  const referenceId = reference?.snowflake("message_id") ?? null;
  const failIfGone = reference?.flag("fail_if_not_exists") ?? true;
  form.check();
  if (!hasFiles) requireSomething(body);
  const replyTo = findReplied(request, channel, referenceId, failIfGone);
  if (nonce !== null && enforceNonce) {
    const earlier = request.world.messages.get(request.nonces.find(author.id, nonce) ?? "");
    if (earlier !== null) return ok(earlier);
  }
  reopen(request, channel);
  const message = request.messaging.create({
    author,
    channel,
    content: body.content ?? "",
    allowedMentions: body.allowedMentions,
    replyTo,
    attachments: uploaded(request, channel.id),
    body: {
      embeds: body.embeds ?? [],
      components: body.components ?? [],
      flags: body.flags ?? 0,
      tts: body.tts,
      ...(nonce === null ? {} : { nonce }),
    },
  });
  if (nonce !== null) request.nonces.remember(author.id, nonce, message.id);
  return ok(message);
}

/** The files that came with it, where a test finds what is in them. */
function uploaded({ body, world }: RestRequest, channelId: string): readonly APIAttachment[] {
  const files = isRecord(body) && Array.isArray(body.files) ? body.files.filter(isRecord) : [];
  return files.map(({ filename, content_type, size, text }) => {
    const id = world.ids.next();
    const url = world.cdn.put(channelId, id, String(filename), String(content_type), String(text));
    return {
      ...{ id, filename: String(filename), size: Number(size), url, proxy_url: url },
      content_type: String(content_type),
    };
  });
}

function findReplied(
  request: RestRequest,
  channel: AnyChannel,
  id: string | null,
  failIfGone: boolean,
): APIMessage | undefined {
  if (id === null) return undefined;
  if (!(botPermissions(request, channel) & ReadMessageHistory)) {
    throw new DiscordError(
      400,
      Codes.CannotReplyWithoutPermissionToReadMessageHistory,
      "Cannot reply without permission to read message history",
    );
  }
  const message = request.world.messages.get(id);
  if (message !== null && message.channel_id === channel.id) return message;
  if (failIfGone) {
    const gone = { code: "REPLIES_UNKNOWN_MESSAGE", message: "Unknown message" };
    throw invalidForm({ message_reference: { _errors: [gone] } });
  }
  return undefined;
}

function refuseWithoutText(channel: AnyChannel): void {
  if (channel.type === ChannelType.GuildCategory || channel.type === ChannelType.GuildForum) {
    throw new DiscordError(
      400,
      Codes.CannotSendMessagesInNonTextChannel,
      "Cannot send messages in a non-text channel",
    );
  }
}

function refuseLocked(request: RestRequest, channel: AnyChannel): void {
  const isLocked = isThread(channel) && channel.thread_metadata?.locked === true;
  if (isLocked && !(botPermissions(request, channel) & PermissionFlagsBits.ManageThreads))
    throw lockedThread();
}

/** A message opens an archived thread again. */
function reopen(request: RestRequest, channel: AnyChannel): void {
  if (!isThread(channel) || !channel.thread_metadata?.archived) return;
  const archive_timestamp = new Date(request.world.now()).toISOString();
  request.changes.channels.update(channel.id, {
    thread_metadata: { ...channel.thread_metadata, archived: false, archive_timestamp },
  });
}

function refuseClosed(request: RestRequest, channel: AnyChannel): void {
  const recipients = "recipients" in channel ? (channel.recipients ?? []) : [];
  if (recipients.some((user) => request.world.closedToDirectMessages.has(user.id))) {
    throw new DiscordError(403, Codes.CannotSendMessagesToThisUser, "Cannot send messages to this user");
  }
}

function edit(request: RestRequest): RestReply {
  const message = reachMessage(request);
  const form = new Form(request.body);
  const body = readMessageBody(form);
  form.check();
  if (message.author.id !== request.world.botUser.id) {
    throw new DiscordError(
      403,
      Codes.CannotEditMessageAuthoredByAnotherUser,
      "Cannot edit a message authored by another user",
    );
  }
  const channel = reachChannel(request);
  refuseLocked(request, channel);
  refuseArchived(channel);
  const edited = {
    content: form.has("content") ? (body.content ?? "") : message.content,
    embeds: form.has("embeds") ? (body.embeds ?? []) : message.embeds,
    components: form.has("components") ? (body.components ?? []) : (message.components ?? []),
    flags: body.flags ?? message.flags ?? 0,
  };
  requireSomething({ ...body, ...edited });
  return ok(request.messaging.edit(message, { ...edited, allowedMentions: body.allowedMentions }));
}

function remove(request: RestRequest): RestReply {
  const channel = reachChannel(request);
  const message = request.world.messages.get(request.param("messageId"));
  if (message === null || message.channel_id !== channel.id) throw unknownMessage();
  const isOwn = message.author.id === request.world.botUser.id;
  if (!isOwn) requireInChannel(request, channel, ManageMessages);
  request.messaging.remove(message);
  const guild = request.world.guildOfChannel(channel.id);
  if (guild === null || isOwn) return noContent;
  const options = { channel_id: channel.id, count: "1" };
  audit(request, guild, AuditLogEvent.MessageDelete, message.author.id, { options });
  return noContent;
}

function removeMany(request: RestRequest): RestReply {
  const channel = reachChannel(request);
  const guild = request.world.guildOfChannel(channel.id);
  if (guild === null)
    throw new DiscordError(
      400,
      Codes.CannotExecuteActionOnDMChannel,
      "Cannot execute action on a DM channel",
    );
  requireInChannel(request, channel, ManageMessages);
  const form = new Form(request.body);
  const ids = form.required("messages", form.list("messages", 100));
  if (ids.length < 2 || !ids.every(isSnowflake))
    form.fail("messages", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.");
  if (new Set(ids).size < ids.length)
    form.fail("messages", "BASE_TYPE_DUPLICATE", "Must not contain duplicates.");
  form.check();
  const known = ids.filter(isSnowflake);
  if (known.some((id) => request.world.now() - snowflakeTime(id) > bulkDeleteAgeMs)) {
    throw new DiscordError(
      400,
      Codes.OneOfTheMessagesProvidedWasTooOldForBulkDelete,
      "You can only bulk delete messages that are under 14 days old.",
    );
  }
  const here = known.filter((id) => request.world.messages.get(id)?.channel_id === channel.id);
  if (here.length === 0) return noContent;
  request.messaging.removeMany(channel.id, here);
  const options = { count: String(here.length) };
  audit(request, guild, AuditLogEvent.MessageBulkDelete, channel.id, { options });
  return noContent;
}

function type(request: RestRequest): RestReply {
  const channel = reachChannel(request);
  requireInChannel(request, channel, sendPermission(channel));
  request.messaging.type(request.world.botUser, channel);
  return noContent;
}
