import {
  type APIOverwrite,
  AuditLogEvent,
  ChannelType,
  RESTJSONErrorCodes as Codes,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import type { ChannelPatch } from "../channel-changes.ts";
import { guildPermissions } from "../permissions.ts";
import type { GuildChannel, SimulatedGuild } from "../world.ts";
import { botPermissions, reachGuild, requireInChannel } from "./access.ts";
import { audit, changesOf } from "./audit.ts";
import { noContent, type RestReply, type RestRequest, type Route } from "./context.ts";
import { DiscordError, invalidForm, missingAccess, missingPermissions, unknownChannel } from "./errors.ts";
import { Form } from "./form.ts";

const { ManageChannels, ManageRoles, ViewChannel } = PermissionFlagsBits;
const movesBound = 500;

export const channelPositionRoutes: readonly Route[] = [
  { method: "PATCH", pattern: "/guilds/:guildId/channels", handle: move },
];

interface Move {
  readonly channel: GuildChannel;
  readonly position: number | null;
  /** Undefined where it stays. */
  readonly parentId: string | null | undefined;
  readonly isSynced: boolean;
}

/** https://discord.com/developers/docs/resources/guild#modify-guild-channel-positions */
function move(request: RestRequest): RestReply {
  const guild = reachGuild(request);
  const moves = readMoves(request, guild);
  if (moves.filter((one) => one.parentId !== undefined).length > 1)
    throw new DiscordError(
      400,
      Codes.OnlyOneChannelCanHaveAParentIdModifiedAtATime,
      "Only one channel can have a parent_id modified at a time",
    );
  for (const one of moves) requireMove(request, guild, one);
  for (const one of moves) {
    const patch = patchOf(guild, one);
    const changes = changesOf(one.channel, patch);
    request.changes.channels.update(one.channel.id, patch);
    if (changes.changes !== undefined)
      audit(request, guild, AuditLogEvent.ChannelUpdate, one.channel.id, changes);
  }
  return noContent;
}

function readMoves(request: RestRequest, guild: SimulatedGuild): Move[] {
  if (!Array.isArray(request.body) || request.body.length > movesBound) {
    const wrong = { code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType" };
    throw invalidForm({ _form: { _errors: [wrong] } });
  }
  return request.body.map((entry: unknown) => {
    const form = new Form(entry);
    const id = form.required("id", form.snowflake("id"));
    const position = form.integer("position", { min: 0, max: 100_000 });
    const given = form.snowflake("parent_id");
    const isSynced = form.flag("lock_permissions") ?? false;
    const channel = guild.channels.get(id);
    if (channel === undefined) throw unknownChannel();
    const current = "parent_id" in channel ? (channel.parent_id ?? null) : null;
    const parentId = form.has("parent_id") && given !== current ? given : undefined;
    if (parentId && guild.channels.get(parentId)?.type !== ChannelType.GuildCategory)
      form.fail("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist");
    form.check();
    return { channel, position, parentId, isSynced };
  });
}

/** A new position takes the right in the server; another category takes it on the channel and on where it goes. */
function requireMove(request: RestRequest, guild: SimulatedGuild, one: Move): void {
  const inGuild = guildPermissions(request.world, guild, request.world.botUser.id);
  if (one.parentId === undefined) {
    if (!(inGuild & ManageChannels)) throw missingPermissions();
    return;
  }
  if (!(botPermissions(request, one.channel) & ViewChannel)) throw missingAccess();
  const parent = guild.channels.get(one.parentId ?? "");
  const there = parent === undefined ? inGuild : botPermissions(request, parent);
  const mayMove = botPermissions(request, one.channel) & there & ManageChannels;
  if (mayMove === 0n) throw missingAccess();
  if (one.isSynced) requireInChannel(request, one.channel, ManageRoles);
}

function patchOf(guild: SimulatedGuild, { channel, position, parentId, isSynced }: Move): ChannelPatch {
  const current = "parent_id" in channel ? channel.parent_id : null;
  const parent = guild.channels.get((parentId === undefined ? current : parentId) ?? "");
  const copied: APIOverwrite[] = (parent?.permission_overwrites ?? []).map((one) => ({ ...one }));
  return {
    ...(position === null ? {} : { position }),
    ...(parentId === undefined ? {} : { parent_id: parentId }),
    ...(isSynced && parent !== undefined ? { permission_overwrites: copied } : {}),
  };
}
