import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import type {
  MessageCreateParamsNonStreaming,
  RawMessageStreamEvent,
} from "@anthropic-ai/sdk/resources/messages";
import { text, thinking, toolUse } from "../../../src/simulator/claude/reply.ts";
import { startClaudeSimulator } from "../../../src/simulator/claude/simulator.ts";

const greeting: MessageCreateParamsNonStreaming = {
  model: "claude-sonnet-5-5",
  max_tokens: 500,
  messages: [{ role: "user", content: "Hello" }],
};

function clientOf(simulator: { baseUrl: string; apiKey: string }, maxRetries = 0): Anthropic {
  return new Anthropic({ apiKey: simulator.apiKey, baseURL: simulator.baseUrl, maxRetries, logLevel: "off" });
}

/** Typed by the SDK, so that a field that it adds fails the type check here. */
const messageFields: Record<keyof Anthropic.Message, true> = {
  id: true,
  container: true,
  content: true,
  diagnostics: true,
  model: true,
  role: true,
  stop_details: true,
  stop_reason: true,
  stop_sequence: true,
  type: true,
  usage: true,
};
const usageFields: Record<keyof Anthropic.Usage, true> = {
  cache_creation: true,
  cache_creation_input_tokens: true,
  cache_read_input_tokens: true,
  inference_geo: true,
  input_tokens: true,
  output_tokens: true,
  output_tokens_details: true,
  server_tool_use: true,
  service_tier: true,
  speed: true,
};
const deltaUsageFields: Record<keyof Anthropic.MessageDeltaUsage, true> = {
  cache_creation_input_tokens: true,
  cache_read_input_tokens: true,
  input_tokens: true,
  output_tokens: true,
  output_tokens_details: true,
  server_tool_use: true,
};

/** What it fails with. (`rejects` does not wait for the client's own kind of promise.) */
async function failure(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

describe("a message", () => {
  test("comes whole and streamed with the same content, every field of the SDK's type set", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    const blocks = [
      thinking("Let me see."),
      text("Grüße 👋 ".repeat(20)),
      toolUse("look", { at: "a b", n: [1] }),
    ];
    simulator.script(blocks, blocks);
    const whole = await client.messages.create(greeting);
    const streamed = await client.messages.stream(greeting).finalMessage();

    expect(streamed).toMatchObject({
      ...whole,
      id: expect.any(String),
      content: whole.content.map((block) =>
        block.type === "tool_use" ? { ...block, id: expect.any(String) } : block,
      ),
    });
    expect(whole.stop_reason).toBe("tool_use");
    expect(Object.keys(whole).sort()).toEqual(Object.keys(messageFields).sort());
    expect(Object.keys(whole.usage).sort()).toEqual(Object.keys(usageFields).sort());
    expect(whole.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
  });

  test("streams its events in the API's order", async () => {
    await using simulator = await startClaudeSimulator();
    simulator.script([
      thinking("Hm."),
      text("Hi"),
      toolUse("look", { query: "a longer query than a piece holds" }),
    ]);
    const events: RawMessageStreamEvent[] = [];
    for await (const event of await clientOf(simulator).messages.create({ ...greeting, stream: true }))
      events.push(event);
    const names = events.map((event) =>
      event.type === "content_block_delta" ? event.delta.type : event.type,
    );
    expect(names).toEqual([
      "message_start",
      "content_block_start",
      "thinking_delta",
      "signature_delta",
      "content_block_stop",
      "content_block_start",
      "text_delta",
      "content_block_stop",
      "content_block_start",
      "input_json_delta",
      "input_json_delta",
      "input_json_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    const end = events.find((event) => event.type === "message_delta");
    expect(Object.keys(end?.usage ?? {}).sort()).toEqual(Object.keys(deltaUsageFields).sort());
    expect(end?.delta).toEqual({
      stop_reason: "tool_use",
      stop_sequence: null,
      stop_details: null,
      container: null,
    });
  });

  test("sends a ping on the wire", async () => {
    await using simulator = await startClaudeSimulator();
    const answer = await fetch(`${simulator.baseUrl}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": simulator.apiKey, "anthropic-version": "2026-10-21" },
      body: JSON.stringify({ ...greeting, stream: true }),
    });
    expect(await answer.text()).toContain('event: ping\ndata: {"type":"ping"}\n\n');
  });

  test("stops at max_tokens, at a stop sequence, and at the end of the context window", async () => {
    await using simulator = await startClaudeSimulator({ maxInputTokens: 40 });
    const client = clientOf(simulator);
    const long = "abcdefgh".repeat(40);
    simulator.script(long, "one STOP two", long, long);
    const cut = await client.messages.create({ ...greeting, max_tokens: 2 });
    expect(cut).toMatchObject({
      stop_reason: "max_tokens",
      content: [{ text: "abcdefgh" }],
      usage: { output_tokens: 2 },
    });
    expect(
      await client.messages.create({ ...greeting, max_tokens: 20, stop_sequences: ["STOP"] }),
    ).toMatchObject({
      stop_reason: "stop_sequence",
      stop_sequence: "STOP",
      content: [{ text: "one " }],
    });
    expect(await client.messages.create(greeting)).toMatchObject({
      stop_reason: "model_context_window_exceeded",
    });
    expect(await client.messages.create({ ...greeting, max_tokens: 0 })).toMatchObject({ content: [] });
  });

  test("may be refused or paused, and a paused one may be given back", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    simulator.script(
      { blocks: [], stopReason: "refusal", refusal: { category: "cyber", explanation: "No." } },
      { blocks: [text("Working on it")], stopReason: "pause_turn" },
      "done",
    );
    expect(await client.messages.create(greeting)).toMatchObject({
      stop_reason: "refusal",
      stop_details: { type: "refusal", category: "cyber", explanation: "No." },
    });
    const paused = await client.messages.stream(greeting).finalMessage();
    expect(paused.stop_reason).toBe("pause_turn");
    const messages = [...greeting.messages, { role: "assistant" as const, content: paused.content }];
    expect(await client.messages.create({ ...greeting, messages })).toMatchObject({
      content: [{ text: "done" }],
    });
    const prefill = [...greeting.messages, { role: "assistant" as const, content: "The answer is" }];
    expect(await failure(client.messages.create({ ...greeting, messages: prefill }))).toMatchObject({
      message: expect.stringMatching(/prefill/),
    });
  });
});

describe("what goes wrong", () => {
  test("is each error of the API, with its class, body and request id", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    const cases = [
      [400, Anthropic.BadRequestError, "invalid_request_error"],
      [401, Anthropic.AuthenticationError, "authentication_error"],
      [403, Anthropic.PermissionDeniedError, "permission_error"],
      [404, Anthropic.NotFoundError, "not_found_error"],
      [413, Anthropic.APIError, "request_too_large"],
      [429, Anthropic.RateLimitError, "rate_limit_error"],
      [500, Anthropic.InternalServerError, "api_error"],
      [529, Anthropic.APIError, "overloaded_error"],
    ] as const;
    for (const [status, errorClass, type] of cases) {
      simulator.faults.next({ status });
      const error = await client.messages.create(greeting).catch((reason: unknown) => reason);
      if (!(error instanceof Anthropic.APIError)) throw new Error(`no APIError for ${status}`);
      expect(error).toBeInstanceOf(errorClass);
      expect(error).toMatchObject({ status, type, error: { type: "error", request_id: error.requestID } });
      expect(error.requestID).toStartWith("req_");
    }
    expect(simulator.requests.map((request) => request.status)).toEqual(cases.map(([status]) => status));
  });

  test("tells a limited client when to come back, and the client's retry gets the scripted reply", async () => {
    await using simulator = await startClaudeSimulator();
    simulator.script("at last");
    simulator.faults.next({ status: 429, retryAfter: 1 });
    const refused = await clientOf(simulator)
      .messages.create(greeting)
      .catch((reason: unknown) => reason);
    if (!(refused instanceof Anthropic.RateLimitError)) throw new Error("not limited");
    expect(refused.headers?.get("retry-after")).toBe("1");
    expect(refused.headers?.get("anthropic-ratelimit-requests-remaining")).toBe("0");
    simulator.faults.next({ status: 529, retryAfter: 0.01, times: 2 });
    const answer = await clientOf(simulator, 2).messages.create(greeting);
    expect(answer.content).toMatchObject([{ text: "at last" }]);
    expect(simulator.requests.map((request) => request.outcome)).toEqual([
      "refused",
      "refused",
      "refused",
      "answered",
    ]);
  });

  test("breaks streams by event, by byte, by an error event, and by rubbish, and keeps the script", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    simulator.script("a reply of some length, in several pieces");
    const attempt = async (onText: () => void = () => undefined) => {
      const seen: string[] = [];
      const stream = client.messages.stream(greeting).on("text", (piece) => {
        seen.push(piece);
        onText();
      });
      const error = await stream.done().then(
        () => null,
        (reason: unknown) => reason,
      );
      return { error, text: seen.join("") };
    };
    simulator.faults.cutStreamAfter({ events: 4 });
    expect((await attempt()).error).toBeInstanceOf(Anthropic.AnthropicError);
    const stall = simulator.faults.stallStreamAfter(4);
    const cut = await attempt(() => stall.cut());
    expect(cut.error).toBeInstanceOf(Anthropic.AnthropicError);
    expect(cut.text).toBe("a reply of some length, ");
    simulator.faults.cutStreamAfter({ bytes: 40 });
    expect(await attempt()).toMatchObject({ error: expect.any(Anthropic.AnthropicError), text: "" });
    simulator.faults.errorInStream("overloaded_error", 4);
    expect(await attempt()).toMatchObject({ error: { type: "overloaded_error", status: undefined } });
    simulator.faults.malformedBody();
    expect((await attempt()).error).not.toBeNull();
    simulator.faults.disconnect();
    expect((await attempt()).error).toBeInstanceOf(Anthropic.APIConnectionError);
    expect(await attempt()).toEqual({ error: null, text: "a reply of some length, in several pieces" });
    expect(simulator.requests.map((request) => request.outcome)).toEqual([
      ...new Array<"broken">(6).fill("broken"),
      "answered",
    ]);
    expect(simulator.faults.pending).toBe(0);
  });

  test("breaks whole answers too", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    simulator.faults.malformedBody();
    expect(await failure(client.messages.create(greeting))).toBeInstanceOf(SyntaxError);
    simulator.faults.cutStreamAfter({ events: 1 });
    expect(await failure(client.messages.create(greeting))).toBeInstanceOf(Error);
    simulator.faults.errorInStream("api_error");
    expect(await failure(client.messages.create(greeting))).toMatchObject({
      message: expect.stringMatching(/500/),
    });
  });

  test("holds, hangs and stalls until released, and sees a client go away", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    const release = simulator.hold();
    const held = client.messages.create(greeting);
    const first = await simulator.waitForRequest(({ params }) => params?.model === greeting.model);
    expect(first.outcome).toBeNull();
    release();
    await held;
    expect(await first.ended).toBe("answered");

    const stall = simulator.faults.stallStreamAfter(4);
    simulator.script("the first piece of this, and the second");
    const stream = client.messages.stream(greeting);
    const piece = await new Promise<string>((resolve) => stream.once("text", resolve));
    stall.release();
    expect(await stream.finalText()).toBe("the first piece of this, and the second");
    expect(piece).toBe("the first piece of this,");

    simulator.faults.hang();
    const abort = new AbortController();
    const hanging = client.messages.create(greeting, { signal: abort.signal });
    const third = await simulator.waitForRequest((request) => request === simulator.requests[2]);
    abort.abort();
    expect(await failure(hanging)).toBeInstanceOf(Anthropic.APIUserAbortError);
    expect(await third.ended).toBe("aborted");

    simulator.faults.stallStreamAfter(2);
    const stalled = client.messages.stream(greeting);
    await new Promise<void>((resolve) => stalled.once("streamEvent", () => resolve()));
    stalled.abort();
    expect(await failure(stalled.done())).toBeInstanceOf(Error);
    expect(await simulator.requests[3]?.ended).toBe("aborted");
  });

  test("a waiter learns that the simulator was closed", async () => {
    const simulator = await startClaudeSimulator();
    const waiting = simulator.waitForRequest(() => false);
    const refused = failure(waiting);
    await simulator[Symbol.asyncDispose]();
    expect(await refused).toMatchObject({ message: expect.stringMatching(/closed/) });
  });
});

describe("who gets in", () => {
  test("needs the key and a version", async () => {
    await using simulator = await startClaudeSimulator({ apiKey: "right" });
    expect(
      await failure(
        clientOf({ ...simulator, baseUrl: simulator.baseUrl, apiKey: "wrong" }).messages.create(greeting),
      ),
    ).toBeInstanceOf(Anthropic.AuthenticationError);
    const ask = (headers: Record<string, string>) =>
      fetch(`${simulator.baseUrl}/v1/models`, { headers }).then((answer) => answer.status);
    expect(await ask({})).toBe(401);
    expect(await ask({ "x-api-key": "right" })).toBe(400);
    expect(await ask({ "x-api-key": "right", "anthropic-version": "1999-01-01" })).toBe(400);
    expect(await ask({ authorization: "Bearer right", "anthropic-version": "2026-10-21" })).toBe(200);
  });

  test("refuses unknown routes, methods, rubbish and bodies that are too large", async () => {
    await using simulator = await startClaudeSimulator({ maxBodyBytes: 200 });
    const headers = { "x-api-key": simulator.apiKey, "anthropic-version": "2026-10-21" };
    const ask = async (path: string, init: RequestInit) => {
      const answer = await fetch(simulator.baseUrl + path, { headers, ...init });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await ask("/v1/nothing", {})).toMatchObject({
      status: 404,
      body: { error: { type: "not_found_error" } },
    });
    expect(await ask("/v1/messages", {})).toMatchObject({ status: 405 });
    expect(await ask("/v1/messages", { method: "POST", body: "{" })).toMatchObject({
      status: 400,
      body: { type: "error", request_id: expect.stringMatching(/^req_/) },
    });
    expect(await ask("/v1/messages", { method: "POST", body: "x".repeat(201) })).toMatchObject({
      status: 413,
      body: { error: { type: "request_too_large" } },
    });
  });
});

describe("the smaller routes", () => {
  test("count tokens", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    const { max_tokens: _, ...prompt } = greeting;
    const { input_tokens: tokens } = await client.messages.countTokens(prompt);
    expect(tokens).toBe((await client.messages.create(greeting)).usage.input_tokens);
    expect(await failure(client.messages.countTokens({ ...prompt, messages: [] }))).toMatchObject({
      message: expect.stringMatching(/at least one message/),
    });
  });

  test("list models page by page, and one", async () => {
    await using simulator = await startClaudeSimulator();
    const client = clientOf(simulator);
    const all: string[] = [];
    for await (const model of client.models.list({ limit: 3 })) all.push(model.id);
    expect(all).toContain("claude-sonnet-5-5");
    expect(new Set(all).size).toBe(all.length);
    expect(simulator.requests.length).toBe(Math.ceil(all.length / 3));
    const deprecated = await client.models.list({ lifecycle: ["deprecated"] });
    expect(deprecated.data.map((model) => model.lifecycle)).toEqual(["deprecated"]);
    const last = await client.models.list({ before_id: all.at(-1) ?? "", limit: 2 });
    expect(last.data.map((model) => model.id)).toEqual(all.slice(-3, -1));
    expect((await client.models.retrieve("claude-haiku-4-5")).id).toBe("claude-haiku-4-5-20251001");
    expect(await failure(client.models.retrieve("gpt"))).toBeInstanceOf(Anthropic.NotFoundError);
  });
});
