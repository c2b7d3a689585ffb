import type { ChannelSeed, GuildSeed, WorldSeed } from "./seed.ts";
import { snowflakeAt } from "./snowflake.ts";
import { demoWorld, everydayPermissions } from "./world-seed.ts";

export interface LargeWorldSize {
  readonly guilds: number;
  /** Of each guild, as are roles and members. */
  readonly channels: number;
  readonly roles: number;
  readonly members: number;
}

const first = Date.UTC(2024, 3, 1);

/** Many guilds of the same make, for benchmarks: the same ids for the same size. The bot is in all of them. */
export function largeWorld(size: LargeWorldSize): WorldSeed {
  const { bot, applicationId } = demoWorld();
  const users = Array.from({ length: size.members }, (_, at) => ({
    id: snowflakeAt(first, at),
    username: `member-${at}`,
    globalName: `Member ${at}`,
  }));
  const owner = users[0] ?? { id: snowflakeAt(first), username: "owner" };
  const guilds = Array.from({ length: size.guilds }, (_, at): GuildSeed => {
    // A millisecond for each guild spreads them over shards, which go by the time part of the id.
    const id = (step: number) => snowflakeAt(first + 1 + at, step);
    const roles = Array.from({ length: size.roles }, (_, n) => ({
      id: id(10_000 + n),
      name: `Role ${n}`,
      permissions: everydayPermissions,
      ...(n === 0 ? { ofBot: true } : {}),
    }));
    const botRoles = roles.slice(0, 1).map((role) => role.id);
    return {
      id: id(0),
      name: `Guild ${at}`,
      ownerId: owner.id,
      everyone: everydayPermissions,
      roles,
      channels: Array.from(
        { length: size.channels },
        (_, n): ChannelSeed => ({
          id: id(20_000 + n),
          name: `channel-${n}`,
          kind: "text",
          topic: `Topic ${n}`,
        }),
      ),
      members: [
        ...users.map((user, n) => ({
          userId: user.id,
          roleIds: roles.slice(1 + (n % 5), 3 + (n % 5)).map((role) => role.id),
          online: n % 3 === 0,
        })),
        { userId: bot.id, roleIds: botRoles, online: true },
      ],
    };
  });
  return { applicationId, bot, users: users.length > 0 ? users : [owner], guilds };
}
