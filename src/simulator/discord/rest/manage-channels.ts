import { AuditLogEvent, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { isThread } from "../permissions.ts";
import type { ChannelSeed, OverwriteSeed } from "../seed.ts";
import type { AnyChannel, SimulatedGuild } from "../world.ts";
import { reachChannel, reachGuild, requireInChannel, requireInGuild } from "./access.ts";
import { audit } from "./audit.ts";
import { noContent, ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, unknownChannel } from "./errors.ts";
import { Form } from "./form.ts";
import { reachMessage } from "./messages.ts";

const { ManageChannels, ManageRoles, ManageThreads, CreatePublicThreads, CreatePrivateThreads } =
  PermissionFlagsBits;
const OVERWRITE = "/channels/:channelId/permissions/:overwriteId";

export const channelRoutes: readonly Route[] = [
  { method: "POST", pattern: "/guilds/:guildId/channels", handle: create },
  { method: "PATCH", pattern: "/channels/:channelId", handle: update },
  { method: "DELETE", pattern: "/channels/:channelId", handle: remove },
  { method: "PUT", pattern: OVERWRITE, handle: setOverwrite },
  { method: "DELETE", pattern: OVERWRITE, handle: removeOverwrite },
  {
    method: "POST",
    pattern: "/channels/:channelId/threads",
    handle: (request) => startThread(request, null),
  },
  {
    method: "POST",
    pattern: "/channels/:channelId/messages/:messageId/threads",
    handle: (request) => startThread(request, reachMessage(request).id),
  },
];

const KINDS: Readonly<Record<number, ChannelSeed["kind"]>> = {
  [ChannelType.GuildText]: "text",
  [ChannelType.GuildVoice]: "voice",
  [ChannelType.GuildCategory]: "category",
  [ChannelType.GuildAnnouncement]: "announcement",
  [ChannelType.GuildForum]: "forum",
};

function create(request: RestRequest): RestReply {
  const guild = reachGuild(request);
  requireInGuild(request, guild, ManageChannels);
  const form = new Form(request.body);
  const name = form.required("name", form.text("name", { min: 1, max: 100 }));
  const type: ChannelType = form.integer("type", { min: 0, max: 16 }) ?? ChannelType.GuildText;
  const kind = KINDS[type];
  const topic = form.text("topic", { max: 1024 });
  const parentId = form.snowflake("parent_id");
  const slowMode = form.integer("rate_limit_per_user", { min: 0, max: 21_600 });
  const overwrites = (form.list("permission_overwrites", 100) ?? []).map((one) =>
    readOverwrite(new Form(one)),
  );
  if (kind === undefined)
    form.fail("type", "BASE_TYPE_CHOICES", "The value must be one of (0, 2, 4, 5, 15).");
  if (parentId !== null && guild.channels.get(parentId)?.type !== ChannelType.GuildCategory) {
    form.fail("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist");
  }
  form.check();
  const channel = request.changes.channels.add(guild.id, {
    name: kind === "text" ? name.toLowerCase().replaceAll(/\s+/g, "-") : name,
    kind: kind ?? "text",
    overwrites,
    ...(topic === null ? {} : { topic }),
    ...(parentId === null ? {} : { parentId }),
    ...(slowMode === null ? {} : { slowModeSeconds: slowMode }),
  });
  audit(request, guild, AuditLogEvent.ChannelCreate, channel.id);
  return { status: 201, body: channel };
}

function readOverwrite(form: Form, id = form.snowflake("id")): OverwriteSeed {
  const bits = (name: string) => BigInt(form.text(name, { max: 20 }) ?? "0");
  const overwrite = {
    allow: bits("allow"),
    deny: bits("deny"),
    type: form.integer("type", { min: 0, max: 1 }),
  };
  form.check();
  return { ...overwrite, id: form.required("id", id), type: overwrite.type === 1 ? "member" : "role" };
}

/** A channel of a guild, for those who may change it; a thread also for who made it. */
function reachToManage(
  request: RestRequest,
  ofThread: bigint,
  ofChannel: bigint,
): { guild: SimulatedGuild; channel: AnyChannel } {
  const channel = reachChannel(request);
  const guild = request.world.guildOfChannel(channel.id);
  if (guild === null) throw new DiscordError(400, 50_024, "Cannot execute action on this channel type");
  const isOwnThread = isThread(channel) && channel.owner_id === request.world.botUser.id;
  if (!isOwnThread) requireInChannel(request, channel, isThread(channel) ? ofThread : ofChannel);
  return { guild, channel };
}

function update(request: RestRequest): RestReply {
  const { guild, channel } = reachToManage(request, ManageThreads, ManageChannels);
  const form = new Form(request.body);
  const name = form.text("name", { min: 1, max: 100 });
  const topic = form.text("topic", { max: 1024 });
  const parentId = form.snowflake("parent_id");
  const position = form.integer("position", { min: 0, max: 10_000 });
  const slowMode = form.integer("rate_limit_per_user", { min: 0, max: 21_600 });
  const nsfw = form.flag("nsfw");
  const archived = form.flag("archived");
  const locked = form.flag("locked");
  form.check();
  const metadata = isThread(channel) ? channel.thread_metadata : undefined;
  const changed = request.changes.channels.update(channel.id, {
    ...(name === null ? {} : { name }),
    ...(form.has("topic") && !isThread(channel) ? { topic } : {}),
    ...(form.has("parent_id") && !isThread(channel) ? { parent_id: parentId } : {}),
    ...(position === null || isThread(channel) ? {} : { position }),
    ...(slowMode === null ? {} : { rate_limit_per_user: slowMode }),
    ...(nsfw === null || isThread(channel) ? {} : { nsfw }),
    ...(metadata === undefined
      ? {}
      : {
          thread_metadata: {
            ...metadata,
            archived: archived ?? metadata.archived,
            locked: locked ?? metadata.locked ?? false,
          },
        }),
  });
  audit(
    request,
    guild,
    isThread(channel) ? AuditLogEvent.ThreadUpdate : AuditLogEvent.ChannelUpdate,
    channel.id,
  );
  return ok(changed);
}

function remove(request: RestRequest): RestReply {
  const { guild, channel } = reachToManage(request, ManageThreads, ManageChannels);
  request.changes.channels.remove(channel.id);
  audit(
    request,
    guild,
    isThread(channel) ? AuditLogEvent.ThreadDelete : AuditLogEvent.ChannelDelete,
    channel.id,
  );
  return ok(channel);
}

function setOverwrite(request: RestRequest): RestReply {
  const { guild, channel } = reachToManage(request, ManageRoles, ManageRoles);
  const overwrite = readOverwrite(new Form(request.body), request.param("overwriteId"));
  request.changes.channels.setOverwrite(channel.id, overwrite);
  audit(request, guild, AuditLogEvent.ChannelOverwriteUpdate, channel.id);
  return noContent;
}

function removeOverwrite(request: RestRequest): RestReply {
  const { guild, channel } = reachToManage(request, ManageRoles, ManageRoles);
  request.changes.channels.removeOverwrite(channel.id, request.param("overwriteId"));
  audit(request, guild, AuditLogEvent.ChannelOverwriteDelete, channel.id);
  return noContent;
}

/** A thread made from a message has that message's id. */
function startThread(request: RestRequest, messageId: string | null): RestReply {
  const parent = reachChannel(request);
  const guild = request.world.guildOfChannel(parent.id);
  if (guild === null || isThread(parent)) throw unknownChannel();
  const form = new Form(request.body);
  const name = form.required("name", form.text("name", { min: 1, max: 100 }));
  const type: ChannelType = form.integer("type", { min: 10, max: 12 }) ?? ChannelType.PrivateThread;
  form.check();
  const isPrivate = messageId === null && type === ChannelType.PrivateThread;
  requireInChannel(request, parent, isPrivate ? CreatePrivateThreads : CreatePublicThreads);
  if (messageId !== null && guild.threads.has(messageId)) {
    throw new DiscordError(400, 160_004, "A thread has already been created for this message");
  }
  const thread = request.changes.channels.add(guild.id, {
    id: messageId ?? request.world.ids.next(),
    name,
    kind: isPrivate ? "private_thread" : "thread",
    parentId: parent.id,
    ownerId: request.world.botUser.id,
  });
  audit(request, guild, AuditLogEvent.ThreadCreate, thread.id);
  return { status: 201, body: thread };
}
