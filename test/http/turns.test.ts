import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import { ana, bodyOf, connect, initialized, type Message } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

let channels = 1000;
/** A conversation of its own for each test. */
const place = () => ({ ...ana, channel_id: `${channels++}` });
const isEvent = (type: string) => (message: Message) =>
  message.type === "event" && message.data.event.type === type;

describe("process", () => {
  test("answers when the turn has ended, its events before", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, place());
    const reply = await client.request(
      "process",
      { session_id, message: "hello there" },
      { metadata: { n: 1 } },
    );
    expect(reply).toMatchObject({
      type: "response",
      metadata: { n: 1 },
      data: {
        session_id,
        response: "You said: hello there",
        turn_id: expect.any(String),
        stop_reason: "end_turn",
        usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
      },
    });
    const events = client.received.filter((message) => message.type === "event");
    const types = events.map((message) => message.data.event.type);
    expect([...new Set(types)]).toEqual(["turn_started", "text_delta", "turn_finished"]);
    const deltas = events.flatMap((message) => message.data.event.text ?? []);
    expect(deltas.join("")).toBe("You said: hello there");
    const numbers = events.map((message) => message.data.seq);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    const context = await client.request("context_update", { session_id });
    expect(context.data.context.conversation_history).toMatchObject([
      { role: "user", content: "hello there", turn_id: reply.data.turn_id, timestamp: expect.any(Number) },
      { role: "assistant", content: "You said: hello there" },
    ]);
    await client.close();
  });

  test("lets the model use the session's tools and know the person's preferences", async () => {
    await using own = await startWorld();
    own.claude.script([toolUse("echo", { a: 1 })], "It echoed.");
    const client = await connect(own);
    const session_id = await initialized(client, place());
    const user_preferences = { name: "Captain Ana" };
    await client.request("context_update", { session_id, user_preferences, active_tools: ["echo"] });
    const reply = await client.request("process", { session_id, message: "echo, please" });
    expect(reply.data.response).toBe("It echoed.");
    const { turn_id } = reply.data;
    const tool = { turn_id, step: 1, tool_use_id: expect.any(String), tool_name: "echo" };
    const events = client.received
      .filter((message) => message.type === "event")
      .map((message) => message.data.event);
    expect(events).toContainEqual({ type: "tool_started", ...tool, arguments: { a: 1 } });
    expect(events).toContainEqual({
      type: "tool_finished",
      ...tool,
      outcome: "done",
      duration_ms: expect.any(Number),
    });
    const asked = own.claude.requests[0]?.params;
    expect(JSON.stringify(asked?.system)).toContain("Captain Ana");
    expect(asked?.tools?.map((each) => ("name" in each ? each.name : ""))).toEqual(["echo"]);
    const { conversation_history } = (await client.request("context_update", { session_id })).data.context;
    expect(conversation_history.map((entry: { role: string }) => entry.role)).toEqual([
      "user",
      "tool",
      "assistant",
    ]);
    await client.close();
  });

  test.each([
    [{ message: "" }, "invalid_data"],
    [{ message: " \n " }, "invalid_data"],
    [{ message: 5 }, "invalid_data"],
    [{}, "invalid_data"],
    [{ message: "é".repeat(20_000) }, "payload_too_large"],
  ])("refuses %#", async (data, code) => {
    const client = await connect(world);
    const session_id = await initialized(client, place());
    expect((await client.request("process", { session_id, ...data })).data).toMatchObject({
      code,
      path: "message",
    });
    await client.close();
  });

  test("of a turn that failed is an error with the person's sentence", async () => {
    world.claude.faults.next({ status: 400 });
    const client = await connect(world);
    const session_id = await initialized(client, place());
    const reply = await client.request("process", { session_id, message: "x" });
    expect(reply).toMatchObject({
      type: "error",
      error: expect.stringMatching(/^[A-Z].{20,}[.!]$/),
      data: { code: "model_error", turn_id: expect.any(String) },
    });
    await client.close();
  });

  test("with the same key is the same turn, with another message a conflict", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, place());
    const ask = (message: string) =>
      client.request("process", { session_id, message }, { metadata: { idempotency_key: "once" } });
    const [first, second] = await Promise.all([ask("a"), ask("a")]);
    expect(second.data.turn_id).toBe(first.data.turn_id);
    expect((await ask("a")).data).toEqual(first.data);
    expect((await ask("b")).data.code).toBe("idempotency_conflict");
    await client.close();
  });

  test("goes on when its connection closes, and the answer is found by the key", async () => {
    const gate = Promise.withResolvers<string>();
    const started = Promise.withResolvers<void>();
    world.script.answer = () => {
      started.resolve();
      return gate.promise;
    };
    const where = place();
    const client = await connect(world);
    const session_id = await initialized(client, where);
    const metadata = { idempotency_key: "later" };
    client.send(
      JSON.stringify({ type: "process", id: "p", data: { session_id, message: "slow" }, metadata }),
    );
    await started.promise;
    await client.close();
    gate.resolve("done at last");
    const again = await connect(world);
    const reply = await again.request("process", { session_id, message: "slow" }, { metadata });
    expect(reply.data.response).toBe("done at last");
    world.script.answer = (message) => `You said: ${message}`;
    await again.close();
  });

  test("of a full queue is refused", async () => {
    const gate = Promise.withResolvers<string>();
    world.script.answer = () => gate.promise;
    const client = await connect(world);
    const session_id = await initialized(client, place());
    const replies = Array.from({ length: 12 }, (_, n) =>
      client.request("process", { session_id, message: `${n}` }),
    );
    const full = await client.next((message) => message.type === "error");
    expect(full.data).toMatchObject({ code: "queue_full", waiting: 8 });
    gate.resolve("ok");
    const codes = (await Promise.all(replies)).map((reply) => reply.data.code ?? "answered");
    expect(codes.filter((code) => code === "answered").length).toBeGreaterThanOrEqual(8);
    expect(codes).toContain("queue_full");
    world.script.answer = (message) => `You said: ${message}`;
    await client.close();
  });
});

describe("cancel", () => {
  test("stops what runs and what waits", async () => {
    const started = Promise.withResolvers<void>();
    world.script.answer = () => {
      started.resolve();
      return new Promise<never>(() => {});
    };
    const client = await connect(world);
    const session_id = await initialized(client, place());
    const running = client.request("process", { session_id, message: "a" });
    await started.promise;
    const reply = await client.request("cancel", { session_id });
    expect(reply).toMatchObject({
      type: "response",
      data: { session_id, stopped: [expect.any(String)], removed: [] },
    });
    expect((await running).data.code).toBe("cancelled");
    expect((await client.request("cancel", { session_id, turn_id: "none" })).data.code).toBe(
      "turn_not_found",
    );
    expect((await client.request("cancel", { session_id })).data).toMatchObject({ stopped: [], removed: [] });
    world.script.answer = (message) => `You said: ${message}`;
    await client.close();
  });
});

describe("events", () => {
  test("go to every connection of the session, the same for all", async () => {
    const [one, two] = [await connect(world), await connect(world)];
    const session_id = await initialized(one, { ...place(), session_id: "both" });
    await world.post("/mcp/initialize", { ...ana, session_id: "alone", channel_id: "77" });
    const bound = await connect(world, { path: `/mcp/ws/${session_id}` });
    const alone = await connect(world, { path: "/mcp/ws/alone" });
    await two.request("tool_call", { session_id, tool_name: "echo" });
    await one.request("process", { session_id, message: "hi" });
    await bound.next(isEvent("turn_finished"));
    const of = (client: typeof one) => client.received.filter((message) => message.type === "event");
    expect(of(bound)).toEqual(of(one));
    expect(of(one).length).toBeGreaterThanOrEqual(3);
    expect(of(alone)).toEqual([]);
    await Promise.all([one, two, bound, alone].map((client) => client.close()));
  });

  test("that were missed come after the reply of a reconnect", async () => {
    const where = { ...place(), session_id: "reconnect" };
    const first = await connect(world);
    const session_id = await initialized(first, where);
    await first.request("process", { session_id, message: "one" });
    const seen = await first.next(isEvent("turn_finished"));
    await first.close();
    await world.post("/mcp/process", { session_id, message: "two" });
    const second = await connect(world);
    const { seq: last_seq, stream_epoch } = seen.data;
    const reply = await second.request("initialize", { ...where, last_seq, stream_epoch });
    expect(reply.data).toMatchObject({ missed_too_much: false, stream_epoch });
    await second.next(isEvent("turn_finished"));
    expect(second.received[0]?.type).toBe("initialize");
    const replayed = second.received.slice(1);
    expect(replayed.map((message) => message.data.seq)).toEqual(
      replayed.map((_, index) => last_seq + 1 + index),
    );
    expect(replayed.at(-1)?.data.seq).toBe(reply.data.seq);

    const bound = await connect(world, {
      path: `/mcp/ws/${session_id}?last_seq=${last_seq}&stream_epoch=${stream_epoch}`,
    });
    await bound.next(isEvent("turn_finished"));
    expect(bound.received).toEqual(replayed);
    await Promise.all([second.close(), bound.close()]);
  });

  test("that are lost for good are reported", async () => {
    await using own = await startWorld({ maxEvents: 2 });
    const client = await connect(own);
    const where = { ...place(), session_id: "lost" };
    await initialized(client, where);
    await client.request("process", { session_id: "lost", message: "a b c d" });
    const reply = await client.request("initialize", {
      ...where,
      last_seq: 0,
      stream_epoch: own.events.epoch,
    });
    expect(reply.data.missed_too_much).toBe(true);
    const other = await client.request("initialize", { ...where, last_seq: 1, stream_epoch: "before" });
    expect(other.data.missed_too_much).toBe(true);
    const bound = await connect(own, { path: "/mcp/ws/lost?last_seq=0" });
    const event = await bound.next(isEvent("missed_too_much"));
    expect(event.data.seq).toBe(reply.data.seq);
    await Promise.all([client.close(), bound.close()]);
  });
});

describe("POST /mcp/process", () => {
  const readEvents = async (response: Response) =>
    (await response.text())
      .split("\n\n")
      .filter((block) => block.startsWith("event:"))
      .map((block) => {
        const [event, ...rest] = block.split("\n");
        const data = rest.find((line) => line.startsWith("data: ")) ?? "";
        return { event: event?.slice(7), data: JSON.parse(data.slice(6)) };
      });

  test("answers with the reply's data", async () => {
    await world.post("/mcp/initialize", { ...place(), session_id: "over_http" });
    const response = await world.post("/mcp/process", { session_id: "over_http", message: "hi" });
    expect(response.status).toBe(200);
    expect(await bodyOf(response)).toMatchObject({ session_id: "over_http", response: "You said: hi" });
  });

  test("streams the turn's events and ends with the response", async () => {
    await world.post("/mcp/initialize", { ...place(), session_id: "sse" });
    const response = await world.post(
      "/mcp/process",
      { session_id: "sse", message: "hi you" },
      { accept: "text/event-stream" },
    );
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const events = await readEvents(response);
    const types = events.map(({ event, data }) => (event === "event" ? data.event.type : event));
    expect([...new Set(types)]).toEqual(["turn_started", "text_delta", "turn_finished", "response"]);
    expect(events.at(-1)?.data).toMatchObject({ session_id: "sse", response: "You said: hi you" });
  });

  test("streams a failure as its last event, and refuses before as plain JSON", async () => {
    world.claude.faults.next({ status: 400 });
    await world.post("/mcp/initialize", { ...place(), session_id: "sse_fails" });
    const accept = { accept: "text/event-stream" };
    const failed = await world.post("/mcp/process", { session_id: "sse_fails", message: "hi" }, accept);
    expect((await readEvents(failed)).at(-1)).toMatchObject({
      event: "error",
      data: { code: "model_error" },
    });
    world.script.answer = (message) => `You said: ${message}`;
    const refused = await world.post("/mcp/process", { session_id: "nowhere", message: "hi" }, accept);
    expect(refused.status).toBe(404);
    expect(await bodyOf(refused)).toMatchObject({ code: "session_not_found" });
  });

  test("shows a stream the events of its own turn alone, and the turn outlives its reader", async () => {
    const gate = Promise.withResolvers<string>();
    world.script.answer = (message) => (message === "first" ? gate.promise : "second answer");
    await world.post("/mcp/initialize", { ...place(), session_id: "two_turns" });
    const accept = { accept: "text/event-stream", "idempotency-key": "first" };
    const first = await world.post("/mcp/process", { session_id: "two_turns", message: "first" }, accept);
    const second = world.post(
      "/mcp/process",
      { session_id: "two_turns", message: "second" },
      { accept: "text/event-stream" },
    );
    await first.body?.cancel();
    gate.resolve("first answer");
    const events = await readEvents(await second);
    const turn = events.at(-1)?.data.turn_id;
    expect(events.slice(0, -1).map(({ data }) => data.event.turn_id)).toEqual(
      events.slice(1).map(() => turn),
    );
    world.script.answer = () => "not this";
    const again = await world.post(
      "/mcp/process",
      { session_id: "two_turns", message: "first" },
      { "idempotency-key": "first" },
    );
    expect(await bodyOf(again)).toMatchObject({ response: "first answer" });
    world.script.answer = (message) => `You said: ${message}`;
  });
});
