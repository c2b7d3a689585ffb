import {
  type APIMessage,
  InteractionType,
  InteractionResponseType as Kind,
  MessageFlags,
  MessageType,
} from "discord-api-types/v10";
import type { OpenInteraction } from "../interactions.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, invalidForm, unknownInteraction, unknownMessage, unknownWebhook } from "./errors.ts";
import { Form } from "./form.ts";
import { type MessageBody, readMessageBody, requireSomething } from "./message-body.ts";

const webhook = "/webhooks/:applicationId/:token";

/** Their token is in the path: none of them takes the bot's. */
export const interactionRoutes: readonly Route[] = [
  {
    method: "POST",
    pattern: "/interactions/:interactionId/:token/callback",
    authorized: false,
    handle: callback,
  },
  { method: "POST", pattern: webhook, authorized: false, handle: followUp },
  {
    method: "GET",
    pattern: `${webhook}/messages/:messageId`,
    authorized: false,
    handle: (request) => ok(reach(request).message),
  },
  { method: "PATCH", pattern: `${webhook}/messages/:messageId`, authorized: false, handle: edit },
  { method: "DELETE", pattern: `${webhook}/messages/:messageId`, authorized: false, handle: remove },
];

function callback(request: RestRequest): RestReply {
  const open = request.interactions.awaiting(request.param("interactionId"), request.param("token"));
  if (open === null) throw unknownInteraction();
  if (open.isAnswered) throw new DiscordError(400, 40_060, "Interaction has already been acknowledged.");
  const form = new Form(request.body);
  const type = form.required("type", form.integer("type", { min: 1, max: 13 }));
  const data = form.part("data");
  const body = data === null ? null : readMessageBody(data);
  form.check();
  data?.check();
  answer(request, open, type, body);
  open.isAnswered = true;
  if (request.query.get("with_response") !== "true") return noContent;
  const interaction = {
    id: open.id,
    type: open.type,
    ...(open.original === null ? {} : { response_message_id: open.original.id }),
  };
  return ok({
    interaction,
    ...(open.original === null ? {} : { resource: { type, message: open.original } }),
  });
}

function answer(request: RestRequest, open: OpenInteraction, type: number, body: MessageBody | null): void {
  switch (type) {
    case Kind.ChannelMessageWithSource:
      if (body === null)
        throw invalidForm({
          data: { _errors: [{ code: "BASE_TYPE_REQUIRED", message: "This field is required" }] },
        });
      requireSomething(body);
      open.original = post(request, open, body, 0);
      return;
    case Kind.DeferredChannelMessageWithSource:
      open.original = post(request, open, body ?? empty, MessageFlags.Loading);
      return;
    case Kind.UpdateMessage:
      if (open.message === null)
        throw invalidForm({
          type: { _errors: [{ code: "INTERACTION_TYPE_INVALID", message: "Only for message components" }] },
        });
      open.original = change(request, open, open.message, body ?? empty);
      return;
    case Kind.DeferredMessageUpdate:
      open.original = open.message;
      return;
    case Kind.Modal:
    case Kind.ApplicationCommandAutocompleteResult:
      return;
    default:
      throw invalidForm({
        type: {
          _errors: [{ code: "BASE_TYPE_CHOICES", message: "Value must be one of {1, 4, 5, 6, 7, 8, 9}." }],
        },
      });
  }
}

const empty: MessageBody = {
  content: null,
  embeds: null,
  components: null,
  flags: null,
  tts: false,
  allowedMentions: null,
};

function post(
  request: RestRequest,
  open: OpenInteraction,
  body: MessageBody,
  extraFlags: number,
): APIMessage {
  const isHidden = ((body.flags ?? 0) & MessageFlags.Ephemeral) !== 0;
  const guildId = request.world.guildOfChannel(open.channel.id)?.id;
  const metadata = {
    id: open.id,
    type: open.type,
    user: open.user,
    authorizing_integration_owners: { 0: guildId ?? "0" },
    ...(open.type === InteractionType.ApplicationCommand
      ? {}
      : { interacted_message_id: open.message?.id ?? open.id }),
  } as NonNullable<APIMessage["interaction_metadata"]>;
  const draft = {
    author: request.world.botUser,
    channel: open.channel,
    content: body.content ?? "",
    allowedMentions: body.allowedMentions ?? { parse: ["users"] },
    body: {
      embeds: body.embeds ?? [],
      components: body.components ?? [],
      flags: (body.flags ?? 0) | extraFlags,
      webhook_id: request.world.applicationId,
      application_id: request.world.applicationId,
      interaction_metadata: metadata,
    },
  };
  const type =
    open.type === InteractionType.ApplicationCommand ? MessageType.ChatInputCommand : MessageType.Default;
  if (!isHidden) return request.messaging.create({ ...draft, type });
  const message = request.messaging.compose({ ...draft, type });
  open.hidden.set(message.id, message);
  request.messaging.note(message);
  return message;
}

function change(
  request: RestRequest,
  open: OpenInteraction,
  message: APIMessage,
  body: MessageBody,
): APIMessage {
  const patch = {
    content: body.content ?? message.content,
    embeds: body.embeds ?? message.embeds,
    components: body.components ?? message.components ?? [],
    flags: (body.flags ?? message.flags ?? 0) & ~MessageFlags.Loading,
  };
  if (!open.hidden.has(message.id)) {
    const current = request.world.messages.get(message.id);
    if (current === null) throw unknownMessage();
    return request.messaging.edit(current, { ...patch, allowedMentions: body.allowedMentions });
  }
  const changed = { ...message, ...patch, edited_timestamp: new Date(request.world.now()).toISOString() };
  open.hidden.set(message.id, changed);
  request.messaging.note(changed);
  return changed;
}

function reachOpen(request: RestRequest): OpenInteraction {
  if (request.param("applicationId") !== request.world.applicationId) throw unknownWebhook();
  const open = request.interactions.open(request.param("token"));
  if (open === null) throw new DiscordError(401, 50_027, "Invalid Webhook Token");
  if (!open.isAnswered) throw unknownWebhook();
  return open;
}

function reach(request: RestRequest): { open: OpenInteraction; message: APIMessage } {
  const open = reachOpen(request);
  const id = request.param("messageId") === "@original" ? open.original?.id : request.param("messageId");
  const message = open.hidden.get(id ?? "") ?? request.world.messages.get(id ?? "");
  if (message === null || message.author.id !== request.world.botUser.id) throw unknownMessage();
  return { open, message };
}

function followUp(request: RestRequest): RestReply {
  const open = reachOpen(request);
  const form = new Form(request.body);
  const body = readMessageBody(form);
  form.check();
  requireSomething(body);
  return ok(post(request, open, body, 0));
}

function edit(request: RestRequest): RestReply {
  const { open, message } = reach(request);
  const form = new Form(request.body);
  const body = readMessageBody(form);
  form.check();
  const changed = change(request, open, message, body);
  if (open.original?.id === changed.id) open.original = changed;
  return ok(changed);
}

function remove(request: RestRequest): RestReply {
  const { open, message } = reach(request);
  if (!open.hidden.delete(message.id)) request.messaging.remove(message);
  return noContent;
}
