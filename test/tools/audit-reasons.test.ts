import { expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { WorldSeed } from "../../src/simulator/discord/seed.ts";
import { messagesTools } from "../../src/tools/messages/all.ts";
import { DEMO, disarm, startWorld } from "./world.ts";

const { channels, users, roles } = DEMO;
const { PinMessages, ViewAuditLog, ViewChannel } = PermissionFlagsBits;
const pin = "discord_message_pin";

/** Moderators see #staff and may not read the audit log; the crew may read it, and does not see #staff. */
const apart = (seed: WorldSeed): WorldSeed => ({
  ...seed,
  guilds: seed.guilds.map((guild) => ({
    ...guild,
    roles: guild.roles.map((role) => {
      if (role.id === roles.crew) return { ...role, permissions: ViewAuditLog };
      return role.id === roles.moderator ? { ...role, permissions: PinMessages } : role;
    }),
  })),
});

// Discord's audit log is read by those who hold View Audit Log, whichever channel an entry is about.
test("a reason that may hold a private channel's words is asked about before it goes to the audit log", async () => {
  await using world = await startWorld({ tools: messagesTools, seed: apart });
  const { id } = world.simulator.say({ userId: users.moderator, channelId: channels.staff, content: "Keys" });
  const there = { as: users.moderator, channel: channels.staff, turn: "t_1" };
  const input = { message_id: id, reason: "Olive has the keys" };
  expect(await world.question(pin, input, there)).toContain("I have read things for you");
  expect(world.reasons()).toEqual([]);

  // Without a reason nobody reads more than before, and a program's own words are its own.
  expect((await world.call(pin, { message_id: id }, { ...there, approve: false })).kind).toBe("done");
  const program = { as: users.moderator, channel: channels.staff, approve: false };
  expect((await world.call(pin, input, program)).kind).toBe("done");
});

test("it is not where all who read the log see the channel", async () => {
  await using world = await startWorld({ tools: messagesTools, seed: apart });
  const { id } = world.simulator.say({ userId: users.ben, channelId: channels.general, content: "Tea" });
  const there = { as: users.moderator, turn: "t_1", approve: false };
  const input = { message_id: id, reason: "Often asked for" };
  expect((await world.call(pin, input, there)).kind).toBe("done");

  disarm(world, ViewAuditLog);
  world.simulator.changes.channels.setOverwrite(channels.staff, {
    ...{ id: roles.crew, type: "role", allow: ViewChannel },
  });
  const kept = world.simulator.say({ userId: users.moderator, channelId: channels.staff, content: "Keys" });
  const inStaff = { ...there, channel: channels.staff };
  expect((await world.call(pin, { message_id: kept.id, reason: "x" }, inStaff)).kind).toBe("done");
  expect(world.reasons().at(-1)).toContain("x");
});
