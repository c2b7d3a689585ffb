import { heapStats } from "bun:jsc";
import { type GatewayGuildCreateDispatchData, PermissionFlagsBits } from "discord-api-types/v10";
import { guildObject } from "../../src/simulator/discord/gateway-payloads.ts";
import type { GuildSeed } from "../../src/simulator/discord/seed.ts";
import { World } from "../../src/simulator/discord/world.ts";
import { type LargeWorldSize, largeWorld } from "../../src/simulator/discord/world-seed-large.ts";
import { type Facts, numberOf } from "./parts.ts";

export const botId = largeWorld({ guilds: 0, channels: 0, roles: 0, members: 0 }).bot.id;

export function sizeOf(facts: Facts): LargeWorldSize {
  return {
    guilds: numberOf(facts, "guilds"),
    channels: numberOf(facts, "channels"),
    roles: numberOf(facts, "roles"),
    members: numberOf(facts, "members"),
  };
}

/** GUILD_CREATE of many guilds, with all members, as it is when it has come over the wire; what it was made from is not kept. */
export function feed(size: LargeWorldSize, take: (guild: GatewayGuildCreateDispatchData) => void): void {
  const seed = largeWorld(size);
  const world = new World({ ...seed, guilds: seed.guilds.map(withOverwrites) }, Date.now);
  for (const guild of world.guilds.values()) {
    const payload = {
      ...guildObject(guild),
      joined_at: new Date(world.now()).toISOString(),
      large: false,
      unavailable: false,
      member_count: guild.members.size,
      voice_states: [],
      members: [...guild.members.values()],
      channels: [...guild.channels.values()],
      threads: [],
      presences: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
    };
    take(JSON.parse(JSON.stringify(payload)));
  }
}

/** Every third channel is for two roles alone, one pair or another. */
function withOverwrites(guild: GuildSeed): GuildSeed {
  const { ViewChannel } = PermissionFlagsBits;
  const channels = guild.channels.map((channel, n) => {
    if (n % 3 !== 0) return channel;
    const pair = guild.roles.slice((n / 3) % 4, ((n / 3) % 4) + 2);
    const allowed = pair.map(({ id }) => ({ id, type: "role", allow: ViewChannel }) as const);
    return {
      ...channel,
      overwrites: [{ id: guild.id, type: "role", deny: ViewChannel } as const, ...allowed],
    };
  });
  return { ...guild, channels };
}

/** What the heap holds, strings and big integers included, once what is garbage has been collected. */
export async function heapBytes(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    Bun.gc(true);
    await Bun.sleep(50);
  }
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}
