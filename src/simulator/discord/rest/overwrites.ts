import {
  type APIOverwrite,
  AuditLogEvent,
  AuditLogOptionsType,
  OverwriteType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { overwritePayload } from "../channel-payloads.ts";
import { channelPermissions, guildPermissions, isThread } from "../permissions.ts";
import type { OverwriteSeed } from "../seed.ts";
import type { GuildChannel, SimulatedGuild } from "../world.ts";
import { reachChannel, requireInChannel } from "./access.ts";
import { type AuditDetails, audit } from "./audit.ts";
import { noContent, type RestReply, type RestRequest, type Route } from "./context.ts";
import { missingPermissions, unknownOverwrite, wrongChannelType } from "./errors.ts";
import { Form } from "./form.ts";

const overwritePath = "/channels/:channelId/permissions/:overwriteId";
const { Administrator, ManageRoles } = PermissionFlagsBits;
const noChannel: readonly APIOverwrite[] = [];

export const overwriteRoutes: readonly Route[] = [
  { method: "PUT", pattern: overwritePath, handle: set },
  { method: "DELETE", pattern: overwritePath, handle: remove },
];

/** One overwrite out of a form, whose errors are the form's. */
export function readOverwrite(form: Form, givenId?: string): OverwriteSeed {
  const id = givenId ?? form.snowflake("id");
  const type = form.choice("type", [OverwriteType.Role, OverwriteType.Member]);
  return {
    id: id ?? "0",
    type: type === OverwriteType.Member ? "member" : "role",
    allow: form.bits("allow") ?? 0n,
    deny: form.bits("deny") ?? 0n,
  };
}

/** The list of overwrites of a channel's form; null without one. */
export function readOverwrites(form: Form): APIOverwrite[] | null {
  const parts = form.parts("permission_overwrites", 100);
  return parts?.map((part) => overwritePayload(readOverwrite(part))) ?? null;
}

/**
 * Nobody changes bits for others that they do not have themselves, unless an overwrite of the channel lets them manage
 * roles there; and that one only administrators give: https://discord.com/developers/docs/resources/channel#edit-channel-permissions
 */
export function requireBits(
  request: RestRequest,
  guild: SimulatedGuild,
  channel: GuildChannel | null,
  after: readonly APIOverwrite[],
): void {
  const { world } = request;
  const botId = world.botUser.id;
  const inGuild = guildPermissions(world, guild, botId);
  if (inGuild & Administrator) return;
  const parentId = channel !== null && "parent_id" in channel ? channel.parent_id : null;
  const parent = guild.channels.get(parentId ?? "");
  const held = inGuild | (parent === undefined ? 0n : channelPermissions(world, parent, botId));
  const before = channel?.permission_overwrites ?? noChannel;
  const mine = [botId, ...(guild.members.get(botId)?.roles ?? [])];
  const managesHere = before.some((one) => mine.includes(one.id) && BigInt(one.allow) & ManageRoles);
  const touched = touchedBits(before, after);
  if (!managesHere && (touched & ~held & ~ManageRoles) !== 0n) throw missingPermissions();
  if (touched & ManageRoles && !managesHere) throw missingPermissions();
}

/** Bits that are allowed or denied otherwise than before, to anybody. */
function touchedBits(before: readonly APIOverwrite[], after: readonly APIOverwrite[]): bigint {
  return after.reduce((all, one) => {
    const former = before.find((other) => other.id === one.id);
    const allow = BigInt(one.allow) ^ BigInt(former?.allow ?? "0");
    const deny = BigInt(one.deny) ^ BigInt(former?.deny ?? "0");
    return all | allow | deny;
  }, 0n);
}

/** Throws for a role or member that does not exist there. */
export function requireHolders(guild: SimulatedGuild, overwrites: readonly APIOverwrite[]): void {
  for (const { id, type } of overwrites) {
    const exists = type === OverwriteType.Role ? guild.roles.has(id) : guild.members.has(id);
    if (!exists) throw unknownOverwrite();
  }
}

function reach(request: RestRequest): { guild: SimulatedGuild; channel: GuildChannel } {
  const channel = reachChannel(request);
  const guild = request.world.guildOfChannel(channel.id);
  const own = guild?.channels.get(channel.id);
  if (guild === null || own === undefined || isThread(channel)) throw wrongChannelType();
  requireInChannel(request, channel, ManageRoles);
  return { guild, channel: own };
}

function set(request: RestRequest): RestReply {
  const { guild, channel } = reach(request);
  const form = new Form(request.body);
  const seed = readOverwrite(form, request.param("overwriteId"));
  form.required("type", form.choice("type", [OverwriteType.Role, OverwriteType.Member]));
  form.check();
  const overwrite = overwritePayload(seed);
  requireHolders(guild, [overwrite]);
  requireBits(request, guild, channel, [overwrite]);
  const former = channel.permission_overwrites?.find((one) => one.id === overwrite.id);
  request.changes.channels.setOverwrite(channel.id, seed);
  const action =
    former === undefined ? AuditLogEvent.ChannelOverwriteCreate : AuditLogEvent.ChannelOverwriteUpdate;
  audit(request, guild, action, channel.id, auditDetails(guild, former ?? null, overwrite));
  return noContent;
}

function remove(request: RestRequest): RestReply {
  const { guild, channel } = reach(request);
  const former = channel.permission_overwrites?.find((one) => one.id === request.param("overwriteId"));
  if (former === undefined) throw unknownOverwrite();
  requireBits(request, guild, channel, [{ ...former, allow: "0", deny: "0" }]);
  request.changes.channels.removeOverwrite(channel.id, former.id);
  audit(
    request,
    guild,
    AuditLogEvent.ChannelOverwriteDelete,
    channel.id,
    auditDetails(guild, former, former),
  );
  return noContent;
}

function auditDetails(guild: SimulatedGuild, former: APIOverwrite | null, now: APIOverwrite): AuditDetails {
  const options: NonNullable<AuditDetails["options"]> =
    now.type === OverwriteType.Role
      ? { id: now.id, type: AuditLogOptionsType.Role, role_name: guild.roles.get(now.id)?.name ?? "" }
      : { id: now.id, type: AuditLogOptionsType.Member };
  const changes = (["allow", "deny"] as const).flatMap((key) =>
    former?.[key] === now[key]
      ? []
      : [{ key, new_value: now[key], ...(former === null ? {} : { old_value: former[key] }) }],
  );
  return { options, ...(changes.length === 0 ? {} : { changes }) };
}
