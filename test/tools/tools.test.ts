import { describe, expect, test } from "bun:test";
import { OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import type { Actor } from "../../src/actor.ts";
import { createFacts } from "../../src/discord/facts.ts";
import { GuildState } from "../../src/discord/guild-state.ts";
import { createRestClients } from "../../src/discord/rest-client.ts";
import { createRestReader } from "../../src/discord/rest-reader.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { allTools } from "../../src/tools/all.ts";
import type { AuditRow } from "../../src/tools/ports.ts";
import { createRegistry } from "../../src/tools/registry.ts";
import { unwrapped } from "./harness.ts";

const { channels, users, roles, guildId } = DEMO;
const ana: Actor = { kind: "user", userId: users.ana, guildId, channelId: channels.general };
const mika: Actor = { ...ana, userId: users.moderator };

/** All tools against the simulated Discord, by the real REST client and the real facts. */
async function place(options: DiscordSimulatorOptions = {}) {
  const simulator = await startDiscordSimulator({ rateLimits: "off", ...options });
  const clients = createRestClients(simulator.token, simulator.apiUrl);
  const reader = createRestReader(clients.reads);
  const facts = createFacts({
    state: new GuildState(),
    reader,
    api: clients.reads,
    isTrusted: () => false,
    hearsMembers: () => false,
    botUserId: async () => simulator.botUser.id,
  });
  const audit: AuditRow[] = [];
  const registry = createRegistry({
    tools: allTools,
    discord: reader,
    facts,
    audit: { append: async (row) => void audit.push(row), collect: (row) => void audit.push(row) },
    metrics: { toolCall: () => {} },
    now: Date.now,
    timeoutMs: 30_000,
    resultBytes: 16 * 1024,
  });
  return {
    simulator,
    registry,
    audit,
    async call(toolName: string, input: unknown = {}, actor = ana) {
      const { signal } = new AbortController();
      return registry.call({ toolName, input, actor, activeTools: [], sessionId: "s_1", signal });
    },
    /** The value of a call that must be done. */
    async value(toolName: string, input: unknown = {}, actor = ana): Promise<Record<string, unknown>> {
      const outcome = await this.call(toolName, input, actor);
      if (outcome.kind !== "done") throw new Error(`${toolName}: ${outcome.code} ${outcome.text}`);
      expect(unwrapped(outcome.text)).toEqual(outcome.value);
      return outcome.value as Record<string, unknown>;
    },
    async [Symbol.asyncDispose]() {
      clients.dispose();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

function hide(simulator: DiscordSimulator, channelId: string, userId: string, deny: bigint): void {
  const channel = simulator.world.channel(channelId);
  if (channel === null || !("permission_overwrites" in channel)) throw new Error("No such channel.");
  const overwrite = { id: userId, type: OverwriteType.Member, allow: "0", deny: String(deny) };
  channel.permission_overwrites = [...(channel.permission_overwrites ?? []), overwrite];
}

const contents = (value: Record<string, unknown>) =>
  (value.messages as { content: string }[]).map(({ content }) => content);

describe("discord_user_lookup", () => {
  test("tells about the person who asks, with roles by name, highest first", async () => {
    await using at = await place();
    const member = at.simulator.world.guilds.get(guildId)?.members.get(users.moderator);
    if (member === undefined) throw new Error("No such member.");
    const until = new Date(Date.now() + 60_000).toISOString();
    Object.assign(member, {
      communication_disabled_until: until,
      premium_since: "2024-05-01T00:00:00+00:00",
    });
    const value = await at.value("discord_user_lookup", {}, mika);
    expect(value).toMatchObject({
      user_id: users.moderator,
      username: "mika",
      display_name: "Mika",
      bot: false,
      created_at: "2024-03-01T00:00:00.000Z",
      member: {
        nick: null,
        roles: ["Moderator", "Crew"],
        timed_out_until: until,
        boosting_since: "2024-05-01T00:00:00+00:00",
      },
    });
  });

  test("tells about another member, and about somebody who is none", async () => {
    await using at = await place();
    expect(await at.value("discord_user_lookup", { user_id: users.ben })).toMatchObject({
      username: "ben",
      member: { nick: "Benny", roles: [], timed_out_until: null },
    });
    const stranger = at.simulator.changes.guilds.addUser({ username: "stranger" });
    expect(await at.value("discord_user_lookup", { user_id: stranger.id })).toMatchObject({
      username: "stranger",
      member: null,
    });
  });

  test("in a direct message tells about the user alone", async () => {
    await using at = await place();
    const channelId = at.simulator.openDirectMessage(users.ana);
    const value = await at.value("discord_user_lookup", {}, { ...ana, guildId: null, channelId });
    expect(value).toMatchObject({ username: "ana" });
    expect(value).not.toHaveProperty("member");
  });

  test("says when there is nobody of that id", async () => {
    await using at = await place();
    expect(await at.call("discord_user_lookup", { user_id: "123456789012345678" })).toMatchObject({
      kind: "failed",
      code: "not_found",
    });
    expect(await at.call("discord_user_lookup", { user_id: "ben" })).toMatchObject({
      kind: "refused",
      code: "invalid_arguments",
    });
  });
});

describe("discord_channel_info", () => {
  test("tells about the channel of the conversation", async () => {
    await using at = await place();
    const outcome = await at.call("discord_channel_info");
    expect(outcome).toMatchObject({
      value: {
        channel_id: channels.general,
        name: "general",
        type: "text",
        topic: "Say hello",
        category: "Quayside",
        slow_mode_seconds: 0,
        created_at: "2024-03-01T00:00:00.000Z",
      },
      sources: [`channel:${channels.general}`],
    });
    expect(await at.value("discord_channel_info", {}, { ...ana, channelId: channels.random })).toMatchObject({
      slow_mode_seconds: 5,
    });
  });

  test("names no category that the person cannot see", async () => {
    await using at = await place();
    hide(at.simulator, channels.category, users.ana, PermissionFlagsBits.ViewChannel);
    expect(await at.value("discord_channel_info")).not.toHaveProperty("category");
    expect(await at.value("discord_channel_info", {}, mika)).toMatchObject({ category: "Quayside" });
  });

  test("tells about threads, voice channels and direct messages", async () => {
    await using at = await place();
    const thread = { ...ana, channelId: channels.thread };
    expect(await at.value("discord_channel_info", {}, thread)).toMatchObject({
      type: "thread",
      parent_name: "general",
      archived: false,
    });
    const voice = { ...ana, channelId: channels.voice };
    expect(await at.value("discord_channel_info", {}, voice)).toMatchObject({ type: "voice" });
    const channelId = at.simulator.openDirectMessage(users.ana);
    const direct = { ...ana, guildId: null, channelId };
    expect(await at.value("discord_channel_info", {}, direct)).toMatchObject({
      type: "direct_message",
      recipients: ["ana"],
    });
  });

  test("answers for the own channel alone, and for every other as for one that does not exist", async () => {
    await using at = await place();
    const answers = await Promise.all(
      [channels.staff, channels.help, channels.privateThread, "123456789012345678"].map(async (id) => {
        const { code, text } = await at.call("discord_channel_info", { channel_id: id });
        return `${code} ${text.replaceAll(id, "…")}`;
      }),
    );
    expect(new Set(answers)).toEqual(
      new Set(["not_found There is no channel with the id … that can be seen from here."]),
    );
    const own = await at.call("discord_channel_info", { channel_id: channels.general });
    expect(own.kind).toBe("done");
  });

  test("answers nobody who only claims to speak there", async () => {
    await using at = await place();
    const staff = { ...ana, channelId: channels.staff };
    expect(await at.call("discord_channel_info", {}, staff)).toMatchObject({ code: "not_found" });
    expect(await at.call("discord_channel_info", {}, { ...mika, channelId: channels.staff })).toMatchObject({
      kind: "done",
    });
    const secret = { ...ana, channelId: channels.privateThread };
    expect(await at.call("discord_channel_info", {}, secret)).toMatchObject({ code: "not_found" });
    const channelId = at.simulator.openDirectMessage(users.ben);
    expect(await at.call("discord_channel_info", {}, { ...ana, guildId: null, channelId })).toMatchObject({
      code: "not_found",
    });
  });
});

describe("discord_server_stats", () => {
  test("counts members, and the channels that the person can see", async () => {
    await using at = await place();
    const value = await at.value("discord_server_stats");
    expect(value).toEqual({
      guild_id: guildId,
      name: "Harbour",
      description: "Boats, tea and open source",
      owner_user_id: users.owner,
      created_at: "2024-03-01T00:00:00.000Z",
      members: 6,
      members_online: 5,
      channels: { total: 7, text: 3, category: 1, announcement: 1, voice: 1, forum: 1 },
      roles: 4,
      emojis: 1,
      boosts: 2,
      boost_tier: expect.any(Number),
    });
    const theirs = await at.value("discord_server_stats", {}, mika);
    expect(theirs.channels).toMatchObject({ total: 8, text: 4 });
  });

  test("costs no request for each channel", async () => {
    await using at = await place();
    await at.value("discord_server_stats");
    expect(at.simulator.requests.length).toBeLessThanOrEqual(5);
  });

  test("is for the own server and its members", async () => {
    await using at = await place();
    const other = { guild_id: "123456789012345678" };
    expect(await at.call("discord_server_stats", other)).toMatchObject({ code: "not_found" });
    const stranger = at.simulator.changes.guilds.addUser({ username: "stranger" });
    const actor = { ...ana, userId: stranger.id };
    expect(await at.call("discord_server_stats", {}, actor)).toMatchObject({ code: "not_found" });
    const direct = { ...ana, guildId: null };
    expect(await at.call("discord_server_stats", {}, direct)).toMatchObject({
      kind: "refused",
      text: expect.stringContaining("direct message"),
    });
    expect(at.registry.usable(direct, []).map(({ name }) => name)).not.toContain("discord_server_stats");
  });
});

describe("when Discord is not well", () => {
  test("without its answer nothing is established, so it is refused", async () => {
    await using at = await place();
    at.simulator.faults.rest({ path: /^\/guilds\//, times: 100, respond: 503 });
    expect(await at.call("discord_message_history")).toMatchObject({
      kind: "refused",
      code: "discord_unavailable",
      text: expect.stringContaining("could not be established"),
    });
  });

  test("a failure after that is the tool's", async () => {
    await using at = await place();
    at.simulator.faults.rest({ path: /\/messages$/, times: 100, respond: 503 });
    expect(await at.call("discord_message_history")).toMatchObject({
      kind: "failed",
      code: "discord_unavailable",
    });
  });

  test("with a revoked token it says what to do", async () => {
    await using at = await place();
    at.simulator.faults.revokeToken();
    const outcome = await at.call("discord_server_stats");
    expect(outcome).toMatchObject({ kind: "refused", code: "discord_unavailable" });
    expect(outcome.text).toContain("DISCORD_TOKEN");
  });
});

describe("roles", () => {
  test("of a channel open it to those who have them", async () => {
    await using at = await place();
    const staff = { ...ana, channelId: channels.staff };
    expect(await at.call("discord_message_history", {}, staff)).toMatchObject({ code: "not_found" });
    at.simulator.world.guilds.get(guildId)?.members.get(users.ana)?.roles.push(roles.moderator);
    expect(contents(await at.value("discord_message_history", {}, staff))).toEqual([
      "Keys to the boathouse are with Olive.",
    ]);
  });
});
