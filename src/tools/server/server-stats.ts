import type { APIChannel } from "discord-api-types/v10";
import { Type } from "typebox";
import { madeAt, snowflake } from "../argument-schemas.ts";
import { channelFacts } from "../channel-facts.ts";
import { channelKind } from "../channels/kinds.ts";
import { seenByAll } from "../channels/shown.ts";
import { nullable, timestamp } from "../result-schemas.ts";
import { fromGuild } from "../sources.ts";
import { defineTool } from "../tool.ts";

export const serverStats = defineTool({
  name: "discord_server_stats",
  title: "Describe the server",
  description:
    "Numbers of this Discord server: members, members online, channels that every member sees by type, roles, emojis, boosts, when it was made, who owns it.",
  family: "server",
  kind: "read",
  repeatable: true,
  isCore: true,
  input: Type.Object(
    { guild_id: Type.Optional(snowflake("Which server. Default: the one of this conversation.")) },
    { additionalProperties: false },
  ),
  output: Type.Object({
    guild_id: Type.String(),
    name: Type.String(),
    description: nullable(Type.String()),
    owner_user_id: Type.String(),
    created_at: timestamp("When it was made."),
    members: nullable(Type.Integer({ description: "About how many." })),
    members_online: nullable(Type.Integer({ description: "About how many." })),
    channels: Type.Object(
      { total: Type.Integer() },
      { additionalProperties: Type.Integer(), description: "How many there are, and by type." },
    ),
    roles: Type.Integer(),
    emojis: Type.Integer(),
    boosts: Type.Integer(),
    boost_tier: Type.Integer({ description: "0 to 3." }),
  }),
  targets: { guild: { kind: "guild", argument: "guild_id", absent: "error", needs: 0n } },
  async run(_input, { guild: { facts } }, { discord, signal, visible }) {
    const [guild, all] = await Promise.all([
      discord.guild(facts.id, signal),
      discord.guildChannels(facts.id, signal),
    ]);
    // The numbers are for all to hear: of the channels that only some see, not even how many there are.
    const seen = new Map((await visible(all)).map((one) => [one.id, one]));
    const shared = seenByAll(
      facts,
      [...seen.values()].map((one) => channelFacts(one, facts.id)),
    ).flatMap(({ id }) => seen.get(id) ?? []);
    const value = {
      guild_id: guild.id,
      name: guild.name,
      description: guild.description,
      owner_user_id: guild.owner_id,
      created_at: madeAt(guild.id),
      members: guild.approximate_member_count ?? null,
      members_online: guild.approximate_presence_count ?? null,
      channels: { total: shared.length, ...byKind(shared) },
      // Everybody has the role that is named like the server; people do not count it.
      roles: guild.roles.filter(({ id }) => id !== guild.id).length,
      emojis: guild.emojis.length,
      boosts: guild.premium_subscription_count ?? 0,
      boost_tier: guild.premium_tier,
    };
    return { value, sources: [fromGuild(facts.id)] };
  },
});

function byKind(channels: readonly APIChannel[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of channels) counts[channelKind(type)] = (counts[channelKind(type)] ?? 0) + 1;
  return counts;
}
