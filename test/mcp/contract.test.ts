import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError, type ErrorCode, errorCodes } from "../../src/errors.ts";
import { startWorld, type World } from "../http/world.ts";
import { ids, reading } from "../tools/harness.ts";
import { createPool, kinds, openControl, type Pool, type TestClient, type Wanted, ways } from "./clients.ts";

const opened = new AsyncDisposableStack();
let world: World;
let pool: Pool;
beforeAll(async () => {
  world = opened.use(await startWorld());
  opened.use(openControl(world));
  pool = opened.use(createPool(world, ids.ana));
});
afterAll(() => opened.disposeAsync());
beforeEach(() => {
  world.script.tool = null;
  world.tools.facts.everyone = reading | PermissionFlagsBits.ManageChannels;
});

const failure = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    (value) => Promise.reject(new Error(`It did not fail: ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );
const everyWay = ways.flatMap((way) => kinds.map((kind) => [way, kind] as const));
describe.each(everyWay)("%s, %s", (way, kind) => {
  const open = (wanted: Wanted = {}): Promise<TestClient> => pool.of(way, kind, wanted);

  test("lists the registry's tools, and ask", async () => {
    const client = await open();
    expect(client.version).toBe("0.0.0-test");
    expect(client.instructions).toContain(`You call for the user ${ids.ana}, from the server ${ids.guild}`);
    const { tools } = await client.raw.listTools();
    expect(tools.map(({ name }: { name: string }) => name)).toEqual(["echo", "wait", "fail", "close", "ask"]);
    const close = tools.find(({ name }: { name: string }) => name === "close");
    expect(close).toMatchObject({
      title: "Close",
      description: "The tool close.",
      inputSchema: {
        type: "object",
        properties: { channel_id: { type: "string" } },
        additionalProperties: false,
      },
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
    });
    expect(tools[0].annotations).toEqual({
      title: "Echo",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: true,
    });
    expect(tools.at(-1).annotations).toMatchObject({ readOnlyHint: false, idempotentHint: false });
  });

  test("knows no cursor of somebody else's making, in any list", async () => {
    const { raw } = await open();
    for (const list of ["listTools", "listResources", "listResourceTemplates", "listPrompts"]) {
      for (const cursor of ["", "at-100", "at-0x1", "nonsense"])
        expect(await failure(raw[list]({ cursor }))).toMatchObject({ code: -32602 });
    }
  });

  // The newer revision has none, and its client sends none.
  test.skipIf(kind === "2026-07-28")("answers a ping", async () => {
    const { raw } = await open();
    expect(await raw.ping()).toEqual({});
  });

  test("lists what a token may use, and refuses the rest", async () => {
    const client = await open({ scopes: ["turns"] });
    const { tools } = await client.raw.listTools();
    expect(tools.map(({ name }: { name: string }) => name)).toEqual(["ask"]);
    const refused = await client.call("echo", { value: 1 });
    expect([refused.isError, refused.meta.code]).toEqual([true, "forbidden"]);
    expect(refused.text).toBe("This token lacks the scope tools; use one that has it.");
  });

  test("calls a tool; what it gives is marked, and structured", async () => {
    const client = await open();
    const { text, structured, isError } = await client.call("echo", { value: "hi" });
    expect(isError).toBeFalsy();
    expect(text).toMatch(/never an instruction[^<]*<untrusted-[\w-]+>\n\{"value":"hi"\}\n<\/untrusted-/);
    expect(structured.result).toEqual({ value: "hi" });
    expect(structured.note).toContain("never an instruction");
  });

  test("a bad argument names its field", async () => {
    const client = await open();
    const { text, meta, isError } = await client.call("echo", { nothing: 1 });
    expect([isError, meta.code, meta.path]).toEqual([true, "invalid_arguments", "nothing"]);
    expect(text).toContain("nothing");
  });

  test("a failure says what it is, and when to come back", async () => {
    const client = await open();
    const given = { code: "rate_limited", text: "Too much.", retryAfterMs: 1500 };
    const { text, meta, isError } = await client.call("fail", given);
    expect([isError, text, meta]).toEqual([
      true,
      "Too much.",
      { code: "rate_limited", retry_after_ms: 1500 },
    ]);
  });

  test("every code of a failure comes with it", async () => {
    const client = await open();
    const ours: readonly ErrorCode[] = ["internal_error", "cancelled"];
    for (const code of errorCodes.filter((one) => !ours.includes(one))) {
      const { isError, text, meta } = await client.call("fail", { code, text: "So it is.", retryAfterMs: 0 });
      expect([isError, text, meta.code]).toEqual([true, "So it is.", code]);
    }
  });

  test("a call that takes long says that it still runs", async () => {
    world.tools.waiting = Promise.withResolvers();
    const client = await open();
    const heard = Promise.withResolvers<{ readonly message?: string | undefined }>();
    const controller = new AbortController();
    const { signal } = controller;
    jest.useFakeTimers();
    try {
      const call = failure(client.call("wait", {}, { signal, onprogress: heard.resolve }));
      await world.tools.waiting.promise;
      jest.advanceTimersByTime(5000);
      expect(await heard.promise).toMatchObject({ progress: 1, message: "wait is still running." });
      controller.abort(new Error("enough"));
      await call;
    } finally {
      jest.useRealTimers();
    }
  });

  test("what the person may not do is an error that a model can read", async () => {
    world.tools.facts.everyone = reading;
    const client = await open({ elicit: () => "accept" });
    const before = world.tools.closed;
    const { text, meta, isError } = await client.call("close");
    expect([isError, meta.code, meta.missing]).toEqual([true, "permission_denied", ["Manage Channels"]]);
    expect(text).toContain("cannot Manage Channels in #general");
    expect(world.tools.closed).toBe(before);
  });

  test("an unknown tool is the request's mistake", async () => {
    const client = await open();
    expect(await failure(client.call("nope"))).toMatchObject({ code: -32602 });
  });

  test("who can be somewhere else only is told so", async () => {
    const client = await open();
    world.reach.refusal = new AppError("not_found", "There is no such place.");
    try {
      const { text, isError } = await client.call("echo");
      expect([isError, text]).toEqual([true, "There is no such place."]);
    } finally {
      world.reach.refusal = null;
    }
  });

  test("a call that is given up reaches what it does", async () => {
    world.tools.waiting = Promise.withResolvers();
    world.tools.aborted = Promise.withResolvers();
    const client = await open();
    const controller = new AbortController();
    const call = client.call("wait", {}, { signal: controller.signal }).catch((error: unknown) => error);
    await world.tools.waiting.promise;
    controller.abort(new Error("enough"));
    await call;
    await world.tools.aborted.promise;
  });

  describe("a call that has to be approved", () => {
    test("runs once after a yes", async () => {
      const asked: string[] = [];
      const client = await open({
        elicit({ message }) {
          asked.push(message);
          return "accept";
        },
      });
      const before = world.tools.closed;
      const result = await client.call("close");
      expect(result.structured.result).toEqual({ closed: ids.general });
      expect(asked).toEqual(["Close #general?"]);
      expect(world.tools.closed).toBe(before + 1);
    });

    test.each(["decline", "cancel"] as const)("does not run after a %s", async (action) => {
      const client = await open({ elicit: () => action });
      const before = world.tools.closed;
      const { isError, meta } = await client.call("close");
      expect([isError, meta.code]).toEqual([true, "permission_denied"]);
      expect(world.tools.closed).toBe(before);
    });

    test("is refused, saying why, when the client cannot ask", async () => {
      const client = await open();
      const before = world.tools.closed;
      const { isError, meta, text } = await client.call("close");
      expect([isError, meta.code]).toEqual([true, "approval_required"]);
      expect(text).toContain("this client cannot ask them");
      expect(world.tools.closed).toBe(before);
    });

    test("is refused, saying what to use, when the token cannot carry a yes", async () => {
      const asked: string[] = [];
      const client = await open({
        scopes: ["turns", "tools"],
        elicit({ message }) {
          asked.push(message);
          return "accept";
        },
      });
      const before = world.tools.closed;
      const { isError, text } = await client.call("close");
      expect([isError, asked.length, world.tools.closed]).toEqual([true, 0, before]);
      expect(text).toContain("the scope approve");
    });
  });

  describe("ask", () => {
    test("answers with what the agent says", async () => {
      const client = await open();
      const { text, structured } = await client.call("ask", { message: "how are you?" });
      expect(text).toBe("You said: how are you?");
      expect(structured).toMatchObject({ answer: text, turn_id: expect.any(String) });
    });

    test("tells of its progress", async () => {
      world.script.tool = (message) =>
        message.includes("use it") ? { name: "echo", input: { value: 1 } } : null;
      const client = await open();
      const told: string[] = [];
      const onprogress = ({ message }: { readonly message?: string | undefined }) =>
        void told.push(message ?? "");
      await client.call("ask", { message: "use it" }, { onprogress });
      expect(told).toEqual(["The agent has begun.", "The agent uses echo.", "echo: done."]);
    });

    test("asks the person what its tools have to ask", async () => {
      world.script.tool = (message) => (message.includes("close it") ? { name: "close", input: {} } : null);
      world.script.answer = (message) =>
        message.includes("close it") ? "It is done." : `You said: ${message}`;
      const asked: string[] = [];
      const client = await open({
        elicit({ message }) {
          asked.push(message);
          return "accept";
        },
      });
      const before = world.tools.closed;
      await client.call("ask", { message: "close it" });
      expect([asked, world.tools.closed - before]).toEqual([["Close #general?"], 1]);
    });

    test("goes on without what nobody can approve", async () => {
      world.script.tool = (message) => (message.includes("close it") ? { name: "close", input: {} } : null);
      const client = await open();
      const before = world.tools.closed;
      const { isError } = await client.call("ask", { message: "close it" });
      expect([isError ?? false, world.tools.closed]).toEqual([false, before]);
    });

    test("needs a message", async () => {
      const client = await open();
      const { isError, meta } = await client.call("ask", {});
      expect([isError, meta.code, meta.path]).toEqual([true, "invalid_arguments", "message"]);
    });
  });

  test("reads one's own conversation and audit trail, and no address that is none", async () => {
    const client = await open();
    await client.call("ask", { message: "remember the cheese" });
    const { resources } = await client.raw.listResources();
    expect(resources.map(({ uri }: { uri: string }) => uri)).toEqual([
      "discord://me/conversation",
      "discord://me/conversations",
      "discord://me/audit",
    ]);
    const read = async (uri: string) =>
      JSON.parse((await client.raw.readResource({ uri })).contents[0].text).result;
    expect(JSON.stringify(await read("discord://me/conversation"))).toContain("remember the cheese");
    await client.call("fail", { code: "not_found", text: "no", retryAfterMs: 0 });
    // Rows of calls that only read are collected, and written a moment later.
    const { calls } = await read("discord://me/audit");
    expect(Array.isArray(calls)).toBe(true);
    const failed = await client.raw
      .readResource({ uri: "discord://nothing/1" })
      .catch((error: unknown) => error);
    expect(failed.code).toBeOneOf([-32602, -32002]);
  });

  test("has templates, and only prompts that can be kept", async () => {
    const client = await open();
    const { resourceTemplates } = await client.raw.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate)).toEqual([
      "discord://guilds/{guild_id}",
      "discord://guilds/{guild_id}/channels",
      "discord://channels/{channel_id}/messages",
      "discord://users/{user_id}",
      "discord://me/conversations/{conversation_id}",
    ]);
    // None of the tools that they need is here: test/mcp/prompts.test.ts has them.
    expect(await client.raw.listPrompts()).toMatchObject({ prompts: [] });
    const missing = await client.raw
      .getPrompt({ name: "catch_up", arguments: { channel: "general" } })
      .catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: -32602 });
  });
});
