import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { channelPermissions, guildPermissions } from "../../../src/simulator/discord/permissions.ts";
import { NonceMemory } from "../../../src/simulator/discord/rest/nonces.ts";
import {
  compareIds,
  SnowflakeClock,
  snowflakeAt,
  snowflakeTime,
} from "../../../src/simulator/discord/snowflake.ts";
import { World } from "../../../src/simulator/discord/world.ts";
import { DEMO, demoWorld, twoServers } from "../../../src/simulator/discord/world-seed.ts";
import { largeWorld } from "../../../src/simulator/discord/world-seed-large.ts";

const now = Date.UTC(2026, 5, 1);

describe("ids", () => {
  test("carry their time and grow even when the clock does not", () => {
    let time = now;
    const clock = new SnowflakeClock(() => time);
    const ids = Array.from({ length: 5000 }, () => clock.next());
    time -= 60_000;
    ids.push(clock.next());
    expect(new Set(ids).size).toBe(5001);
    expect([...ids].sort(compareIds)).toEqual(ids);
    expect(snowflakeTime(ids[0] ?? "")).toBe(now);
    expect(snowflakeTime(snowflakeAt(now, 7))).toBe(now);
  });

  test("of the demo are the same in every process, those of its messages are not", () => {
    expect(demoWorld()).toEqual(demoWorld());
    expect(twoServers()).toEqual({ ...demoWorld(), guilds: [...demoWorld().guilds, expect.anything()] });
    expect(twoServers().guilds[1]?.id).toBe(DEMO.lighthouse.guildId);
    const [a, b] = [new World(demoWorld(), () => now), new World(demoWorld(), () => now + 1)];
    const of = (world: World) => world.messages.in(DEMO.channels.general).map((message) => message.id);
    expect(of(a)).toHaveLength(3);
    expect(of(a)).not.toEqual(of(b));
  });
});

describe("permissions", () => {
  const { users, channels, guildId } = DEMO;
  const world = new World(demoWorld(), () => now);
  const may = (userId: string, channelId: string, permission: bigint) => {
    const channel = world.channel(channelId);
    return channel !== null && (channelPermissions(world, channel, userId) & permission) !== 0n;
  };
  const { ViewChannel, SendMessages, ManageMessages } = PermissionFlagsBits;

  test("go from everyone over roles to members, and the owner may everything", () => {
    expect(may(users.ana, channels.general, SendMessages)).toBe(true);
    expect(may(users.ana, channels.announcements, SendMessages)).toBe(false);
    expect(may(users.ana, channels.staff, ViewChannel)).toBe(false);
    expect(may(users.moderator, channels.staff, ViewChannel)).toBe(true);
    expect(may(DEMO.botId, channels.staff, ViewChannel)).toBe(true);
    expect(may(users.owner, channels.staff, ManageMessages)).toBe(true);
    expect(may("1", channels.general, ViewChannel)).toBe(false);
    expect(guildPermissions(world, world.guild(guildId), users.ana) & ManageMessages).toBe(0n);
  });

  test("keep private threads to their members and those who manage threads", () => {
    expect(may(users.ana, channels.privateThread, ViewChannel)).toBe(false);
    expect(may(users.moderator, channels.privateThread, ViewChannel)).toBe(true);
    expect(may(DEMO.botId, channels.privateThread, ViewChannel)).toBe(true);
    expect(may(users.ana, channels.thread, ViewChannel)).toBe(true);
  });
});

test("a large world is as large as it was asked to be", () => {
  const world = new World(largeWorld({ guilds: 3, channels: 4, roles: 5, members: 6 }), () => now);
  expect(world.guilds.size).toBe(3);
  for (const guild of world.guilds.values()) {
    // With @everyone among the roles and the bot among the members.
    expect([guild.channels.size, guild.roles.size, guild.members.size]).toEqual([4, 6, 7]);
    expect(world.botRoleId(guild.id)).not.toBeNull();
  }
});

test("nonces are told apart by author and forgotten after two minutes", () => {
  let time = now;
  const nonces = new NonceMemory(() => time);
  nonces.remember("1", "a", "m1");
  expect(nonces.find("1", "a")).toBe("m1");
  expect(nonces.find("2", "a")).toBeNull();
  time += 120_000;
  expect(nonces.find("1", "a")).toBeNull();
});
