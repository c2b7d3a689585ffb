import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import { channel, ids, reading } from "../tools/harness.ts";
import { bodyOf, type Client, connect, type Message } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
let client: Client;
let session_id: string;
let manage: bigint;
beforeAll(async () => {
  world = await startWorld();
  manage = world.tools.facts.everyone;
});
afterAll(() => world[Symbol.asyncDispose]());

const there = { user_id: ids.ana, channel_id: ids.general, guild_id: ids.guild };

beforeEach(async () => {
  world.tools.facts.everyone = manage;
  world.tools.facts.channelFacts.set(ids.general, channel(ids.general, { name: "general" }));
  world.reach.refusal = null;
  world.script.tool = null;
  world.clock.offset = 0;
  client = await connect(world);
  session_id = await open(client);
});

async function open(by: Client, more: object = {}): Promise<string> {
  const { type, data } = await by.request("initialize", { ...there, ...more });
  if (type !== "initialize") throw new Error(JSON.stringify(data));
  return data.session_id;
}

const call = (more: object = {}, metadata?: object) =>
  client.request("tool_call", { session_id, tool_name: "close", ...more }, metadata ? { metadata } : {});
const approve = (approval_id: string, approved = true) =>
  client.request("approve", { session_id, approval_id, approved });
const event = (type: string, fits: (data: Message["data"]) => boolean = () => true) =>
  client.next((one) => one.type === "event" && one.data.event.type === type && fits(one.data.event));

describe("a direct call that has to be approved", () => {
  test("is asked about, approved, repeated, and runs once", async () => {
    const before = world.tools.closed;
    const asked = await call();
    expect(asked).toMatchObject({
      type: "error",
      data: { code: "approval_required", question: "Close #general?" },
    });
    const { approval_id, expires_at } = asked.data;
    expect(expires_at - Date.now() / 1000).toBeWithin(14 * 60, 15 * 60 + 1);
    const announced = await event("approval_requested", (one) => one.approval_id === approval_id);
    expect(announced.data).toMatchObject({
      session_id,
      event: { turn_id: null, tool_name: "close", question: "Close #general?", expires_at },
    });
    expect((await call({ approval_id })).data).toMatchObject({ code: "approval_required", approval_id });
    // Who connects anew learns what waits.
    const again = await connect(world);
    const { data } = await again.request("initialize", { ...there, session_id });
    expect(data.pending_approvals).toEqual([
      { approval_id, turn_id: null, tool_name: "close", question: "Close #general?", expires_at },
    ]);
    expect(world.tools.closed).toBe(before);
    expect(await approve(approval_id)).toMatchObject({
      type: "response",
      data: { session_id, approval_id, approved: true, state: "approved", tool_name: "close" },
    });
    const decided = await event("approval_decided", (one) => one.approval_id === approval_id);
    expect(decided.data.event).toEqual({
      type: "approval_decided",
      turn_id: null,
      approval_id,
      state: "approved",
      decided_by: ids.ana,
    });
    expect(await call({ approval_id })).toMatchObject({
      type: "tool_result",
      data: { result: { closed: ids.general } },
    });
    expect((await call({ approval_id })).data.code).toBe("approval_not_found");
    expect(world.tools.closed).toBe(before + 1);
    const [row] = await world.memory.audit.list({ limit: 1, verdict: "done", toolName: "close" });
    expect(row).toMatchObject({ approvalId: approval_id, approvedBy: ids.ana });
  });

  test("runs at most once however often it is repeated at once", async () => {
    const before = world.tools.closed;
    const { approval_id } = (await call()).data;
    await approve(approval_id);
    const replies = await Promise.all(Array.from({ length: 5 }, () => call({ approval_id })));
    expect(replies.filter(({ type }) => type === "tool_result")).toHaveLength(1);
    expect(world.tools.closed).toBe(before + 1);
  });

  test("is not run after a no, nor is the question put right by another yes", async () => {
    const before = world.tools.closed;
    const { approval_id } = (await call()).data;
    expect((await approve(approval_id, false)).data).toMatchObject({ approved: false, state: "denied" });
    expect((await approve(approval_id)).data.code).toBe("approval_not_found");
    expect((await call({ approval_id })).data.code).toBe("permission_denied");
    expect(world.tools.closed).toBe(before);
  });

  test("is asked about anew when what it is about has changed since the yes", async () => {
    const { approval_id } = (await call()).data;
    await approve(approval_id);
    world.tools.facts.channelFacts.set(ids.general, channel(ids.general, { name: "staff" }));
    const again = await call({ approval_id });
    expect(again.data).toMatchObject({ code: "approval_required", question: "Close #staff?" });
    expect(again.data.approval_id).not.toBe(approval_id);
  });

  test("takes no yes for another tool, other arguments, another session, or another person", async () => {
    const { approval_id } = (await call()).data;
    await approve(approval_id);
    const code = async (request: Promise<Message>) => (await request).data.code;
    const otherArguments = { channel_id: ids.general };
    expect(await code(call({ approval_id, arguments: otherArguments }))).toBe("approval_not_found");
    expect(await code(call({ approval_id, tool_name: "echo" }))).toBe("approval_not_found");
    expect(await code(call({ approval_id: "a_nothing" }))).toBe("approval_not_found");
    const second = await open(client);
    expect(await code(call({ approval_id, session_id: second }))).toBe("approval_not_found");
    const stranger = await open(client, { user_id: ids.ben });
    expect(await code(call({ approval_id, session_id: stranger }))).toBe("approval_not_found");
    // None of them has used it up.
    expect((await call({ approval_id })).type).toBe("tool_result");
  });

  test("is decided by the session's user alone, who can do it themselves, with the scope for it", async () => {
    const { approval_id } = (await call()).data;
    const stranger = await open(client, { user_id: ids.ben });
    const elsewhere = await open(client, { channel_id: ids.hidden });
    for (const session of [stranger, elsewhere])
      expect(
        (await client.request("approve", { session_id: session, approval_id, approved: true })).data.code,
      ).toBe("approval_not_found");
    const { secret } = await world.token({ userId: ids.ana, scopes: ["sessions", "turns", "tools"] });
    const unable = await connect(world, { token: secret });
    expect((await unable.request("approve", { session_id, approval_id, approved: true })).data).toMatchObject(
      {
        code: "forbidden",
        scope: "approve",
      },
    );
    world.tools.facts.everyone = reading;
    expect((await approve(approval_id)).data.code).toBe("permission_denied");
    world.tools.facts.everyone = manage;
    expect((await approve(approval_id)).type).toBe("response");
  });

  test("expires: nobody can say yes any more, and a yes is not good for ever", async () => {
    const { approval_id } = (await call()).data;
    const approved = (await call()).data.approval_id;
    await approve(approved);
    world.clock.offset = 16 * 60_000;
    expect((await approve(approval_id)).data.code).toBe("approval_not_found");
    expect((await call({ approval_id })).data.code).toBe("approval_not_found");
    expect((await call({ approval_id: approved })).data.code).toBe("approval_not_found");
    await world.turns.expireApprovals();
    const expired = await event("approval_decided", (one) => one.approval_id === approval_id);
    expect(expired.data.event).toMatchObject({ state: "expired", decided_by: null });
  });

  test("is told of to the connections of its session alone", async () => {
    const other = await connect(world);
    const second = await open(other);
    const { approval_id } = (await call()).data;
    await event("approval_requested", (one) => one.approval_id === approval_id);
    // One stream for both: what comes after it has come is proof that it did not.
    await other.request("tool_call", { session_id: second, tool_name: "close" });
    await other.next((one) => one.type === "event" && one.data.event.type === "approval_requested");
    const heard = other.received.filter((one) => one.type === "event");
    expect(heard.map((one) => one.data.event.approval_id)).not.toContain(approval_id);
  });

  test("with an idempotency key: what was asked is not its outcome, what was done with the yes is", async () => {
    const before = world.tools.closed;
    const key = { idempotency_key: crypto.randomUUID() };
    expect((await call({}, key)).data.code).toBe("approval_required");
    const { approval_id } = (await call({}, key)).data;
    await approve(approval_id);
    const first = await call({ approval_id }, key);
    expect(first.type).toBe("tool_result");
    expect((await call({ approval_id }, key)).data).toEqual(first.data);
    expect(world.tools.closed).toBe(before + 1);
  });

  test("works over plain HTTP", async () => {
    const asked = await world.post("/mcp/tool_call", { session_id, tool_name: "close" });
    expect(asked.status).toBe(409);
    const { code, data } = await bodyOf(asked);
    expect(code).toBe("approval_required");
    const { approval_id } = data;
    const answered = await world.post("/mcp/approve", { session_id, approval_id, approved: true });
    expect(await bodyOf(answered)).toMatchObject({ approval_id, state: "approved" });
    const done = await world.post("/mcp/tool_call", { session_id, tool_name: "close", approval_id });
    expect([done.status, (await bodyOf(done)).result]).toEqual([200, { closed: ids.general }]);
  });
});

describe("a turn that has to be approved", () => {
  test.each([true, false])("goes on by itself after %p, and its reply comes then", async (approved) => {
    const before = world.tools.closed;
    world.script.tool = () => ({ name: "close", input: {} });
    world.script.answer = () => "That is that.";
    const reply = client.request("process", { session_id, message: "close it" });
    const { data } = await event("approval_requested");
    expect(data.event).toMatchObject({ turn_id: expect.any(String), tool_name: "close" });
    expect((await approve(data.event.approval_id, approved)).data).toMatchObject({ tool_name: "close" });
    expect((await reply).data).toMatchObject({ response: "That is that.", turn_id: data.event.turn_id });
    const types = client.received.flatMap((one) => (one.type === "event" ? [one.data.event.type] : []));
    expect(types.filter((type) => type === "approval_decided")).toHaveLength(1);
    expect(types.filter((type) => type === "tool_finished")).toHaveLength(1);
    expect(world.tools.closed).toBe(before + (approved ? 1 : 0));
  });

  test("keeps an event stream open meanwhile", async () => {
    world.script.tool = () => ({ name: "close", input: {} });
    world.script.answer = () => "Closed.";
    const response = await world.post(
      "/mcp/process",
      { session_id, message: "close it" },
      { accept: "text/event-stream" },
    );
    const { data } = await event("approval_requested");
    await world.post("/mcp/approve", { session_id, approval_id: data.event.approval_id, approved: true });
    const body = await response.text();
    const at = ['"approval_requested"', '"approval_decided"', '"turn_finished"', "event: response"].map(
      (part) => body.indexOf(part),
    );
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at[0]).toBeGreaterThan(0);
  });
});

describe("where somebody cannot be", () => {
  test("no session is opened, and no turn is taken", async () => {
    world.reach.refusal = new AppError("not_found", "There is no such channel.");
    const session = crypto.randomUUID();
    const refused = await client.request("initialize", { ...there, session_id: session });
    expect(refused).toMatchObject({
      type: "error",
      error: "There is no such channel.",
      data: { code: "not_found" },
    });
    expect(world.reach.asked.at(-1)).toEqual({
      kind: "user",
      userId: ids.ana,
      channelId: ids.general,
      guildId: ids.guild,
    });
    const turns = world.claude.requests.length;
    const turn = await client.request("process", { session_id, message: "hello" });
    expect(turn.data.code).toBe("not_found");
    expect(world.claude.requests).toHaveLength(turns);
    world.reach.refusal = null;
    const unknown = await client.request("tool_call", { session_id: session, tool_name: "echo" });
    expect(unknown.data.code).toBe("session_not_found");
  });

  test("nothing is told to them any more of a session that they had", async () => {
    await client.request("process", { session_id, message: "between us" });
    const [stranger, listener] = [await connect(world), await connect(world)];
    world.reach.refusal = new AppError("not_found", "There is no such channel.");
    const refused = await stranger.request("context_update", { session_id });
    expect(refused).toMatchObject({ type: "error", data: { code: "not_found" } });
    await stranger.request("process", { session_id, message: "hello" });
    const path = `/mcp/ws/${session_id}?last_seq=0`;
    await expect(connect(world, { path })).rejects.toThrow();

    world.reach.refusal = null;
    await client.request("process", { session_id, message: "hello" });
    await listener.request("process", { session_id, message: "hello" });
    for (const one of [stranger, listener]) await one.request("cancel", { session_id });
    expect(listener.received.map(({ type }) => type)).toContain("event");
    expect(stranger.received.map(({ type }) => type)).not.toContain("event");
    await (await connect(world, { path })).close();
  });
});

describe("what belongs to the whole person", () => {
  const user_preferences = { language: "de" };
  const codeFor = async (token: string, data: object) => {
    const by = await connect(world, { token });
    const { type, data: reply } = await by.request("context_update", { session_id, ...data });
    return type === "error" ? reply.code : "done";
  };

  test("is not changed with a token for one session or for some servers", async () => {
    const { data } = await client.request("initialize", { ...there, session_id });
    const limited = await world.token({ userId: ids.ana, guildIds: [ids.guild] });
    const own = await world.token({ userId: ids.ana });
    for (const token of [data.token, limited.secret]) {
      expect(await codeFor(token, { user_preferences })).toBe("forbidden");
      expect(await codeFor(token, { active_tools: ["echo"] })).toBe("done");
    }
    for (const token of [own.secret, world.operator])
      expect(await codeFor(token, { user_preferences })).toBe("done");
  });
});
