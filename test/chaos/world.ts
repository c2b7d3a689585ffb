import { PermissionFlagsBits } from "discord-api-types/v10";
import type { WorldSeed } from "../../src/simulator/discord/seed.ts";
import { snowflakeAt } from "../../src/simulator/discord/snowflake.ts";
import { DEMO, EVERYDAY_PERMISSIONS } from "../../src/simulator/discord/world-seed.ts";

const began = Date.UTC(2025, 0, 1);
const id = (kind: number, at: number): string => snowflakeAt(began + kind, at);

export const guildId = id(0, 0);
/** Where the tool writes, and nobody talks. */
export const ledgerId = id(1, 999);
export const { botId } = DEMO;
export const channelIds = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => id(1, at));
export const personIds = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => id(2, at));

/** One server with so many channels and people, where everybody may do what a new server lets everybody do. */
export function chaosWorld(channels: number, people: number): WorldSeed {
  const roleId = id(3, 0);
  const everyone = personIds(people);
  const [ownerId = ""] = everyone;
  return {
    applicationId: DEMO.applicationId,
    bot: { id: botId, username: "pilot", globalName: "Pilot", bot: true },
    users: everyone.map((userId, at) => ({
      id: userId,
      username: `person-${at}`,
      globalName: `Person ${at}`,
    })),
    guilds: [
      {
        id: guildId,
        name: "Storm",
        ownerId,
        everyone: EVERYDAY_PERMISSIONS,
        roles: [
          {
            id: roleId,
            name: "Pilot",
            permissions: EVERYDAY_PERMISSIONS | PermissionFlagsBits.ManageMessages,
            ofBot: true,
          },
        ],
        channels: [
          ...channelIds(channels).map((channelId, at) => ({
            id: channelId,
            name: `deck-${at}`,
            kind: "text" as const,
          })),
          { id: ledgerId, name: "ledger", kind: "text" },
        ],
        members: [
          ...everyone.map((userId) => ({ userId, online: true })),
          { userId: botId, roleIds: [roleId], online: true },
        ],
      },
    ],
  };
}
