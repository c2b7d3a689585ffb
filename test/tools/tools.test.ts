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

describe("discord_message_history", () => {
  test("reads the newest first, with who wrote what when", async () => {
    await using at = await place();
    const value = await at.value("discord_message_history", { limit: 2 });
    expect(value.channel_id).toBe(channels.general);
    expect(value.messages).toEqual([
      {
        message_id: expect.any(String),
        author: { user_id: users.ben, username: "ben", display_name: "Ben" },
        content: "Count me in for the regatta, I can bring tea.",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
      expect.objectContaining({
        author: expect.objectContaining({ username: "ana" }),
        content: expect.stringContaining("first Saturday"),
      }),
    ]);
  });

  test("tells of replies, attachments, edits and reactions", async () => {
    await using at = await place();
    const { simulator } = at;
    const asked = simulator.say({ userId: users.ben, channelId: channels.general, content: "Tea?" });
    const reply = simulator.say({
      userId: users.ana,
      channelId: channels.general,
      content: "Pleas",
      replyTo: asked.id,
      attachments: [{ filename: "cup.png" }],
    });
    simulator.edit(reply.id, "Please");
    simulator.people.react(users.ben, reply.id, "🍵");
    const { messages } = await at.value("discord_message_history", { limit: 1 });
    expect(messages).toEqual([
      expect.objectContaining({
        content: "Please",
        edited_at: expect.any(String),
        reply_to: { message_id: asked.id, author: "ben" },
        attachments: ["cup.png"],
        reactions: [{ emoji: "🍵", count: 1 }],
      }),
    ]);
  });

  test("pages before, after and around a message, but not two at once", async () => {
    await using at = await place();
    const say = (content: string) =>
      at.simulator.say({ userId: users.ana, channelId: channels.general, content }).id;
    const [first = "", middle = "", last = ""] = ["one", "two", "three"].map(say);
    const read = async (input: object) => contents(await at.value("discord_message_history", input));
    expect(await read({ before: last, limit: 2 })).toEqual(["two", "one"]);
    expect(await read({ after: first })).toEqual(["three", "two"]);
    expect(await read({ around: middle, limit: 3 })).toEqual(["three", "two", "one"]);
    expect(await at.call("discord_message_history", { before: last, after: first })).toMatchObject({
      kind: "refused",
      code: "invalid_arguments",
      text: expect.stringContaining("at most one"),
    });
    for (const limit of [0, 101, 1.5, "10"])
      expect(await at.call("discord_message_history", { limit })).toMatchObject({
        code: "invalid_arguments",
      });
  });

  test("says so when the content is kept back, and does not when there was none", async () => {
    await using open = await place();
    open.simulator.say({ userId: users.ana, channelId: channels.general, content: "secret" });
    expect(await open.value("discord_message_history")).not.toHaveProperty("note");
    await using closed = await place({
      privilegedIntents: { messageContent: false, members: true, presences: true },
    });
    closed.simulator.say({ userId: users.ana, channelId: channels.general, content: "secret" });
    const value = await closed.value("discord_message_history");
    expect(value.note).toContain("message content intent");
    expect(JSON.stringify(value)).not.toContain("secret");
  });

  test("is refused without Read Message History, to person or bot", async () => {
    await using at = await place();
    hide(at.simulator, channels.general, users.ana, PermissionFlagsBits.ReadMessageHistory);
    expect(await at.call("discord_message_history")).toMatchObject({
      kind: "refused",
      code: "permission_denied",
      text: expect.stringContaining("cannot Read Message History in #general"),
    });
    expect(await at.call("discord_message_history", {}, mika)).toMatchObject({ kind: "done" });
    hide(at.simulator, channels.general, DEMO.botId, PermissionFlagsBits.ReadMessageHistory);
    expect((await at.call("discord_message_history", {}, mika)).text).toStartWith("The bot cannot Read");
    expect(at.audit.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([
      "refused permission_denied",
      "done null",
      "refused permission_denied",
    ]);
  });

  test("a hundred long messages are cut to what fits, the oldest first", async () => {
    await using at = await place();
    for (let n = 0; n < 100; n++) {
      at.simulator.say({
        userId: users.ana,
        channelId: channels.general,
        content: `${n} ${"ž".repeat(1000)}`,
      });
    }
    const outcome = await at.call("discord_message_history", { limit: 100 });
    expect(Buffer.byteLength(outcome.text)).toBeLessThanOrEqual(16 * 1024);
    const value = unwrapped(outcome.text) as Record<string, unknown>;
    expect(contents(value)[0]).toStartWith("99 ");
    expect(value.truncated).toContain(`${100 - contents(value).length} of messages`);
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

describe("discord_messages_search", () => {
  test("finds by text and author, newest first, in this channel alone", async () => {
    await using at = await place();
    expect(contents(await at.value("discord_messages_search", { content: "REGATTA" }))).toEqual([
      "Count me in for the regatta, I can bring tea.",
      "Hello all. The regatta is on the first Saturday of May.",
    ]);
    const ofBen = { content: "regatta", author_id: users.ben };
    expect(contents(await at.value("discord_messages_search", ofBen))).toHaveLength(1);
    expect(contents(await at.value("discord_messages_search", { content: "bowline" }))).toEqual([]);
    expect(contents(await at.value("discord_messages_search", { content: "boathouse" }))).toEqual([]);
  });

  test("finds by time, the beginning included and the end not", async () => {
    await using at = await place();
    const { timestamp, content } = at.simulator.say({
      userId: users.ana,
      channelId: channels.general,
      content: "now",
    });
    const until = new Date(Date.parse(timestamp)).toISOString();
    const later = new Date(Date.parse(timestamp) + 1).toISOString();
    expect(contents(await at.value("discord_messages_search", { after: until }))).toEqual([content]);
    expect(contents(await at.value("discord_messages_search", { after: later }))).toEqual([]);
    expect(contents(await at.value("discord_messages_search", { before: until }))).not.toContain(content);
    expect(contents(await at.value("discord_messages_search", { before: later }))).toContain(content);
    const day = await at.value("discord_messages_search", {
      after: "2024-01-01",
      before: "2099-01-01T00:00",
    });
    expect(contents(day)).toContain(content);
  });

  test.each<[string, object]>([
    ["nothing to search by", {}],
    ["a page alone", { limit: 5 }],
    ["no time", { after: "yesterday" }],
    ["a time that does not exist", { after: "2026-13-01" }],
    ["an end before the beginning", { after: "2026-02-01", before: "2026-01-01" }],
    ["too many at once", { content: "x", limit: 26 }],
    ["an empty text", { content: "" }],
    ["another channel", { content: "x", channel_id: channels.staff }],
  ])("%s is refused", async (_what, input) => {
    await using at = await place();
    expect(await at.call("discord_messages_search", input)).toMatchObject({
      kind: "refused",
      code: "invalid_arguments",
    });
    expect(at.simulator.requests).toHaveLength(0);
  });

  test("goes on by offset", async () => {
    await using at = await place();
    for (let n = 0; n < 60; n++)
      at.simulator.say({ userId: users.ana, channelId: channels.general, content: `kite ${n}` });
    const first = await at.value("discord_messages_search", { content: "kite", limit: 25 });
    expect(first.next_offset).toBe(25);
    const second = await at.value("discord_messages_search", { content: "kite", limit: 25, offset: 25 });
    const third = await at.value("discord_messages_search", { content: "kite", limit: 25, offset: 50 });
    expect(third).not.toHaveProperty("next_offset");
    const all = [first, second, third].flatMap(contents);
    expect(all).toEqual(Array.from({ length: 60 }, (_each, n) => `kite ${59 - n}`));
  });

  test("gives away neither what stands in a private thread of the channel nor that there is something", async () => {
    await using at = await place();
    const { simulator } = at;
    const before = await at.value("discord_messages_search", { content: "cake" });
    for (let n = 0; n < 40; n++)
      simulator.say({ userId: users.moderator, channelId: channels.privateThread, content: `cake ${n}` });
    const found = await fetch(
      `${simulator.apiUrl}/v10/guilds/${guildId}/messages/search?content=cake&channel_id=${channels.general}`,
      { headers: { authorization: `Bot ${simulator.token}` } },
    );
    // Discord does tell the bot, which manages threads; else this test would prove nothing.
    expect(await found.json()).toMatchObject({ total_results: 40 });
    expect(await at.value("discord_messages_search", { content: "cake" })).toEqual(before);
    expect(before).toEqual({ channel_id: channels.general, messages: [] });
    simulator.say({ userId: users.ana, channelId: channels.general, content: "cake for all" });
    simulator.say({ userId: users.moderator, channelId: channels.privateThread, content: "cake last" });
    const after = await at.value("discord_messages_search", { content: "cake", limit: 1 });
    expect(contents(after)).toEqual(["cake for all"]);
    expect(after).not.toHaveProperty("next_offset");
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
