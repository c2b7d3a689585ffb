import type { APIChannel } from "discord-api-types/v10";
import { Type } from "typebox";
import { AppError } from "../errors.ts";
import { channelKind } from "./channel-kinds.ts";
import { madeAt, snowflake } from "./schemas.ts";
import { defineTool } from "./tool.ts";

export const serverStats = defineTool({
  name: "discord_server_stats",
  title: "Describe the server",
  description:
    "Numbers of this Discord server: members, members online, channels by type (those that the person who asks can see), roles, emojis, boosts, when it was made, who owns it.",
  input: Type.Object(
    { guild_id: Type.Optional(snowflake("Which server. Default: the one of this conversation.")) },
    { additionalProperties: false },
  ),
  kind: "read",
  repeatable: true,
  place: "guild",
  needs({ guild_id: guildId }, actor) {
    return [{ target: { kind: "guild", guildId: placeOf(guildId, actor.guildId) }, permissions: 0n }];
  },
  async run({ guild_id: guildId }, { actor, discord, signal, visible }) {
    const asked = placeOf(guildId, actor.guildId);
    const [guild, channels] = await Promise.all([
      discord.guild(asked, signal),
      discord.guildChannels(asked, signal).then(visible),
    ]);
    const value = {
      guild_id: guild.id,
      name: guild.name,
      description: guild.description,
      owner_user_id: guild.owner_id,
      created_at: madeAt(guild.id),
      members: guild.approximate_member_count ?? null,
      members_online: guild.approximate_presence_count ?? null,
      channels: { total: channels.length, ...byKind(channels) },
      // Everybody has the role that is named like the server; people do not count it.
      roles: guild.roles.filter(({ id }) => id !== guild.id).length,
      emojis: guild.emojis.length,
      boosts: guild.premium_subscription_count ?? 0,
      boost_tier: guild.premium_tier,
    };
    return { value, sources: [`guild:${asked}`] };
  },
});

function placeOf(asked: string | undefined, own: string | null): string {
  const guildId = asked ?? own;
  if (guildId === null) throw new AppError("not_found", "This is a direct message: there is no server here.");
  return guildId;
}

function byKind(channels: readonly APIChannel[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of channels) counts[channelKind(type)] = (counts[channelKind(type)] ?? 0) + 1;
  return counts;
}
