import { PermissionFlagsBits } from "discord-api-types/v10";
import { readableByAllMembers } from "../../permissions/audience.ts";
import type { ChannelFacts, GuildFacts } from "../../permissions/facts.ts";
import { fromChannel } from "../sources.ts";

/** Those of a server's channels that every member can see: nothing is told by naming them. */
export function seenByAll(guild: GuildFacts, channels: readonly ChannelFacts[]): readonly ChannelFacts[] {
  return channels.filter((one) => readableByAllMembers(guild, one, null, PermissionFlagsBits.ViewChannel));
}

/** What it takes to know of these channels: the others are sources of their own. */
export function sourcesOfChannels(guild: GuildFacts, channels: readonly ChannelFacts[]): readonly string[] {
  const open = new Set(seenByAll(guild, channels).map(({ id }) => id));
  return [...new Set(channels.flatMap(({ id }) => (open.has(id) ? [] : [fromChannel(id)])))];
}
