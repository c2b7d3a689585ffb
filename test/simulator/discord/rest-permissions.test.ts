import { describe, expect, test } from "bun:test";
import { GatewayDispatchEvents as Events, OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, gatewayClient, refusal } from "./harness.ts";
import { attachContract } from "./openapi-contract.ts";

const { channels, users, roles, guildId, tags, botId } = DEMO;
const P = PermissionFlagsBits;

/** A simulator whose exchanges have to fit Discord's description. */
async function start() {
  const simulator = await startDiscordSimulator({ rateLimits: "off" });
  const contract = attachContract(simulator);
  return {
    simulator,
    ...api(simulator),
    async [Symbol.asyncDispose]() {
      await simulator[Symbol.asyncDispose]();
      expect(contract.violations).toEqual([]);
    },
  };
}

/** Takes bits from the bot in a channel. */
const deny = (simulator: DiscordSimulator, channelId: string, bits: bigint) =>
  simulator.changes.channels.setOverwrite(channelId, { id: botId, type: "member", deny: bits });

/** Takes bits from the bot everywhere. */
function strip(simulator: DiscordSimulator, bits: bigint): void {
  const held = BigInt(simulator.world.guild(guildId).roles.get(roles.bot)?.permissions ?? "0");
  simulator.changes.guilds.updateRole(guildId, roles.bot, { permissions: String(held & ~bits) });
}

describe("threads", () => {
  test("of the bot's own it may rename and archive, but not lock, without Manage Threads", async () => {
    await using at = await start();
    const { id } = await at.channels.createThread(channels.general, { name: "mine", type: 11 });
    deny(at.simulator, channels.general, P.ManageThreads);
    expect(await at.channels.edit(id, { name: "still mine" })).toMatchObject({ name: "still mine" });
    expect(await refusal(at.channels.edit(id, { locked: true }))).toMatchObject({ code: 50013 });
    expect(await refusal(at.channels.edit(id, { rate_limit_per_user: 5 }))).toMatchObject({ code: 50013 });
    expect(await refusal(at.channels.edit(channels.thread, { name: "x" }))).toMatchObject({ code: 50013 });
    expect(await refusal(at.channels.delete(id))).toMatchObject({ code: 50013 });
    await at.channels.edit(id, { archived: true });
    expect(await at.channels.edit(id, { archived: false })).toMatchObject({
      thread_metadata: { archived: false },
    });
  });

  test("that are archived are opened by a message, and locked ones are not", async () => {
    await using at = await start();
    const { channels: of, simulator } = at;
    await of.createMessage(channels.archivedThread, { content: "one more knot" });
    expect(await of.get(channels.archivedThread)).toMatchObject({ thread_metadata: { archived: false } });
    await of.edit(channels.archivedThread, { archived: true, locked: true });
    deny(simulator, channels.help, P.ManageThreads);
    const post = of.createMessage(channels.archivedThread, { content: "x" });
    expect(await refusal(post)).toMatchObject({ code: 160005 });
    const reopened = of.edit(channels.archivedThread, { archived: false });
    expect(await refusal(reopened)).toMatchObject({ code: 50013 });
  });

  test("take other permissions when they are private, and are of another kind under announcements", async () => {
    await using at = await start();
    deny(at.simulator, channels.general, P.CreatePrivateThreads);
    expect(await refusal(at.channels.createThread(channels.general, { name: "x" }))).toMatchObject({
      code: 50013,
    });
    await at.channels.createThread(channels.general, { name: "x", type: 11 });
    deny(at.simulator, channels.help, P.CreatePublicThreads);
    const open = at.channels.createThread(channels.help, { name: "x", type: 11 });
    expect(await refusal(open)).toMatchObject({ code: 50013 });
    const news = await at.channels.createThread(channels.announcements, { name: "x", type: 10 });
    expect(news.type).toBe(10);
    const wrong = at.channels.createThread(channels.announcements, { name: "x", type: 12 });
    expect(await refusal(wrong)).toMatchObject({ code: 50035 });
    const inVoice = at.channels.createThread(channels.voice, { name: "x", type: 11 });
    expect(await refusal(inVoice)).toMatchObject({ code: 50024 });
  });

  test("have members that only managers put in or take out of closed private ones", async () => {
    await using at = await start();
    const { threads, simulator } = at;
    deny(simulator, channels.general, P.ManageThreads);
    simulator.changes.channels.addThreadMember(channels.sharedThread, botId);
    await threads.addMember(channels.sharedThread, users.ben);
    expect(await refusal(threads.removeMember(channels.sharedThread, users.ben))).toMatchObject({
      code: 50013,
    });
    const { thread_metadata } = simulator.world.guild(guildId).threads.get(channels.sharedThread) ?? {};
    if (thread_metadata === undefined) throw new Error("The thread has no metadata");
    simulator.changes.channels.update(channels.sharedThread, {
      thread_metadata: { ...thread_metadata, invitable: false },
    });
    expect(await refusal(threads.addMember(channels.sharedThread, users.owner))).toMatchObject({
      code: 50013,
    });
  });

  test("are what has members: for any other channel there is nobody to find", async () => {
    await using at = await start();
    for (const id of [channels.general, "1212912186163299999"]) {
      expect(await refusal(at.threads.getMember(id, users.ana))).toMatchObject({ status: 404, code: 10003 });
    }
    expect(await refusal(at.threads.getMember(channels.sharedThread, users.ben))).toMatchObject({
      status: 404,
      code: 10007,
    });
  });
});

describe("forums", () => {
  const message = { content: "An idea" };

  test("take posts of those who may write there, with tags that they have", async () => {
    await using at = await start();
    const post = (applied_tags: string[]) =>
      at.channels.createForumThread(channels.forum, { name: "x", message, applied_tags });
    expect(await post([tags.boats, tags.approved])).toMatchObject({
      applied_tags: [tags.boats, tags.approved],
    });
    expect(await refusal(post(["1212912186163299999"]))).toMatchObject({ code: 10087 });
    deny(at.simulator, channels.forum, P.ManageThreads);
    expect(await refusal(post([tags.approved]))).toMatchObject({ code: 50013 });
    await at.channels.edit(channels.forum, { topic: "Ideas" });
    at.simulator.changes.channels.update(channels.forum, { flags: 1 << 4 });
    expect(await refusal(post([]))).toMatchObject({ code: 40067 });
    deny(at.simulator, channels.forum, P.SendMessages);
    expect(await refusal(post([tags.boats]))).toMatchObject({ code: 50013 });
  });
});

describe("overwrites", () => {
  const type = OverwriteType.Role;

  test("take Manage Roles, and give or take only what the bot has itself", async () => {
    await using at = await start();
    const set = (body: { allow?: string; deny?: string }, id: string = roles.crew) =>
      at.channels.editPermissionOverwrite(channels.help, id, { type, ...body });
    await set({ deny: String(P.SendMessages) });
    expect(await refusal(set({ allow: String(P.ManageWebhooks) }))).toMatchObject({ code: 50013 });
    expect(await refusal(set({ deny: String(P.ManageRoles) }))).toMatchObject({ code: 50013 });
    expect(await refusal(set({}, "1212912186163299999"))).toMatchObject({ status: 404, code: 10009 });
    expect(await refusal(set({}, users.ana))).toMatchObject({ status: 404, code: 10009 });
    deny(at.simulator, channels.help, P.ManageRoles);
    expect(await refusal(set({ deny: "0" }))).toMatchObject({ code: 50013 });
  });

  test("of a category are those of a channel that is made in it, and of one that is moved and synced", async () => {
    await using at = await start();
    const { guilds, channels: of, simulator } = at;
    const bits = String(P.AddReactions);
    simulator.changes.channels.setOverwrite(channels.category, {
      id: roles.crew,
      type: "role",
      deny: P.AddReactions,
    });
    const made = await guilds.createChannel(guildId, { name: "pier", parent_id: channels.category });
    expect(made).toMatchObject({ permission_overwrites: [{ id: roles.crew, deny: bits }] });
    const move = { id: channels.announcements, parent_id: channels.category, lock_permissions: true };
    await guilds.setChannelPositions(guildId, [move]);
    expect(await of.get(channels.announcements)).toMatchObject({
      parent_id: channels.category,
      permission_overwrites: [{ id: roles.crew, deny: bits }],
    });
    await of.delete(channels.category);
    expect(await of.get(made.id)).toMatchObject({ parent_id: null });
  });
});

describe("moving channels", () => {
  test("is a right in the server for places, and on both sides for categories", async () => {
    await using at = await start();
    const { guilds, simulator } = at;
    const there = { id: channels.announcements, parent_id: channels.category };
    deny(simulator, channels.announcements, P.ManageChannels);
    expect(await refusal(guilds.setChannelPositions(guildId, [there]))).toMatchObject({ code: 50001 });
    await guilds.setChannelPositions(guildId, [{ id: channels.announcements, position: 9 }]);
    const nowhere = { id: channels.announcements, parent_id: channels.general };
    expect(await refusal(guilds.setChannelPositions(guildId, [nowhere]))).toMatchObject({ code: 50035 });
    strip(simulator, P.ManageChannels);
    const place = guilds.setChannelPositions(guildId, [{ id: channels.help, position: 1 }]);
    expect(await refusal(place)).toMatchObject({ code: 50013 });
  });
});

describe("members and roles", () => {
  test("an administrator is not put in time-out, and nobody is muted who is in no voice channel", async () => {
    await using at = await start();
    const { guilds, simulator } = at;
    simulator.changes.guilds.updateRole(guildId, roles.crew, { permissions: String(P.Administrator) });
    const communication_disabled_until = new Date(Date.now() + 60_000).toISOString();
    const timeout = (id: string) => guilds.editMember(guildId, id, { communication_disabled_until });
    expect(await refusal(timeout(users.ana))).toMatchObject({ code: 50013 });
    await timeout(users.ben);
    simulator.changes.guilds.updateRole(guildId, roles.bot, { permissions: String(P.Administrator) });
    const muted = guilds.editMember(guildId, users.ben, { mute: true });
    expect(await refusal(muted)).toMatchObject({ code: 40032 });
  });

  test("of two roles in one place the older is higher", async () => {
    await using at = await start();
    const { guilds, simulator } = at;
    const place = simulator.world.guild(guildId).roles.get(roles.bot)?.position ?? 0;
    simulator.changes.guilds.updateRole(guildId, roles.crew, { position: place });
    expect(await refusal(guilds.addRoleToMember(guildId, users.ben, roles.crew))).toMatchObject({
      code: 50013,
    });
    simulator.changes.guilds.updateRole(guildId, roles.muted, { position: place });
    await guilds.addRoleToMember(guildId, users.ben, roles.muted);
  });

  test("roles are moved below the bot's own, and the others make room", async () => {
    await using at = await start();
    const { guilds } = at;
    const order = async () =>
      (await guilds.getRoles(guildId)).toSorted((a, b) => a.position - b.position).map(({ id }) => id);
    expect(await order()).toEqual([guildId, roles.muted, roles.crew, roles.bot, roles.moderator]);
    await guilds.setRolePositions(guildId, [{ id: roles.muted, position: 2 }]);
    expect(await order()).toEqual([guildId, roles.crew, roles.muted, roles.bot, roles.moderator]);
    const above = guilds.setRolePositions(guildId, [{ id: roles.muted, position: 3 }]);
    expect(await refusal(above)).toMatchObject({ code: 50013 });
  });

  test("a role that is deleted is gone from members and channels", async () => {
    await using at = await start();
    await at.guilds.deleteRole(guildId, roles.muted);
    expect(await at.channels.get(channels.random)).toMatchObject({ permission_overwrites: [] });
  });
});

test("messages: duplicates and direct messages are no bulk, and search knows what is in them", async () => {
  await using at = await start();
  const { channels: of, guilds, simulator } = at;
  const { id } = simulator.say({
    userId: users.ana,
    channelId: channels.general,
    content: "https://a.example",
  });
  expect(await refusal(of.bulkDeleteMessages(channels.general, [id, id]))).toMatchObject({ code: 50035 });
  const direct = simulator.openDirectMessage(users.ana);
  expect(await refusal(of.bulkDeleteMessages(direct, [id, botId]))).toMatchObject({ code: 50003 });
  const total = async (query: object) => {
    const found = await guilds.searchForMessages(guildId, query);
    return "messages" in found ? found.total_results : null;
  };
  expect(await total({ has: ["link"], channel_id: [channels.general] })).toBe(1);
  expect(await total({ has: ["image"], channel_id: [channels.general] })).toBe(0);
  simulator.changes.channels.update(channels.general, { nsfw: true });
  expect(await total({ has: ["link"] })).toBe(0);
  expect(await total({ has: ["link"], include_nsfw: true })).toBe(1);
});

test("what is done is told on the gateway, with the audit log's entry", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  await using client = gatewayClient(simulator, { intents: (1 << 0) | (1 << 2) | (1 << 9) });
  await client.manager.connect();
  await client.next((event) => event.t === Events.GuildCreate);
  const { channels: of, guilds } = api(simulator);
  const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "keep" });
  await of.pinMessage(channels.general, id, { reason: "why not" });
  const entry = await client.next((event) => event.t === Events.GuildAuditLogEntryCreate);
  expect(entry.d).toMatchObject({ guild_id: guildId, user_id: botId, reason: "why not" });
  await client.next((event) => event.t === Events.ChannelPinsUpdate);
  const edited = await client.next((event) => event.t === Events.MessageUpdate);
  expect(edited.d).toMatchObject({ id, pinned: true, edited_timestamp: null });
  await guilds.setChannelPositions(guildId, [{ id: channels.help, position: 7 }]);
  const moved = await client.next((event) => event.t === Events.ChannelUpdate);
  expect(moved.d).toMatchObject({ id: channels.help, position: 7 });
  strip(simulator, P.ViewAuditLog);
  await of.unpinMessage(channels.general, id);
  await client.next((event) => event.t === Events.ChannelPinsUpdate && event.d.last_pin_timestamp === null);
  expect(client.events.filter((event) => event.t === Events.GuildAuditLogEntryCreate)).toHaveLength(2);
});
