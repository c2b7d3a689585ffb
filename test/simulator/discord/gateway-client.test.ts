import { describe, expect, test } from "bun:test";
import { CompressionMethod } from "@discordjs/ws";
import {
  GatewayDispatchEvents as Events,
  type GatewayMessageCreateDispatchData,
  GatewayIntentBits as Intents,
} from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { largeWorld } from "../../../src/simulator/discord/world-seed-large.ts";
import { allIntents, type GatewayClient, gatewayClient } from "./harness.ts";

const { channels, users, guildId } = DEMO;
const say = (simulator: DiscordSimulator, content: string, channelId: string = channels.general) =>
  simulator.say({ userId: users.ana, channelId, content });
const contents = (client: GatewayClient) =>
  client.events.flatMap((event) => (event.t === Events.MessageCreate ? [event.d.content] : []));
const heard = (client: GatewayClient, content: string) =>
  client.next((event) => event.t === Events.MessageCreate && event.d.content === content);

describe("a resume brings what was missed, once and in order", () => {
  const disturbances: Record<string, (simulator: DiscordSimulator) => void> = {
    "a close with 4000": ({ faults }) => faults.gateway.disconnectAll(4000),
    "a cut line": ({ faults }) => faults.gateway.dropWithoutClose(),
    "a requested reconnect": ({ faults }) => faults.gateway.requestReconnect(),
    "a resumable invalid session": ({ faults }) => faults.gateway.invalidSession(true),
  };
  for (const [what, disturb] of Object.entries(disturbances)) {
    test(`after ${what}`, async () => {
      await using simulator = await startDiscordSimulator({ rateLimits: "off" });
      await using client = gatewayClient(simulator, { compression: CompressionMethod.ZlibNative });
      await client.manager.connect();
      say(simulator, "before");
      await heard(client, "before");
      disturb(simulator);
      say(simulator, "meanwhile");
      await simulator.waitForResume();
      say(simulator, "after");
      await heard(client, "after");
      expect(contents(client)).toEqual(["before", "meanwhile", "after"]);
      expect(simulator.gatewayNotes.filter((note) => note.kind === "identify")).toHaveLength(1);
    });
  }

  test("in a new process that kept the session", async () => {
    await using simulator = await startDiscordSimulator();
    const first = gatewayClient(simulator);
    await first.manager.connect();
    say(simulator, "before");
    await heard(first, "before");
    const sessions = new Map(first.sessions);
    await first.stop(4200);
    await simulator.waitForGateway((note) => note.kind === "closed" && note.code === 4200);
    say(simulator, "meanwhile");
    await using second = gatewayClient(simulator, { sessions });
    await second.manager.connect();
    await heard(second, "meanwhile");
    expect(second.events.map((event) => event.t)).toEqual([Events.MessageCreate, Events.Resumed]);
    expect(await simulator.waitForResume()).toMatchObject({ replayed: 1 });
  });
});

test("what was held when the line was cut comes once, by the resume", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  await using client = gatewayClient(simulator);
  await client.manager.connect();
  await client.next((event) => event.t === Events.GuildCreate);
  const release = simulator.faults.gateway.holdDispatches();
  say(simulator, "held");
  simulator.faults.gateway.dropWithoutClose();
  await simulator.waitForResume();
  release();
  say(simulator, "after");
  await heard(client, "after");
  expect(contents(client)).toEqual(["held", "after"]);
});

test("a session that cannot be resumed is begun anew", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  await using client = gatewayClient(simulator);
  await client.manager.connect();
  const since = simulator.mark();
  simulator.faults.gateway.invalidSession(false);
  await simulator.waitForIdentify({ since });
  await simulator.waitForReady({ since });
  say(simulator, "anew");
  await heard(client, "anew");
});

test("a client whose heartbeats are not acknowledged resumes on a new connection", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off", heartbeatInterval: 150 });
  await using client = gatewayClient(simulator);
  await client.manager.connect();
  await simulator.waitForGateway((note) => note.kind === "heartbeat");
  const acknowledge = simulator.faults.gateway.stopAcking();
  await simulator.waitForGateway((note) => note.kind === "closed");
  acknowledge();
  await simulator.waitForResume();
});

test("a client finds its way in once connections are taken again", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  simulator.faults.gateway.refuseConnections(1);
  await using client = gatewayClient(simulator);
  await client.manager.connect();
  expect(simulator.gatewayNotes.map((note) => note.kind)).toEqual([
    "refused",
    "connected",
    "identify",
    "ready",
  ]);
});

describe("dispatches", () => {
  test("are doubled, lost, swapped and held on demand", async () => {
    await using simulator = await startDiscordSimulator({ rateLimits: "off" });
    await using client = gatewayClient(simulator);
    await client.manager.connect();
    await client.next((event) => event.t === Events.GuildCreate);
    const { gateway } = simulator.faults;
    gateway.duplicateNext(1);
    say(simulator, "twice");
    gateway.loseNext(1);
    say(simulator, "lost");
    gateway.reorderNext();
    say(simulator, "late");
    say(simulator, "early");
    await heard(client, "late");
    const release = gateway.holdDispatches();
    say(simulator, "held");
    expect(contents(client)).toEqual(["twice", "twice", "early", "late"]);
    release();
    await heard(client, "held");
    const sequences = client.events.flatMap((event) => (event.t === Events.MessageCreate ? [event.s] : []));
    expect(sequences.map((sequence) => sequence - (sequences[0] ?? 0))).toEqual([0, 0, 3, 2, 4]);
  });

  for (const compression of [null, CompressionMethod.ZlibNative]) {
    test(`come through in a burst, whole and in order (compression ${compression})`, async () => {
      await using simulator = await startDiscordSimulator({
        seed: largeWorld({ guilds: 20, channels: 50, roles: 50, members: 20 }),
      });
      await using client = gatewayClient(simulator, { compression });
      await client.manager.connect();
      const guild = [...simulator.world.guilds.values()][3];
      const channelId = [...(guild?.channels.keys() ?? [])][0] ?? "";
      const userId = guild?.info.owner_id ?? "";
      for (let n = 0; n < 300; n += 1) simulator.say({ userId, channelId, content: `m${n}` });
      await heard(client, "m299");
      expect(contents(client)).toEqual(Array.from({ length: 300 }, (_, n) => `m${n}`));
      expect(client.events.filter((event) => event.t === Events.GuildCreate)).toHaveLength(20);
    });
  }

  test("go to the shard of their guild, direct messages to the first", async () => {
    const seed = largeWorld({ guilds: 4, channels: 1, roles: 1, members: 1 });
    await using simulator = await startDiscordSimulator({ seed, rateLimits: "off" });
    await using client = gatewayClient(simulator, { shardCount: 2 });
    await client.manager.connect();
    const direct = simulator.openDirectMessage(seed.users[0]?.id ?? "");
    simulator.say({ userId: seed.users[0]?.id ?? "", channelId: direct, content: "psst" });
    await heard(client, "psst");
    const ready = client.events.flatMap((event) => (event.t === Events.Ready ? [event.d] : []));
    expect(ready.map((one) => one.guilds.length)).toEqual([2, 2]);
    expect(ready.map((one) => one.shard?.[0]).sort()).toEqual([0, 1]);
  });
});

describe("intents", () => {
  const without = allIntents & ~Intents.MessageContent;

  test("without MESSAGE_CONTENT leave content in direct messages, mentions of the bot and its own messages", async () => {
    await using simulator = await startDiscordSimulator({ rateLimits: "off" });
    await using client = gatewayClient(simulator, { intents: without });
    await client.manager.connect();
    const attachments = [{ filename: "map.png" }];
    const plain = simulator.say({
      userId: users.ana,
      channelId: channels.general,
      content: "secret",
      attachments,
    });
    const toBot = say(simulator, `<@${DEMO.botId}> open`);
    const toRole = say(simulator, `<@&${DEMO.roles.bot}> closed`);
    const direct = say(simulator, "direct", simulator.openDirectMessage(users.ana));
    const last = simulator.say({
      userId: DEMO.botId,
      channelId: channels.general,
      content: "mine",
      replyTo: plain.id,
    });
    await heard(client, "mine");
    const byId = new Map(
      client.events.flatMap((event) =>
        event.t === Events.MessageCreate ? [[event.d.id, event.d] as const] : [],
      ),
    );
    expect(byId.get(plain.id)).toMatchObject({ content: "", attachments: [] });
    expect(byId.get(toBot.id)?.content).toContain("open");
    expect(byId.get(toRole.id)?.content).toBe("");
    expect(byId.get(direct.id)).toMatchObject({ content: "direct" });
    expect(byId.get(direct.id)?.guild_id).toBeUndefined();
    expect(byId.get(last.id)?.referenced_message?.content).toBe("");
  });

  test("decide which events come, and which members a guild brings", async () => {
    await using simulator = await startDiscordSimulator({ rateLimits: "off" });
    await using client = gatewayClient(simulator, { intents: Intents.Guilds | Intents.DirectMessages });
    await client.manager.connect();
    const guild = await client.next((event) => event.t === Events.GuildCreate);
    expect(guild.d).toMatchObject({
      member_count: 6,
      presences: [],
      members: [{ user: { id: DEMO.botId } }],
    });
    say(simulator, "unheard");
    simulator.people.type(users.ana, channels.general);
    simulator.changes.members.update(guildId, users.ana, { nick: "Annie" });
    simulator.changes.members.update(guildId, DEMO.botId, { nick: "Pilot" });
    say(simulator, "psst", simulator.openDirectMessage(users.ana));
    await client.next((event) => event.t === Events.MessageCreate);
    expect(client.events.map((event) => event.t)).toEqual([
      Events.Ready,
      Events.GuildCreate,
      Events.GuildMemberUpdate,
      Events.MessageCreate,
    ]);
  });

  test("do not show what the bot cannot see", async () => {
    await using simulator = await startDiscordSimulator({ rateLimits: "off" });
    await using client = gatewayClient(simulator);
    await client.manager.connect();
    simulator.changes.channels.removeOverwrite(channels.staff, DEMO.botId);
    simulator.say({ userId: users.moderator, channelId: channels.staff, content: "hidden" });
    say(simulator, "open");
    await heard(client, "open");
    expect(contents(client)).toEqual(["open"]);
  });
});

test("every change of the world makes its event", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  const intents = allIntents | Intents.GuildModeration | Intents.GuildExpressions;
  await using client = gatewayClient(simulator, { intents });
  await client.manager.connect();
  await client.next((event) => event.t === Events.GuildCreate);
  const { guilds, channels: ofChannels, members } = simulator.changes;
  const role = guilds.addRole(guildId, { name: "Pilots", permissions: 0n });
  guilds.updateRole(guildId, role.id, { name: "Pilot" });
  members.addRole(guildId, users.ben, role.id);
  guilds.removeRole(guildId, role.id);
  const channel = ofChannels.add(guildId, { name: "new", kind: "text" });
  ofChannels.update(channel.id, { topic: "fresh" });
  const thread = ofChannels.add(guildId, { name: "t", kind: "thread", parentId: channel.id });
  ofChannels.addThreadMember(thread.id, users.ben);
  ofChannels.update(thread.id, { name: "u" });
  ofChannels.remove(thread.id);
  ofChannels.remove(channel.id);
  const carl = guilds.addUser({ username: "carl" });
  members.add(guildId, { userId: carl.id });
  members.timeout(guildId, carl.id, Date.now() + 60_000);
  members.ban(guildId, carl.id);
  members.unban(guildId, carl.id);
  guilds.setOnline(guildId, users.ben, true);
  guilds.addEmoji(guildId, "tea");
  const message = say(simulator, "one");
  simulator.edit(message.id, "two");
  simulator.people.react(users.ben, message.id, "👍");
  simulator.remove(message.id);
  guilds.update(guildId, { name: "Port" });
  simulator.interact.command({ userId: users.ana, channelId: channels.general, name: "ask" });
  guilds.interrupt(guildId);
  guilds.restore(guildId);
  guilds.removeBot(guildId);
  await client.next((event) => event.t === Events.GuildDelete && event.d.unavailable === undefined);
  expect(client.events.slice(2).map((event) => event.t)).toEqual([
    Events.GuildRoleCreate,
    Events.GuildRoleUpdate,
    Events.GuildMemberUpdate,
    Events.GuildRoleDelete,
    Events.ChannelCreate,
    Events.ChannelUpdate,
    Events.ThreadCreate,
    Events.ThreadMembersUpdate,
    Events.ThreadUpdate,
    Events.ThreadDelete,
    Events.ChannelDelete,
    Events.GuildMemberAdd,
    Events.GuildMemberUpdate,
    Events.GuildBanAdd,
    Events.GuildMemberRemove,
    Events.GuildBanRemove,
    Events.PresenceUpdate,
    Events.GuildEmojisUpdate,
    Events.MessageCreate,
    Events.MessageUpdate,
    Events.MessageReactionAdd,
    Events.MessageDelete,
    Events.GuildUpdate,
    Events.InteractionCreate,
    Events.GuildDelete,
    Events.GuildCreate,
    Events.GuildDelete,
  ]);
  const created = client.events.find((event) => event.t === Events.MessageCreate)
    ?.d as GatewayMessageCreateDispatchData;
  expect(created.member).toMatchObject({ roles: [DEMO.roles.crew] });
});
