import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import type { Client } from "./client.ts";
import { eventOf, place, Service, type ServiceOptions } from "./service.ts";
import { type Asked, channels, mention, newest, users, words } from "./surroundings.ts";

setDefaultTimeout(20_000);

let service: Service;
async function serve(options?: ServiceOptions): Promise<Service> {
  service = await Service.start(options);
  return service;
}
afterEach(() => expect(service.contract.violations).toEqual([]));

const all = (asked: Asked | undefined): string => (asked === undefined ? "" : words(asked));

async function open(client: Client): Promise<string> {
  const { data } = await client.request("initialize", place);
  return String(data.session_id);
}

describe("whose conversation", () => {
  test("two people in one channel, and one person in two, are not mixed", async () => {
    await using at = await serve();
    at.claude.script("Noted, Ana.", "Noted, Ben.", "Ana's.", "Elsewhere.", "Ben's.");
    await at.ask(`${mention} my berth is twelve`);
    await at.ask(`${mention} my berth is thirty`, { userId: users.ben });
    expect(await at.ask(`${mention} which is mine?`)).toBe("Ana's.");
    await at.ask(`${mention} and here?`, { channelId: channels.help });
    expect(await at.ask(`${mention} which is mine?`, { userId: users.ben })).toBe("Ben's.");
    const [, , ana, elsewhere, ben] = at.asked.map(all);
    expect(ana).toContain("twelve");
    expect(ana).not.toContain("thirty");
    expect(elsewhere).not.toMatch(/twelve|thirty/);
    expect(ben).toContain("thirty");
    expect(ben).not.toContain("twelve");
  });

  test("somebody in Discord and on a socket has one conversation, and hears on the socket what happens in Discord", async () => {
    await using at = await serve();
    await using client = await at.connect();
    const session = await open(client);
    at.claude.script(
      [toolUse("discord_channel_info", {})],
      "A channel.",
      "You asked about the channel.",
      "Both.",
    );
    await at.ask(`${mention} where am I?`);
    const finished = eventOf(await client.waitForEvent("turn_finished"));
    expect(finished.response).toBe("A channel.");
    const heard = client.events.map(({ data }) => data.session_id);
    expect(new Set(heard)).toEqual(new Set([session]));
    const types = client.events.map((frame) => eventOf(frame).type).filter((type) => type !== "text_delta");
    expect(types).toEqual(["turn_started", "tool_started", "tool_finished", "turn_finished"]);
    expect(client.events.map(({ data }) => data.seq)).toEqual(client.events.map((_, index) => index + 1));

    const { data } = await client.request("initialize", { ...place, session_id: session });
    const { conversation_history: history } = data.context as {
      conversation_history: { role: string; content: string }[];
    };
    expect(history.map(({ role }) => role)).toEqual(["user", "tool", "assistant"]);
    expect(history[0]?.content).toContain("where am I?");
    expect(history[2]?.content).toBe("A channel.");

    const reply = await client.request("process", { session_id: session, message: "What did I ask?" });
    expect(reply.data.response).toBe("You asked about the channel.");
    expect(all(at.asked[2])).toContain("where am I?");
    // A program's turn is not posted, and is remembered in Discord.
    expect(at.posted()).toHaveLength(1);
    expect(await at.ask(`${mention} and where did I ask that?`)).toBe("Both.");
    expect(all(at.asked[3])).toContain("What did I ask?");
  });

  test("preferences that a program sets reach the model, in Discord as well; bad ones change nothing", async () => {
    await using at = await serve();
    await using client = await at.connect();
    const session_id = await open(client);
    const user_preferences = { name: "Cap", language: "Dutch", tone: "dry", instructions: "End with ahoy." };
    const updated = await client.request("context_update", { session_id, user_preferences });
    expect(updated.type).toBe("context_update");
    const bad = await client.request("context_update", { session_id, user_preferences: { tone: 7 } });
    expect(bad.type).toBe("error");
    at.claude.script("Ahoy.", "Hello.");
    await at.ask(`${mention} good morning`);
    const system = (asked: Asked | undefined) => asked?.system.map(({ text }) => text).join("\n") ?? "";
    for (const wish of ["called by: Cap", "Dutch", "dry", "End with ahoy."])
      expect(system(at.asked[0])).toContain(wish);
    await at.ask(`${mention} good morning`, { userId: users.ben });
    expect(system(at.asked[1])).not.toContain("Cap");
  });

  test("tools that the session has made inactive are neither offered nor run", async () => {
    await using at = await serve();
    await using client = await at.connect();
    const session_id = await open(client);
    await client.request("context_update", { session_id, active_tools: ["discord_user_lookup"] });
    at.claude.script("From the program.");
    await client.request("process", { session_id, message: "Which tools?" });
    expect(at.asked[0]?.tools?.map(({ name }) => name)).toEqual(["discord_user_lookup"]);
  });
});

describe("messages that wait", () => {
  test("are answered in order, edited and deleted while they wait; the ninth is told that the queue is full", async () => {
    await using at = await serve();
    const release = at.claude.hold();
    const first = at.say(`${mention} question 0`);
    await at.untilAsked(1);
    const waiting = Array.from({ length: 8 }, (_, index) => at.say(`${mention} question ${index + 1}`));
    const ninth = at.say(`${mention} question 9`);
    expect((await at.replyTo(ninth)).content).toMatch(/8 messages waiting .* no more/);

    at.discord.edit(waiting[2]?.id ?? "", `${mention} question three, said better`);
    at.discord.remove(waiting[4]?.id ?? "");
    // Edits and deletions go through the channel's one intake as well: a command behind them says that they are done.
    await at.ask("!tools");
    at.claude.script(...Array.from({ length: 8 }, (_, index) => `Answer ${index}.`));
    release();
    const left = [first, ...waiting.filter((_, index) => index !== 4)];
    const replies = await Promise.all(left.map((message) => at.replyTo(message)));
    expect(replies.map(({ content }) => content)).toEqual(left.map((_, index) => `Answer ${index}.`));
    const questions = at.asked.map((asked) => newest(asked).split("\n").at(-1));
    expect(questions).toEqual([
      "question 0",
      "question 1",
      "question 2",
      "question three, said better",
      "question 4",
      "question 6",
      "question 7",
      "question 8",
    ]);
    expect(at.asked.map(({ messages }) => messages.length)).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
    expect(at.posted().map((post) => post.message_reference?.message_id)).not.toContain(waiting[4]?.id ?? "");

    // There is room again.
    at.claude.script("Room.");
    expect(await at.ask(`${mention} question 9, again`)).toBe("Room.");
  });

  test("do not hold up other people in the channel", async () => {
    await using at = await serve();
    const stall = at.claude.faults.hang();
    const slow = at.say(`${mention} a slow one`);
    await at.untilAsked(1);
    at.claude.script("Quick.");
    expect(await at.ask(`${mention} a quick one`, { userId: users.ben })).toBe("Quick.");
    at.claude.script("Slow.");
    stall();
    expect((await at.replyTo(slow)).content).toBe("Slow.");
  });

  test("an edit of what is already being answered changes nothing, and is not answered again", async () => {
    await using at = await serve();
    const release = at.claude.hold();
    const question = at.say(`${mention} what is one and one?`);
    await at.untilAsked(1);
    at.discord.edit(question.id, `${mention} what is two and two?`);
    await at.ask("!tools");
    at.claude.script("Two.", "Next.");
    release();
    expect((await at.replyTo(question)).content).toBe("Two.");
    at.discord.edit(question.id, `${mention} what is three and three?`);
    expect(await at.ask(`${mention} next`)).toBe("Next.");
    expect(at.asked).toHaveLength(2);
    expect(all(at.asked[1])).toContain("one and one");
    expect(at.posted().filter((post) => post.message_reference?.message_id === question.id)).toHaveLength(1);
  });
});

describe("the prompt", () => {
  test("keeps its prefix byte for byte over three turns with tools, and the cache is read", async () => {
    await using at = await serve();
    await using client = await at.connect();
    await open(client);
    for (const turn of [1, 2, 3]) {
      at.claude.script([toolUse("discord_message_history", { limit: turn })], `Answer ${turn}.`);
      await at.ask(`${mention} turn ${turn}`);
    }
    const asked = at.asked;
    expect(asked).toHaveLength(6);
    const bytes = (value: unknown) =>
      JSON.stringify(value, (key, inner) => (key === "cache_control" ? undefined : inner));
    for (const [index, later] of asked.entries()) {
      const before = asked[index - 1];
      if (before === undefined) continue;
      expect(JSON.stringify(later.tools)).toBe(JSON.stringify(before.tools));
      expect(JSON.stringify(later.system)).toBe(JSON.stringify(before.system));
      const kept = later.messages.slice(0, before.messages.length);
      expect(bytes(kept)).toBe(bytes(before.messages));
      const marks = later.messages.flatMap(({ content }) => content).filter((block) => block.cache_control);
      expect([1, 2]).toContain(marks.length);
    }
    expect(Buffer.byteLength(bytes(asked[5]?.messages))).toBeGreaterThan(1000);
    const read = at.events.flatMap((event) =>
      event.type === "turn_finished" ? [event.usage.cacheReadInputTokens] : [],
    );
    expect(read).toHaveLength(3);
    const [first = 0, second = 0, third = 0] = read;
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    // Nearly all of the last step's prompt was there before.
    const metrics = await (await at.get("/metrics")).text();
    expect(metrics).toMatch(/mcp_model_tokens_total\{model="claude-sonnet-5-5",kind="cache_read"\} [1-9]/);
  });
});

test("metrics count what was done, and the log says nothing of what was said", async () => {
  await using at = await serve();
  const spoken = ["swordfish-4711", "cuttlefish-0815", "Ottilie"];
  const [asked, answered, named] = spoken;
  at.claude.script(
    [
      toolUse("discord_message_history", { limit: 3 }),
      toolUse("discord_channel_info", { channel_id: channels.staff }),
    ],
    `It is ${answered}.`,
  );
  await at.ask(`${mention} ${asked}?`);
  at.claude.faults.next({ status: 529 });
  at.claude.script("Later.");
  await at.ask(`${mention} ${named}`, {
    channelId: at.discord.openDirectMessage(users.ben),
    userId: users.ben,
  });
  await using client = await at.connect();
  const session_id = await open(client);
  await client.request("tool_call", { session_id, tool_name: "discord_channel_info", arguments: {} });

  expect((await fetch(`${at.url}/metrics`)).status).toBe(401);
  const metrics = (await (await at.get("/metrics")).text())
    .split("\n")
    .filter((line) => line.startsWith("mcp_"));
  const model = 'model="claude-sonnet-5-5"';
  for (const line of [
    'mcp_turns_total{outcome="done",origin="discord"} 2',
    'mcp_tool_usage_total{tool_name="discord_message_history",verdict="done"} 1',
    'mcp_tool_usage_total{tool_name="discord_channel_info",verdict="refused"} 1',
    'mcp_tool_usage_total{tool_name="discord_channel_info",verdict="done"} 1',
    `mcp_model_duration_seconds_count{${model},outcome="success"} 3`,
    'mcp_model_retries_total{reason="overloaded"} 1',
    'mcp_gateway_events_total{type="READY"} 1',
    "mcp_gateway_shards_ready 1",
    "mcp_outbox_open 0",
    "mcp_turns_running 0",
    'mcp_requests_total{method="tool_call",endpoint="/mcp/ws",outcome="success"} 1',
  ])
    expect(metrics).toContain(line);
  const kinds = metrics.flatMap(
    (line) => /^mcp_model_tokens_total\{.*kind="(\w+)"\} [1-9]/.exec(line)?.[1] ?? [],
  );
  expect(kinds.sort()).toEqual(["cache_creation", "cache_read", "output"]);

  const log = at.logs.join("");
  expect(at.logs.length).toBeGreaterThan(5);
  const accepted = at.logs.find((line) => line.includes("message accepted")) ?? "";
  expect(JSON.parse(accepted)).toMatchObject({ channel_id: channels.general });
  expect(log).toMatch(/"turn_id":"[\w-]{8,}"/);
  const secrets = [at.discord.token, at.claude.apiKey, at.operatorToken];
  for (const hidden of [...spoken, ...secrets, "regatta"]) expect(log).not.toContain(hidden ?? "");
});

test("health tells an operator how Discord stands, and nobody else", async () => {
  await using at = await serve();
  const open = await fetch(`${at.url}/health`);
  expect(Object.keys((await open.json()) as object).sort()).toEqual(["active_sessions", "status"]);
  const told = (await (await at.get("/health")).json()) as { discord: { state: string; reason: string } };
  expect(told.discord).toMatchObject({ state: "ready", reason: "" });
});
