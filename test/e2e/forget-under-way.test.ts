import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { command } from "../cli/io.ts";
import { inFiles } from "../memory/person.ts";
import type { Client } from "./client.ts";
import { columnsWith } from "./columns.ts";
import { Service } from "./service.ts";
import { channels, guildId, mention, users } from "./surroundings.ts";

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const forget = (service: Service) =>
  command(["forget", users.ana, "--yes"], { DATABASE_URL: service.config.database.path });

/** How many rows there are of what a call could have left, whoever it names. */
function rowsLeft(path: string): Readonly<Record<string, number>> {
  using sqlite = new Database(path, { readonly: true });
  const count = (table: string) =>
    sqlite.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? -1;
  const tables = [
    "memories",
    "preferences",
    "sessions",
    "conversations",
    "turns",
    "approvals",
    "sent_messages",
  ];
  return Object.fromEntries(tables.map((table) => [table, count(table)]));
}

const nothing = { memories: 0, preferences: 0, sessions: 0, conversations: 0, turns: 0 };

async function mcpCall(service: Service, name: string, given: Record<string, string>, channelId: string) {
  const response = await fetch(`${service.url}/mcp?user_id=${users.ana}&channel_id=${channelId}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${service.operatorToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
      params: { name, arguments: given, _meta: { "discord-mcp/idempotency_key": `k-${name}` } },
    }),
  });
  return await response.text();
}

describe("what is under way while a person is forgotten", () => {
  const remember = { tool_name: "discord_memory_remember", arguments: { text: "the planted word" } };
  interface At {
    readonly service: Service;
    readonly socket: Client;
    readonly direct: string;
    readonly sessionId: unknown;
  }
  const calls: Readonly<Record<string, (at: At) => Promise<unknown>>> = {
    initialize: ({ socket, direct }) =>
      socket.request("initialize", { user_id: users.ana, channel_id: direct, session_id: "chosen" }),
    context_update: ({ socket, sessionId }) =>
      socket.request("context_update", {
        ...{ session_id: sessionId, user_preferences: { name: "the planted name" } },
      }),
    tool_call: ({ socket, sessionId }) => socket.request("tool_call", { session_id: sessionId, ...remember }),
    "tool_call that posts": ({ socket, sessionId }) =>
      socket.request("tool_call", {
        ...{ session_id: sessionId, tool_name: "discord_message_send", arguments: { content: "posted" } },
      }),
    process: ({ socket, sessionId }) =>
      socket.request("process", { session_id: sessionId, message: "the planted question" }),
    "a tool over the Model Context Protocol": ({ service, direct }) =>
      mcpCall(service, "discord_memory_remember", { text: "the planted word" }, direct),
    "ask over the Model Context Protocol": ({ service, direct }) =>
      mcpCall(service, "ask", { message: "the planted question" }, direct),
    "a message in chat": async ({ service }) => {
      const first = service.say("not for us");
      // A reply of which Discord does not say to what: that is asked for before it is taken in.
      service.discord.faults.gateway.deliver("MESSAGE_CREATE", {
        ...first,
        id: String(BigInt(first.id) + 1n),
        ...{ guild_id: guildId, type: 19, content: `${mention} the planted word` },
        mentions: [service.discord.botUser],
        message_reference: { channel_id: channels.general, message_id: first.id, guild_id: guildId },
      });
    },
  };

  test.each(Object.keys(calls))("leaves nothing of them: %s", async (name) => {
    await using service = await Service.start();
    const { path } = service.config.database;
    const direct = service.discord.openDirectMessage(users.ana);
    await using socket = await service.connect();
    const place = { user_id: users.ana, channel_id: direct };
    const { session_id: sessionId } = (await socket.request("initialize", place)).data;
    // Where she is in a server is asked elsewhere, and not held.
    const elsewhere = { user_id: users.ana, channel_id: channels.general, guild_id: guildId };
    const { session_id: other } = (await socket.request("initialize", elsewhere)).data;
    // Each asks where it is before it does anything, and one of them posts: that is not answered yet.
    const posts = name.includes("posts");
    const isChat = name.includes("chat");
    const asked = isChat ? `${channels.general}/messages/\\d+` : `${direct}${posts ? "/messages" : ""}`;
    const held = service.discord.faults.rest({
      ...{ method: posts ? "POST" : "GET", respond: "hold" },
      path: new RegExp(`^/channels/${asked}$`),
    });
    const call = calls[name]?.({ service, socket, direct, sessionId });
    await until("the call", () => held.hits === 1);
    const forgetting = forget(service);
    // From then on nobody is let in for her, and what was let in is still under way.
    await until("closed doors", async () => {
      const { data } = await socket.request("tool_call", { session_id: other, tool_name: "unheard_of" });
      return data.code === "rate_limited";
    });
    held.release();
    expect(await forgetting).toMatchObject({ code: 0, out: expect.stringContaining("Deleted.") });
    await call;
    // What is said in a channel is taken in one after the other.
    if (isChat) await service.ask(`${mention} and I?`, { userId: users.ben });
    expect(columnsWith(path, users.ana)).toEqual([]);
    // The mark of what is posted there can be told by Discord later.
    const mark = posts ? ["channel_marks.channel_id"] : [];
    expect(columnsWith(path, direct).filter((column) => !mark.includes(column))).toEqual([]);
    if (!isChat) expect(rowsLeft(path)).toEqual({ ...nothing, approvals: 0, sent_messages: 0 });
    for (const word of posts ? [users.ana] : [users.ana, direct]) expect(inFiles(path, word)).toEqual([]);
    // She may begin anew, with nothing of before.
    const again = await socket.request("initialize", place);
    expect(again.data).toMatchObject({ context: { user_preferences: {}, conversation_history: [] } });
  });

  test("ends with the sessions that were open for them", async () => {
    await using service = await Service.start();
    await using socket = await service.connect();
    const { data } = await socket.request("initialize", {
      ...{ user_id: users.ana, channel_id: channels.general, guild_id: guildId },
    });
    const Authorization = `Bearer ${data.token}`;
    const bound = new WebSocket(`${service.url.replace("http", "ws")}/mcp/ws/${data.session_id}`, {
      headers: { Authorization },
    });
    const closed = new Promise<number>((resolve) => {
      bound.onclose = ({ code }) => resolve(code);
    });
    await new Promise((resolve) => {
      bound.onopen = resolve;
    });
    await forget(service);
    expect(await closed).toBe(1008);
    // Nor does its token bring it back.
    const response = await fetch(`${service.url}/mcp/initialize`, {
      method: "POST",
      headers: { Authorization, "content-type": "application/json" },
      body: JSON.stringify({
        ...{ session_id: data.session_id, user_id: users.ana },
        ...{ channel_id: channels.general, guild_id: guildId },
      }),
    });
    expect(response.status).toBe(404);
    expect(rowsLeft(service.config.database.path)).toMatchObject(nothing);
  });
});

describe("a clock that is not Discord's", () => {
  const away = 10 * 60_000;

  test.each([
    ["ahead", -away],
    ["behind", away],
  ])("being %s takes nothing from who writes after they are forgotten", async (_how, offset) => {
    await using service = await Service.start({ discord: { now: () => Date.now() + offset } });
    await service.ask(`${mention} who am I?`);
    expect(await forget(service)).toMatchObject({ code: 0 });
    expect(await service.ask(`${mention} hello again`)).not.toBe("");
    await service.ask("!forget");
    expect(await service.ask("!forget yes")).toStartWith("Done");
    expect(await service.ask(`${mention} and once more`)).not.toBe("");
  });

  test.each([
    ["ahead", -away],
    ["behind", away],
  ])("being %s brings nothing back that was said before", async (_how, offset) => {
    let passed = 0;
    await using service = await Service.start({ discord: { now: () => Date.now() + offset + passed } });
    await using socket = await service.connect();
    await service.ask(`${mention} who am I?`);
    const release = service.discord.faults.gateway.refuseConnections();
    service.discord.faults.gateway.dropWithoutClose();
    const before = service.say(`${mention} an unheard word`);
    // Discord says the time in whole seconds, and with each answer.
    passed += 5000;
    await socket.request("initialize", {
      ...{ user_id: users.ben, channel_id: channels.general, guild_id: guildId },
    });
    expect(await forget(service)).toMatchObject({ code: 0 });
    release();
    expect(await service.ask(`${mention} hello again`)).not.toBe("");
    const answers = service
      .posted()
      .filter(({ message_reference }) => message_reference?.message_id === before.id);
    expect(answers).toEqual([]);
  });
});
