import {
  type APIGuildForumChannel,
  AuditLogEvent,
  ChannelType,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { isThread } from "../permissions.ts";
import type { AnyChannel, GuildChannel, SimulatedGuild } from "../world.ts";
import { reachChannel, requireInChannel } from "./access.ts";
import { audit, changesOf } from "./audit.ts";
import type { RestReply, RestRequest, Route } from "./context.ts";
import { DiscordError, wrongChannelType } from "./errors.ts";
import { Form } from "./form.ts";
import { readAppliedTags, requireTags } from "./forum-tags.ts";
import { readMessageBody, requireSomething } from "./message-body.ts";
import { reachMessage } from "./messages.ts";
import { archiveMinutes } from "./threads.ts";

const { CreatePublicThreads, CreatePrivateThreads, SendMessages } = PermissionFlagsBits;

export const threadStartRoutes: readonly Route[] = [
  { method: "POST", pattern: "/channels/:channelId/threads", handle: start },
  { method: "POST", pattern: "/channels/:channelId/messages/:messageId/threads", handle: startFromMessage },
];

/** What every way of starting a thread has. Nothing is checked until the form is. */
function readStart(form: Form) {
  return {
    name: form.required("name", form.text("name", { min: 1, max: 100 })),
    archiveAfter: form.choice("auto_archive_duration", archiveMinutes),
    slowMode: form.integer("rate_limit_per_user", { min: 0, max: 21_600 }),
  };
}

interface Start extends ReturnType<typeof readStart> {
  readonly id: string;
  readonly kind: "thread" | "announcement_thread" | "private_thread";
  readonly tags?: string[];
  readonly invitable?: boolean | null;
}

function add(request: RestRequest, guild: SimulatedGuild, parent: GuildChannel, start: Start): AnyChannel {
  const { id, name, kind, archiveAfter, slowMode, tags, invitable } = start;
  const inherited =
    "default_auto_archive_duration" in parent ? parent.default_auto_archive_duration : undefined;
  const thread = request.changes.channels.add(guild.id, {
    id,
    name,
    kind,
    parentId: parent.id,
    ownerId: request.world.botUser.id,
    ...(slowMode === null ? {} : { slowModeSeconds: slowMode }),
    ...(tags === undefined ? {} : { appliedTags: tags }),
    ...(kind === "private_thread" ? { invitable: invitable ?? true } : {}),
    archiveAfterMinutes: archiveAfter ?? inherited ?? 4320,
  });
  audit(request, guild, AuditLogEvent.ThreadCreate, thread.id, changesOf({}, { name, type: thread.type }));
  return thread;
}

function reachParent(request: RestRequest): { guild: SimulatedGuild; parent: GuildChannel } {
  const channel = reachChannel(request);
  const guild = request.world.guildOfChannel(channel.id);
  const parent = guild?.channels.get(channel.id);
  if (guild === null || parent === undefined || isThread(channel)) throw wrongChannelType();
  return { guild, parent };
}

/** https://discord.com/developers/docs/resources/channel#start-thread-without-message */
function start(request: RestRequest): RestReply {
  const { guild, parent } = reachParent(request);
  if (parent.type === ChannelType.GuildForum) return post(request, guild, parent);
  const isAnnouncement = parent.type === ChannelType.GuildAnnouncement;
  if (parent.type !== ChannelType.GuildText && !isAnnouncement) throw wrongChannelType();
  const form = new Form(request.body);
  const fields = readStart(form);
  const invitable = form.flag("invitable");
  const types = isAnnouncement
    ? [ChannelType.AnnouncementThread]
    : [ChannelType.PublicThread, ChannelType.PrivateThread];
  // Left out, it is a private one, as when threads were new.
  const type =
    form.choice("type", types) ??
    (isAnnouncement ? ChannelType.AnnouncementThread : ChannelType.PrivateThread);
  form.check();
  const isPrivate = type === ChannelType.PrivateThread;
  requireInChannel(request, parent, isPrivate ? CreatePrivateThreads : CreatePublicThreads);
  const kind = isPrivate ? "private_thread" : isAnnouncement ? "announcement_thread" : "thread";
  const id = request.world.ids.next();
  return { status: 201, body: add(request, guild, parent, { ...fields, id, kind, invitable }) };
}

/** A thread made from a message has that message's id. */
function startFromMessage(request: RestRequest): RestReply {
  const { guild, parent } = reachParent(request);
  const isAnnouncement = parent.type === ChannelType.GuildAnnouncement;
  if (parent.type !== ChannelType.GuildText && !isAnnouncement) throw wrongChannelType();
  const message = reachMessage(request);
  const form = new Form(request.body);
  const fields = readStart(form);
  form.check();
  requireInChannel(request, parent, CreatePublicThreads);
  if (guild.threads.has(message.id)) {
    throw new DiscordError(
      400,
      Codes.ThreadAlreadyCreatedForMessage,
      "A thread has already been created for this message",
    );
  }
  const kind = isAnnouncement ? "announcement_thread" : "thread";
  const thread = add(request, guild, parent, { ...fields, id: message.id, kind });
  request.messaging.flagThread(message);
  return { status: 201, body: thread };
}

/** A post is a thread whose first message has its id: https://discord.com/developers/docs/resources/channel#start-thread-in-forum-or-media-channel */
function post(request: RestRequest, guild: SimulatedGuild, forum: APIGuildForumChannel): RestReply {
  requireInChannel(request, forum, SendMessages);
  const form = new Form(request.body);
  const fields = readStart(form);
  const tags = readAppliedTags(form) ?? [];
  const part = form.required("message", form.part("message"));
  const body = readMessageBody(part);
  form.check();
  requireSomething(body);
  const id = request.world.ids.next();
  const applied = requireTags(request, forum, tags);
  const thread = add(request, guild, forum, { ...fields, id, kind: "thread", tags: applied });
  const message = request.messaging.create({
    id,
    author: request.world.botUser,
    channel: thread,
    content: body.content ?? "",
    allowedMentions: body.allowedMentions,
    body: {
      embeds: body.embeds ?? [],
      components: body.components ?? [],
      flags: body.flags ?? 0,
      tts: body.tts,
    },
  });
  return { status: 201, body: { ...thread, message } };
}
