import {
  AuditLogEvent,
  ChannelType,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import type { ChannelPatch } from "../channel-changes.ts";
import { isThread } from "../permissions.ts";
import type { ChannelSeed } from "../seed.ts";
import type { AnyChannel, GuildChannel, SimulatedGuild } from "../world.ts";
import { reachChannel, reachGuild, requireInChannel, requireInGuild } from "./access.ts";
import { audit, changesOf } from "./audit.ts";
import { ok, type RestReply, type RestRequest, type Route } from "./context.ts";
import { tooMany, wrongChannelType } from "./errors.ts";
import { Form } from "./form.ts";
import { readTags } from "./forum-tags.ts";
import { updateThread } from "./manage-threads.ts";
import { readOverwrites, requireBits, requireHolders } from "./overwrites.ts";
import { archiveMinutes } from "./threads.ts";

const { ManageChannels, ManageRoles, ManageThreads } = PermissionFlagsBits;
const channelsBound = 500;
const inCategoryBound = 50;

export const channelRoutes: readonly Route[] = [
  { method: "POST", pattern: "/guilds/:guildId/channels", handle: create },
  { method: "PATCH", pattern: "/channels/:channelId", handle: update },
  { method: "DELETE", pattern: "/channels/:channelId", handle: remove },
];

const kinds: Readonly<Record<number, ChannelSeed["kind"]>> = {
  [ChannelType.GuildText]: "text",
  [ChannelType.GuildVoice]: "voice",
  [ChannelType.GuildCategory]: "category",
  [ChannelType.GuildAnnouncement]: "announcement",
  [ChannelType.GuildForum]: "forum",
};

/** https://discord.com/developers/docs/resources/guild#create-guild-channel */
function create(request: RestRequest): RestReply {
  const guild = reachGuild(request);
  requireInGuild(request, guild, ManageChannels);
  const form = new Form(request.body);
  const name = form.required("name", form.text("name", { min: 1, max: 100 }));
  const type = form.choice("type", Object.keys(kinds).map(Number)) ?? ChannelType.GuildText;
  const { topic, parent_id, ...patch } = readPatch(request, form, type);
  const parent = parent_id === undefined ? null : requireCategory(guild, form, parent_id, null);
  form.check();
  if (guild.channels.size >= channelsBound)
    throw tooMany(Codes.MaximumNumberOfGuildChannelsReached, "guild channels", channelsBound);
  const given = patch.permission_overwrites;
  if (given !== undefined) {
    requireHolders(guild, given);
    requireBits(request, guild, null, given);
  }
  // Without overwrites of its own, a channel starts with those of its category.
  const overwrites = given ?? parent?.permission_overwrites ?? [];
  const channel = request.changes.channels.add(
    guild.id,
    {
      name: spelled(name, type),
      kind: kinds[type] ?? "text",
      ...(topic ? { topic } : {}),
      ...(parent === null ? {} : { parentId: parent.id }),
    },
    { ...patch, permission_overwrites: overwrites.map((one) => ({ ...one })) },
  );
  audit(request, guild, AuditLogEvent.ChannelCreate, channel.id, changesOf({}, { name: channel.name, type }));
  return { status: 201, body: channel };
}

/** Text channels have no capitals and no spaces. */
function spelled(name: string, type: ChannelType): string {
  const isText = type === ChannelType.GuildText || type === ChannelType.GuildAnnouncement;
  return isText || type === ChannelType.GuildForum ? name.toLowerCase().replaceAll(/\s+/g, "-") : name;
}

/** The fields that a channel of that type has, name apart. Nothing is checked until the form is. */
function readPatch(request: RestRequest, form: Form, type: ChannelType): ChannelPatch {
  const isVoice = type === ChannelType.GuildVoice;
  const isForum = type === ChannelType.GuildForum;
  const isCategory = type === ChannelType.GuildCategory;
  const topic = form.text("topic", { max: isForum ? 4096 : 1024 });
  const position = form.integer("position", { min: 0, max: 100_000 });
  const slowMode = form.integer("rate_limit_per_user", { min: 0, max: 21_600 });
  const nsfw = form.flag("nsfw");
  const bitrate = form.integer("bitrate", { min: 8000, max: 96_000 });
  const userLimit = form.integer("user_limit", { min: 0, max: 99 });
  const archiveAfter = form.choice("default_auto_archive_duration", archiveMinutes);
  const tags = readTags(request, form);
  const parentId = form.snowflake("parent_id");
  const overwrites = readOverwrites(form);
  return {
    ...(form.has("topic") && !isVoice && !isCategory ? { topic } : {}),
    ...(form.has("parent_id") && !isCategory ? { parent_id: parentId } : {}),
    ...(position === null ? {} : { position }),
    ...(slowMode === null || isCategory ? {} : { rate_limit_per_user: slowMode }),
    ...(nsfw === null || isCategory ? {} : { nsfw }),
    ...(bitrate === null || !isVoice ? {} : { bitrate }),
    ...(userLimit === null || !isVoice ? {} : { user_limit: userLimit }),
    ...(archiveAfter === null || isCategory ? {} : { default_auto_archive_duration: archiveAfter }),
    ...(tags === null || !isForum ? {} : { available_tags: tags }),
    ...(overwrites === null ? {} : { permission_overwrites: overwrites }),
  };
}

/** The category of that id; null for none. Its absence, or its being full, is an error of the form. */
function requireCategory(
  guild: SimulatedGuild,
  form: Form,
  id: string | null,
  movedId: string | null,
): GuildChannel | null {
  if (id === null) return null;
  const parent = guild.channels.get(id);
  if (parent?.type !== ChannelType.GuildCategory)
    return form.fail("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist");
  const inside = [...guild.channels.values()].filter(
    (one) => "parent_id" in one && one.parent_id === id && one.id !== movedId,
  );
  if (inside.length >= inCategoryBound)
    return form.fail(
      "parent_id",
      "CHANNEL_PARENT_MAX_CHANNELS",
      `Maximum number of channels in category reached (${inCategoryBound})`,
    );
  return parent;
}

function reachToManage(request: RestRequest): {
  guild: SimulatedGuild;
  channel: Exclude<AnyChannel, { type: 1 }>;
} {
  const channel = reachChannel(request);
  const guild = request.world.guildOfChannel(channel.id);
  if (guild === null || channel.type === ChannelType.DM) throw wrongChannelType();
  return { guild, channel };
}

/** https://discord.com/developers/docs/resources/channel#modify-channel */
function update(request: RestRequest): RestReply {
  const { guild, channel } = reachToManage(request);
  if (isThread(channel)) return updateThread(request, guild, channel);
  requireInChannel(request, channel, ManageChannels);
  const form = new Form(request.body);
  const name = form.text("name", { min: 1, max: 100 });
  const patch: ChannelPatch = {
    ...(name === null ? {} : { name: spelled(name, channel.type) }),
    ...readPatch(request, form, channel.type),
  };
  if (patch.parent_id !== undefined) requireCategory(guild, form, patch.parent_id, channel.id);
  form.check();
  const given = patch.permission_overwrites;
  if (given !== undefined) {
    requireInChannel(request, channel, ManageRoles);
    requireHolders(guild, given);
    const cleared = (channel.permission_overwrites ?? []).filter(
      (one) => !given.some(({ id }) => id === one.id),
    );
    requireBits(request, guild, channel, [
      ...given,
      ...cleared.map((one) => ({ ...one, allow: "0", deny: "0" })),
    ]);
  }
  const changes = changesOf(channel, patch);
  const changed = request.changes.channels.update(channel.id, patch);
  audit(request, guild, AuditLogEvent.ChannelUpdate, channel.id, changes);
  return ok(changed);
}

function remove(request: RestRequest): RestReply {
  const { guild, channel } = reachToManage(request);
  requireInChannel(request, channel, isThread(channel) ? ManageThreads : ManageChannels);
  const body = { ...channel };
  request.changes.channels.remove(channel.id);
  const action = isThread(channel) ? AuditLogEvent.ThreadDelete : AuditLogEvent.ChannelDelete;
  const changes = [{ key: "name" as const, old_value: channel.name ?? "" }];
  audit(request, guild, action, channel.id, { changes });
  return ok(body);
}
