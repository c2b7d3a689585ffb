import { PermissionFlagsBits } from "discord-api-types/v10";
import { channelPermissions, guildPermissions } from "../permissions.ts";
import type { AnyChannel, SimulatedGuild } from "../world.ts";
import type { RestRequest } from "./context.ts";
import { missingAccess, missingPermissions, unknownChannel, unknownGuild } from "./errors.ts";

/** What the bot may reach. Each throws what Discord answers when it may not. */

export function reachGuild(request: RestRequest): SimulatedGuild {
  const guild = request.world.guilds.get(request.param("guildId"));
  if (guild === undefined) throw unknownGuild();
  if (!guild.hasBot) throw missingAccess();
  return guild;
}

export function requireInGuild(request: RestRequest, guild: SimulatedGuild, permission: bigint): void {
  const held = guildPermissions(request.world, guild, request.world.botUser.id);
  if ((held & permission) !== permission) throw missingPermissions();
}

/** A channel that the bot can see. */
export function reachChannel(request: RestRequest, name = "channelId"): AnyChannel {
  const channel = request.world.channel(request.param(name));
  if (channel === null) throw unknownChannel();
  if (!(botPermissions(request, channel) & PermissionFlagsBits.ViewChannel)) throw missingAccess();
  return channel;
}

export function requireInChannel(request: RestRequest, channel: AnyChannel, permission: bigint): void {
  if ((botPermissions(request, channel) & permission) !== permission) throw missingPermissions();
}

export function botPermissions(request: RestRequest, channel: AnyChannel): bigint {
  return channelPermissions(request.world, channel, request.world.botUser.id);
}
