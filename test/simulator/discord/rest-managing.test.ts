import { afterAll, beforeAll, expect, test } from "bun:test";
import { AuditLogEvent, ChannelType, OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, refusal } from "./harness.ts";
import { attachContract, type Contract } from "./openapi-contract.ts";

const { channels, users, guildId, roles } = DEMO;
let simulator: DiscordSimulator;
let contract: Contract;

beforeAll(async () => {
  simulator = await startDiscordSimulator({ rateLimits: "off" });
  contract = attachContract(simulator);
});
afterAll(async () => {
  await simulator[Symbol.asyncDispose]();
  expect(contract.violations).toEqual([]);
  expect(contract.checked).toBeGreaterThan(20);
});

test("channels and threads are made, changed and removed", async () => {
  const { guilds, channels: of } = api(simulator);
  const deny = String(PermissionFlagsBits.SendMessages);
  const made = await guilds.createChannel(guildId, {
    name: "Fog Horn",
    topic: "Loud",
    parent_id: channels.category,
    permission_overwrites: [{ id: guildId, type: OverwriteType.Role, deny }],
  });
  expect(made).toMatchObject({ name: "fog-horn", permission_overwrites: [{ deny }] });
  expect(await of.edit(made.id, { topic: null, rate_limit_per_user: 10 })).toMatchObject({
    topic: null,
    rate_limit_per_user: 10,
  });
  await of.editPermissionOverwrite(made.id, users.ben, { type: OverwriteType.Member, allow: deny });
  await of.deletePermissionOverwrite(made.id, guildId);
  expect(await of.get(made.id)).toMatchObject({ permission_overwrites: [{ id: users.ben }] });
  const message = await of.createMessage(made.id, { content: "Start here" });
  const thread = await of.createThread(made.id, { name: "topic" }, message.id);
  expect(thread.id).toBe(message.id);
  await of.createThread(made.id, { name: "private", type: ChannelType.PrivateThread });
  await of.edit(thread.id, { archived: true });
  expect((await guilds.getActiveThreads(guildId)).threads.map((one) => one.id)).not.toContain(thread.id);
  await of.pinMessage(made.id, message.id);
  expect(await of.getPins(made.id)).toHaveLength(1);
  await of.unpinMessage(made.id, message.id);
  await of.delete(made.id);
  expect(await refusal(of.get(thread.id))).toMatchObject({ code: 10003 });
  const orphan = guilds.createChannel(guildId, { name: "x", parent_id: channels.general });
  expect(await refusal(orphan)).toMatchObject({ rawError: { errors: { parent_id: {} } } });
});

test("roles are made, given and taken below the bot's own", async () => {
  const { guilds } = api(simulator);
  const made = await guilds.createRole(guildId, { name: "Deckhand", color: 0x00ff00 });
  expect((await guilds.editRole(guildId, made.id, { name: "Mate", permissions: "0" })).name).toBe("Mate");
  await guilds.addRoleToMember(guildId, users.ben, made.id);
  expect((await guilds.getMember(guildId, users.ben)).roles).toEqual([made.id]);
  await guilds.removeRoleFromMember(guildId, users.ben, made.id);
  expect(await refusal(guilds.addRoleToMember(guildId, users.ben, roles.moderator))).toMatchObject({
    code: 50013,
  });
  expect(await refusal(guilds.addRoleToMember(guildId, users.ben, roles.bot))).toMatchObject({ code: 50013 });
  const all = String(PermissionFlagsBits.Administrator);
  expect(await refusal(guilds.createRole(guildId, { permissions: all }))).toMatchObject({ code: 50013 });
  await guilds.deleteRole(guildId, made.id);
  expect(await refusal(guilds.getRole(guildId, made.id))).toMatchObject({ code: 10011 });
});

test("members are timed out, renamed, kicked and banned below the bot's own role, and it is written down", async () => {
  const { guilds } = api(simulator);
  const until = new Date(Date.now() + 60_000).toISOString();
  const member = await guilds.editMember(
    guildId,
    users.ben,
    { communication_disabled_until: until, nick: "Ben" },
    { reason: "Too loud" },
  );
  expect(member).toMatchObject({ communication_disabled_until: until, nick: "Ben" });
  const log = await guilds.getAuditLogs(guildId, { action_type: AuditLogEvent.MemberUpdate });
  expect(log.audit_log_entries[0]).toMatchObject({
    target_id: users.ben,
    user_id: DEMO.botId,
    reason: "Too loud",
  });
  const forLong = new Date(Date.now() + 29 * 86_400_000).toISOString();
  expect(
    await refusal(guilds.editMember(guildId, users.ben, { communication_disabled_until: forLong })),
  ).toMatchObject({ code: 50035 });
  expect(await refusal(guilds.removeMember(guildId, users.owner))).toMatchObject({ code: 50013 });
  expect(await refusal(guilds.removeMember(guildId, users.moderator))).toMatchObject({ code: 50013 });
  await guilds.removeMember(guildId, users.otherBot);
  expect(await refusal(guilds.getMember(guildId, users.otherBot))).toMatchObject({ code: 10007 });
  await guilds.banUser(guildId, users.ben, {}, { reason: "Rude" });
  expect(await guilds.getMemberBan(guildId, users.ben)).toMatchObject({ reason: "Rude" });
  expect(await guilds.getMemberBans(guildId)).toHaveLength(1);
  await guilds.unbanUser(guildId, users.ben);
  expect(await refusal(guilds.getMemberBan(guildId, users.ben))).toMatchObject({ code: 10026 });
});
