import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configureLogging } from "../../src/log.ts";
import { openMemory } from "../../src/memory/memory.ts";
import { createSessions, type Sessions, type SessionsDeps } from "../../src/sessions/service.ts";

const day = 86_400_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sessions-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
const allOpen: SessionsDeps["flow"] = { restricted: async () => [] };
function setup(path = join(folder, `${files++}.db`), flow: SessionsDeps["flow"] = allOpen) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const now = () => clock.now;
  const memory = openMemory({ path, secretKey: "k".repeat(43), now });
  const sessions = createSessions({
    store: memory.sessions,
    preferences: memory.preferences,
    transcript: memory.transcript,
    flow,
    ttlMs: 30 * day,
    now,
  });
  return {
    clock,
    memory,
    sessions,
    path,
    async [Symbol.asyncDispose]() {
      await sessions[Symbol.asyncDispose]();
      memory[Symbol.dispose]();
    },
  };
}

const ana = { userId: "1", channelId: "10", guildId: "100", tokenId: "t" };
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: { code?: string }) => error.code,
  );
const open = (sessions: Sessions, sessionId: string | null = null) => sessions.open({ ...ana, sessionId });

describe("opening", () => {
  test("makes an id of ours, or takes the client's", async () => {
    await using world = setup();
    const ours = await open(world.sessions);
    const theirs = await open(world.sessions, "test_session");
    expect(ours.session.id).toMatch(/^s_[\w-]{22}$/);
    expect(theirs).toMatchObject({ created: true, session: { id: "test_session", userId: "1" } });
    expect(theirs.session.conversationId).toBe(ours.session.conversationId);
    expect(await world.sessions.countActive()).toBe(2);
  });

  test("finds a known one again, in the next process too", async () => {
    await using first = setup();
    await open(first.sessions, "again");
    await using second = setup(first.path);
    expect(await open(second.sessions, "again")).toMatchObject({ created: false });
    expect(await second.sessions.get("again")).toMatchObject({ userId: "1" });
  });

  test.each([{ userId: "2" }, { channelId: "11" }])("refuses a known id for another %p", async (other) => {
    await using world = setup();
    await open(world.sessions, "mine");
    expect(await codeOf(world.sessions.open({ ...ana, ...other, sessionId: "mine" }))).toBe(
      "session_conflict",
    );
  });

  test.each(["", "a b", "x".repeat(129), "ä", "a/b", "a\n"])(
    "refuses an id of the wrong form (%#)",
    async (sessionId) => {
      await using world = setup();
      expect(await codeOf(open(world.sessions, sessionId))).toBe("invalid_data");
    },
  );

  test("refuses more than the bound, but not the chat's", async () => {
    await using world = setup();
    const few = createSessions({
      store: world.memory.sessions,
      preferences: world.memory.preferences,
      transcript: world.memory.transcript,
      flow: allOpen,
      ttlMs: day,
      now: () => world.clock.now,
      maxSessions: 2,
    });
    await open(few, "a");
    await open(few, "b");
    expect(await codeOf(open(few, "c"))).toBe("rate_limited");
    expect(await open(few, "a")).toMatchObject({ created: false });
    expect(await few.chatSession("9", "10", null)).toMatchObject({ userId: "9" });
  });

  test("is bounded for each user, so that none takes what others need", async () => {
    await using world = setup();
    const few = createSessions({
      store: world.memory.sessions,
      preferences: world.memory.preferences,
      transcript: world.memory.transcript,
      flow: allOpen,
      ttlMs: day,
      now: () => world.clock.now,
      maxSessionsOfUser: 1,
    });
    await open(few, "a");
    expect(await codeOf(open(few, "b"))).toBe("rate_limited");
    expect(await open(few, "a")).toMatchObject({ created: false });
    expect(await few.open({ ...ana, userId: "2", sessionId: "c" })).toMatchObject({ created: true });
    world.clock.now += day + 1;
    expect(await open(few, "b")).toMatchObject({ created: true });
  });
});

describe("the chat's session", () => {
  test("is one, even when two messages come at once", async () => {
    await using world = setup();
    const both = await Promise.all([
      world.sessions.chatSession("1", "10", "100"),
      world.sessions.chatSession("1", "10", "100"),
    ]);
    expect(both[0].id).toBe(both[1].id);
    expect((await world.sessions.chatSession("1", "10", "100")).id).toBe(both[0].id);
    expect((await world.sessions.chatSession("1", "11", "100")).id).not.toBe(both[0].id);
  });

  test("is made anew when it has expired", async () => {
    await using world = setup();
    const before = await world.sessions.chatSession("1", "10", null);
    world.clock.now += 31 * day;
    expect((await world.sessions.chatSession("1", "10", null)).id).not.toBe(before.id);
  });
});

describe("expiry", () => {
  test("counts from the last use", async () => {
    await using world = setup();
    const { session } = await open(world.sessions, "used");
    await open(world.sessions, "unused");
    world.clock.now += 20 * day;
    world.sessions.touch(session);
    world.clock.now += 20 * day;
    expect(await codeOf(world.sessions.get("unused"))).toBe("session_expired");
    expect((await world.sessions.get("used")).lastUsedAt).toBe(Date.UTC(2026, 0, 21));
    expect(await codeOf(world.sessions.get("never"))).toBe("session_not_found");
    expect(await world.sessions.expire()).toBe(1);
    expect(await codeOf(world.sessions.get("unused"))).toBe("session_not_found");
    expect(await world.sessions.countActive()).toBe(1);
  });

  test("logs what became of the session", async () => {
    const lines: string[] = [];
    await using _logging = await configureLogging({
      level: "info",
      format: "json",
      sink: (l) => lines.push(l),
    });
    await using world = setup();
    const { session } = await open(world.sessions, "logged");
    for (let call = 0; call < 7; call++) world.sessions.count(session, "tool_call");
    world.sessions.count(session, "message");
    world.clock.now += 90_000;
    world.sessions.touch(session);
    world.clock.now += 31 * day;
    expect(await world.sessions.expire()).toBe(1);
    const end = lines.map((line) => JSON.parse(line)).find((line) => line.message === "session ended");
    expect(end).toMatchObject({
      session_id: "logged",
      started: "2026-01-01T00:00:00.000Z",
      messages: 1,
      tool_calls: 7,
      duration_s: 90,
    });
  });
});

describe("context", () => {
  test("holds preferences and tools, changed together or alone", async () => {
    await using world = setup();
    const { session } = await open(world.sessions, "s");
    expect(await world.sessions.context(session)).toEqual({
      session_id: "s",
      user_id: "1",
      channel_id: "10",
      guild_id: "100",
      conversation_history: [],
      user_preferences: {},
      active_tools: [],
    });
    await world.sessions.updateContext(session, { preferences: { language: "de", name: "Ana" } });
    const context = await world.sessions.updateContext(session, {
      preferences: { language: null, tone: "dry" },
      activeTools: ["b", "a", "b"],
    });
    expect(context.user_preferences).toEqual({ name: "Ana", tone: "dry" });
    expect(context.active_tools).toEqual(["b", "a"]);
    expect((await world.sessions.get("s")).activeTools).toEqual(["b", "a"]);
  });

  test("loses nothing when two updates overlap", async () => {
    await using world = setup();
    const { session } = await open(world.sessions, "s");
    await Promise.all([
      world.sessions.updateContext(session, { preferences: { language: "de" } }),
      world.sessions.updateContext(session, { preferences: { tone: "dry" } }),
      world.sessions.updateContext(session, { preferences: { name: "Ana" } }),
    ]);
    expect((await world.sessions.context(session)).user_preferences).toEqual({
      language: "de",
      tone: "dry",
      name: "Ana",
    });
  });
});

test("words that rest on what the person cannot read any more are withheld from the context", async () => {
  let isClosed = false;
  const asked: unknown[] = [];
  await using world = setup(undefined, {
    async restricted(audience, sources) {
      asked.push(audience);
      if (asked.length === 3) throw new Error("no answer in time");
      return isClosed ? sources.filter((source) => source === "channel:9") : [];
    },
  });
  const { session } = await open(world.sessions);
  const { turns } = world.memory;
  const { tokenId: _, ...place } = ana;
  for (const channel of ["8", "9"]) {
    const turn = await turns.accept(
      {
        ...{ sessionId: session.id, actor: { kind: "user", ...place }, origin: "program" },
        ...{ text: `what of ${channel}?`, preamble: "", discordMessageId: null },
        ...{ idempotencyKey: null, replyTo: null },
      },
      8,
    );
    if (turn.status !== "accepted") throw new Error(turn.status);
    const { id } = turn.turn;
    await turns.begin(id);
    const step = { stopReason: "", model: "m", sources: [] };
    const usage = {
      inputTokens: 1,
      outputTokens: 1,
      cacheCreationInputTokens: 0,
      cacheReadInputTokens: 0,
    };
    const call = { type: "tool_use", id: `c${channel}`, name: "read", input: {} } as const;
    await turns.saveStep(id, { ...step, step: 1, content: [call], usage });
    await turns.toolEnded(id, 1, call.id, {
      state: "done",
      result: { type: "tool_result", tool_use_id: call.id, content: `read in ${channel}` },
      sources: [`channel:${channel}`],
    });
    const content = [{ type: "text", text: `it is ${channel}` }] as const;
    await turns.saveStep(id, { ...step, step: 2, content, usage });
    await turns.end(id, {
      ...{ state: "done", answer: `it is ${channel}`, closingText: null, stopReason: "end_turn" },
      ...{ errorCode: null, answerTo: "asker" },
    });
  }
  const told = async () =>
    (await world.sessions.context(session)).conversation_history.map(({ content }) => content);
  const all = ["what of 8?", "read in 8", "it is 8", "what of 9?", "read in 9", "it is 9"];
  expect(await told()).toEqual(all);
  expect(asked).toEqual([{ kind: "user", guildId: "100", userId: "1" }]);
  isClosed = true;
  const withheld = expect.stringContaining("cannot read any more");
  expect(await told()).toEqual([...all.slice(0, 4), withheld, withheld]);
  // What cannot be established is withheld, too.
  expect(await told()).toEqual(["what of 8?", withheld, withheld, "what of 9?", withheld, withheld]);
});
