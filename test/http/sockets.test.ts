import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ana, connect, initialized } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe("initialize", () => {
  test("opens a session and says all that a client needs", async () => {
    const client = await connect(world);
    const reply = await client.request("initialize", ana, { metadata: { trace: [1, { a: null }] } });
    expect(reply).toMatchObject({
      type: "initialize",
      metadata: { trace: [1, { a: null }] },
      data: {
        available_tools: ["echo", "wait", "fail", "close"],
        tools: [
          {
            name: "echo",
            description: "The tool echo.",
            parameters: { type: "object", properties: expect.anything() },
          },
          {},
          {},
          {},
        ],
        context: { ...ana, conversation_history: [], user_preferences: {}, active_tools: [] },
        token: expect.any(String),
        stream_epoch: world.events.epoch,
        seq: expect.any(Number),
        missed_too_much: false,
      },
    });
    expect(reply.data.context.session_id).toBe(reply.data.session_id);
    expect(reply.data.expires_at * 1000).toBeGreaterThan(Date.now());
    await client.close();
  });

  test("finds a known session again, and refuses it for another user or channel", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, { session_id: "test_session" });
    expect(session_id).toBe("test_session");
    expect(await initialized(client, { session_id })).toBe(session_id);
    const other = await client.request("initialize", { ...ana, user_id: "111111111111111112", session_id });
    expect(other.data.code).toBe("session_conflict");
    await client.close();
  });

  test.each([
    [{ ...ana, user_id: "nobody" }, "user_id"],
    [{ ...ana, user_id: 111 }, "user_id"],
    [{ user_id: "111111111111111111" }, "channel_id"],
    [{ ...ana, session_id: "no spaces" }, "session_id"],
    [{ ...ana, guild_id: "x" }, "guild_id"],
    [{ ...ana, last_seq: -1 }, "last_seq"],
    [{}, "user_id"],
  ])("names the field that is wrong (%#)", async (data, path) => {
    const client = await connect(world);
    const reply = await client.request("initialize", data);
    expect(reply.data).toMatchObject({ code: "invalid_data", path });
    expect(reply.message_id).toBe(reply.id);
    await client.close();
  });

  test("without a guild is a direct message; null is absent", async () => {
    const client = await connect(world);
    const data = {
      user_id: "111111111111111111",
      channel_id: "999999999999999999",
      guild_id: null,
      session_id: null,
    };
    const reply = await client.request("initialize", data);
    expect(reply.data.context.guild_id).toBeNull();
    await client.close();
  });
});

describe("tool_call", () => {
  test("gives the tool's result", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const reply = await client.request("tool_call", { session_id, tool_name: "echo", arguments: { a: 1 } });
    expect(reply).toMatchObject({
      type: "tool_result",
      data: { session_id, tool_name: "echo", result: { a: 1 } },
    });
    await client.close();
  });

  test("says what is missing from a result that is too large", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const value = ["x".repeat(10_000), "y".repeat(10_000)];
    const call = { session_id, tool_name: "echo", arguments: { value } };
    const { data } = await client.request("tool_call", call);
    expect(data.result).toEqual({ value: [value[0]] });
    expect(data.truncated).toContain("1 of value");
    await client.close();
  });

  test.each([
    "invalid_arguments",
    "permission_denied",
    "not_found",
    "approval_required",
    "timeout",
    "outcome_unknown",
    "discord_unavailable",
    "discord_error",
    "internal_error",
  ])("passes %s on with its sentence", async (code) => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const args = { code, text: `It is ${code}.`, retryAfterMs: 1500 };
    const reply = await client.request("tool_call", { session_id, tool_name: "fail", arguments: args });
    expect(reply).toMatchObject({
      type: "error",
      error: `It is ${code}.`,
      data: { code, retry_after_ms: 1500 },
    });
    await client.close();
  });

  test("knows unknown and inactive tools", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, { session_id: "narrowed" });
    const update = await client.request("context_update", { session_id, active_tools: ["wait"] });
    expect(update.data.context.active_tools).toEqual(["wait"]);
    const call = async (tool_name: string) =>
      (await client.request("tool_call", { session_id, tool_name })).data.code;
    expect(await call("echo")).toBe("tool_inactive");
    expect(await call("nonsense")).toBe("unknown_tool");
    expect((await client.request("initialize", { ...ana, session_id })).data.available_tools).toEqual([
      "wait",
    ]);
    await client.close();
  });

  test("is made once for each idempotency key", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const metadata = { idempotency_key: "k1" };
    const call = (value: number) =>
      client.request("tool_call", { session_id, tool_name: "echo", arguments: { value } }, { metadata });
    const before = world.tools.calls;
    const replies = await Promise.all([call(1), call(1), call(1)]);
    expect(replies.map((reply) => reply.data.result)).toEqual([{ value: 1 }, { value: 1 }, { value: 1 }]);
    expect(world.tools.calls).toBe(before + 1);
    expect((await call(2)).data.code).toBe("idempotency_conflict");
    const bad = await client.request(
      "tool_call",
      { session_id, tool_name: "echo" },
      { metadata: { idempotency_key: 7 } },
    );
    expect(bad.data).toMatchObject({ code: "invalid_envelope", path: "metadata.idempotency_key" });
    await client.close();
  });

  test("is given up when its connection closes, and a later one works", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    client.send(JSON.stringify({ type: "tool_call", id: "w", data: { session_id, tool_name: "wait" } }));
    await client.request("tool_call", { session_id, tool_name: "echo" });
    await client.close();
    await world.tools.aborted.promise;
  });
});

describe("context_update", () => {
  test("changes preferences and tells the other connections of the session alone", async () => {
    const [mine, other, foreign] = [await connect(world), await connect(world), await connect(world)];
    const session_id = await initialized(mine, { session_id: "shared" });
    await initialized(other, { session_id });
    await initialized(foreign, { session_id: "not_shared" });
    const reply = await mine.request("context_update", {
      session_id,
      user_preferences: { language: "de", name: "Ana" },
    });
    expect(reply).toMatchObject({
      type: "context_update",
      data: { session_id, context: { user_preferences: { language: "de", name: "Ana" } } },
    });
    const event = await other.next((message) => message.type === "event");
    expect(event.data).toMatchObject({
      session_id,
      stream_epoch: world.events.epoch,
      event: { type: "context_updated", user_preferences: { language: "de", name: "Ana" }, active_tools: [] },
    });
    for (const client of [mine, foreign]) {
      await client.request("context_update", { session_id: "nowhere" });
      expect(client.received.filter((message) => message.type === "event")).toEqual([]);
    }
    await Promise.all([mine.close(), other.close(), foreign.close()]);
  });

  test.each([
    [{ user_preferences: { language: "??" } }, "invalid_data", "user_preferences.language"],
    [{ user_preferences: { colour: "red" } }, "invalid_data", "user_preferences.colour"],
    [{ user_preferences: null }, "invalid_data", "user_preferences"],
    [{ active_tools: ["nonsense"] }, "unknown_tool", "active_tools"],
    [{ active_tools: "echo" }, "invalid_data", "active_tools"],
  ])("refuses %j", async (data, code, path) => {
    const client = await connect(world);
    const session_id = await initialized(client);
    expect((await client.request("context_update", { session_id, ...data })).data).toMatchObject({
      code,
      path,
    });
    await client.close();
  });
});

describe("approve", () => {
  test("is validated, and finds nothing yet", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const ask = (data: object) => client.request("approve", { session_id, ...data });
    expect((await ask({ approval_id: "a", approved: true })).data.code).toBe("approval_not_found");
    expect((await ask({ approval_id: "a", approved: "yes" })).data).toMatchObject({
      code: "invalid_data",
      path: "approved",
    });
    await client.close();
  });
});

describe("sessions", () => {
  test("that are unknown or expired are told apart", async () => {
    await using own = await startWorld();
    const client = await connect(own);
    const session_id = await initialized(client);
    const call = async (id: string) =>
      (await client.request("tool_call", { session_id: id, tool_name: "echo" })).data.code;
    expect(await call("unknown")).toBe("session_not_found");
    own.clock.offset += 31 * 86_400_000;
    expect(await call(session_id)).toBe("session_expired");
    await client.close();
  });

  test("of others are refused", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const ben = await world.token({ userId: "444444444444444444" });
    const foreign = await connect(world, { token: ben.secret });
    for (const [type, data] of [
      ["tool_call", { tool_name: "echo" }],
      ["process", { message: "hi" }],
      ["context_update", {}],
      ["cancel", {}],
      ["approve", { approval_id: "a", approved: true }],
    ] as const)
      expect((await foreign.request(type, { session_id, ...data })).data.code).toBe("forbidden");
    expect((await foreign.request("initialize", ana)).data.code).toBe("forbidden");
    await Promise.all([client.close(), foreign.close()]);
  });

  test("are what a session token is good for, one and no other", async () => {
    const client = await connect(world);
    const reply = await client.request("initialize", { ...ana, session_id: "own" });
    await client.request("initialize", { ...ana, session_id: "second" });
    const narrow = await connect(world, { token: reply.data.token });
    const call = async (session_id: string) =>
      (await narrow.request("tool_call", { session_id, tool_name: "echo" })).type;
    expect(await call("own")).toBe("tool_result");
    expect(await call("second")).toBe("error");
    expect((await narrow.request("initialize", { ...ana, session_id: "third" })).data.code).toBe("forbidden");
    expect((await narrow.request("initialize", ana)).data.session_id).toBe("own");
    await Promise.all([client.close(), narrow.close()]);
  });

  test("need the scope of what is asked", async () => {
    const opener = await connect(world);
    const session_id = await initialized(opener);
    const { secret } = await world.token({ scopes: ["metrics"] });
    const client = await connect(world, { token: secret });
    for (const [type, data] of [
      ["initialize", ana],
      ["tool_call", { tool_name: "echo" }],
      ["process", { message: "hi" }],
      ["context_update", {}],
      ["cancel", {}],
      ["approve", { approval_id: "a", approved: true }],
    ] as const)
      expect((await client.request(type, { session_id, ...data })).data.code).toBe("forbidden");
    await Promise.all([opener.close(), client.close()]);
  });
});

describe("a socket bound to a session", () => {
  test("needs one that exists and that the token may use", async () => {
    const status = async (path: string, token = world.operator) =>
      (
        await fetch(world.url + path, {
          headers: {
            authorization: `Bearer ${token}`,
            upgrade: "websocket",
            connection: "Upgrade",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
            "sec-websocket-version": "13",
          },
        })
      ).status;
    await world.post("/mcp/initialize", { ...ana, session_id: "bound" });
    expect(await status("/mcp/ws/unknown")).toBe(404);
    expect(await status("/mcp/ws/bound", (await world.token({ userId: "999999999999999999" })).secret)).toBe(
      403,
    );
    expect(await status("/mcp/ws/bound?last_seq=x")).toBe(400);
    expect(await status("/mcp/ws/bound", "wrong")).toBe(401);
  });

  test("takes requests for that session alone", async () => {
    await world.post("/mcp/initialize", { ...ana, session_id: "bound" });
    await world.post("/mcp/initialize", { ...ana, session_id: "unbound" });
    const client = await connect(world, { path: "/mcp/ws/bound" });
    const call = (session_id: string) => client.request("tool_call", { session_id, tool_name: "echo" });
    expect((await call("bound")).type).toBe("tool_result");
    expect((await call("unbound")).data.code).toBe("forbidden");
    expect((await client.request("initialize", ana)).data.session_id).toBe("bound");
    await client.close();
  });
});
