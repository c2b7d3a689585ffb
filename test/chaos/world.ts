import type { GuildSeed, WorldSeed } from "../../src/simulator/discord/seed.ts";
import { snowflakeAt } from "../../src/simulator/discord/snowflake.ts";
import { DEMO, everydayPermissions } from "../../src/simulator/discord/world-seed.ts";

const began = Date.UTC(2025, 0, 1);
const id = (kind: number, at: number): string => snowflakeAt(began + kind, at);

export const { botId } = DEMO;

/** A server, where its people talk, and where the tool writes while nobody talks. */
export interface Server {
  readonly id: string;
  readonly channelIds: readonly string[];
  readonly ledgerId: string;
}

/** In the first, tools write at once; in the second they ask first. */
export const runs = id(0, 0);
export const asks = id(0, 1);
const channelsEach = 5;

export const servers: readonly [Server, Server] = [server(runs, 0), server(asks, 1)];

function server(serverId: string, at: number): Server {
  const channelIds = Array.from({ length: channelsEach }, (_, n) => id(1, at * 100 + n));
  return { id: serverId, channelIds, ledgerId: id(1, at * 100 + 99) };
}

export const personIds = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => id(2, at));

/** Both servers, with the same people, who may do there what a new server lets everybody do. */
export function chaosWorld(people: number): WorldSeed {
  const everyone = personIds(people);
  return {
    applicationId: DEMO.applicationId,
    bot: { id: botId, username: "pilot", globalName: "Pilot", bot: true },
    users: everyone.map((userId, at) => ({
      id: userId,
      username: `person-${at}`,
      globalName: `Person ${at}`,
    })),
    guilds: servers.map((one, at) => seedOf(one, at, everyone)),
  };
}

function seedOf(
  { id: serverId, channelIds, ledgerId }: Server,
  at: number,
  everyone: readonly string[],
): GuildSeed {
  const [ownerId = ""] = everyone;
  const roleId = id(3, at);
  return {
    id: serverId,
    name: `Storm ${at}`,
    ownerId,
    everyone: everydayPermissions,
    roles: [{ id: roleId, name: "Pilot", permissions: everydayPermissions, ofBot: true }],
    channels: [
      ...channelIds.map((channelId, n) => ({ id: channelId, name: `deck-${n}`, kind: "text" as const })),
      { id: ledgerId, name: "ledger", kind: "text" },
    ],
    members: [
      ...everyone.map((userId) => ({ userId, online: true })),
      { userId: botId, roleIds: [roleId], online: true },
    ],
  };
}
