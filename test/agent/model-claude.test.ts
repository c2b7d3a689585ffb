import { describe, expect, test } from "bun:test";
import { createModel } from "../../src/agent/model-claude.ts";
import type { ModelRequest } from "../../src/agent/ports.ts";
import { readConfig } from "../../src/config.ts";
import { AppError } from "../../src/errors.ts";
import { createMetrics } from "../../src/metrics.ts";
import { type ClaudeSimulator, startClaudeSimulator } from "../../src/simulator/claude/simulator.ts";

const greeting: ModelRequest = {
  system: [{ type: "text", text: "Be brief." }],
  messages: [{ role: "user", content: "hello" }],
  tools: [],
  maxTokens: 500,
};

/** A model whose waits cost no time but move its clock. */
function modelOf(claude: ClaudeSimulator, env: Record<string, string> = {}) {
  const clock = { now: 1_000_000, waits: [] as number[] };
  const heard: string[] = [];
  const metrics = createMetrics();
  const { model: config } = readConfig({
    ANTHROPIC_API_KEY: claude.apiKey,
    ANTHROPIC_BASE_URL: claude.baseUrl,
    ...env,
  });
  const model = createModel(config, {
    metrics,
    now: () => clock.now,
    random: () => 1,
    delay: async (ms, signal) => {
      signal?.throwIfAborted();
      clock.waits.push(ms);
      clock.now += ms;
    },
  });
  const stream = (request = greeting, signal = new AbortController().signal) =>
    model.stream(
      request,
      { onText: (text) => heard.push(text), onRestart: () => heard.push("<restart>") },
      signal,
    );
  return { stream, clock, heard, metrics };
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error(`no AppError: ${String(error)}`);
  return error;
}

describe("what passes is asked for again", () => {
  const faults: readonly [string, string, (claude: ClaudeSimulator) => void][] = [
    ["429", "rate_limited", (claude) => claude.faults.next({ status: 429 })],
    ["500", "server_error", (claude) => claude.faults.next({ status: 500 })],
    ["503", "server_error", (claude) => claude.faults.next({ status: 503, type: "api_error" })],
    ["529", "overloaded", (claude) => claude.faults.next({ status: 529 })],
    ["a closed connection", "connection", (claude) => claude.faults.disconnect()],
    ["a malformed body", "broken_stream", (claude) => claude.faults.malformedBody()],
    ["a stream cut at its start", "broken_stream", (claude) => claude.faults.cutStreamAfter({ bytes: 30 })],
  ];
  test.each(faults)("%s", async (_name, reason, spoil) => {
    await using claude = await startClaudeSimulator();
    claude.script("here I am");
    spoil(claude);
    const { stream, clock, heard, metrics } = modelOf(claude);
    const reply = await stream();
    expect(reply).toMatchObject({ stopReason: "end_turn", model: "claude-sonnet-5-5" });
    expect(heard.join("")).toBe("here I am");
    expect(clock.waits).toEqual([500]);
    expect(await metrics.text()).toContain(`mcp_model_retries_total{reason="${reason}"} 1`);
    expect(await metrics.text()).toContain('kind="output"');
  });

  test("a stream that breaks after it has spoken is void from its beginning", async () => {
    await using claude = await startClaudeSimulator();
    claude.script("a reply of some length, in several pieces");
    claude.faults.errorInStream("api_error", 4);
    claude.faults.errorInStream("overloaded_error", 4);
    const { stream, heard } = modelOf(claude);
    await stream();
    const parts = heard.join("").split("<restart>");
    expect(parts).toEqual([
      "a reply of some length, ",
      "a reply of some length, ",
      "a reply of some length, in several pieces",
    ]);
  });

  test("a connection that breaks in mid-stream, whether or not its last words arrive", async () => {
    await using claude = await startClaudeSimulator();
    claude.script("a reply of some length, in several pieces");
    claude.faults.cutStreamAfter({ events: 5 });
    const { stream, heard, clock } = modelOf(claude);
    await stream();
    expect(heard.join("").split("<restart>").at(-1)).toBe("a reply of some length, in several pieces");
    expect(clock.waits).toEqual([500]);
  });

  test("with growing waits, a bounded number of times, and then it is given up", async () => {
    await using claude = await startClaudeSimulator();
    claude.faults.next({ status: 529, times: 10 });
    const { stream, clock, metrics } = modelOf(claude, { ANTHROPIC_MAX_RETRIES: "3" });
    const error = await failure(stream());
    expect(error).toMatchObject({
      code: "model_unavailable",
      message: expect.stringContaining("overloaded"),
    });
    expect(clock.waits).toEqual([500, 1000, 2000]);
    expect(claude.requests).toHaveLength(4);
    expect(await metrics.text()).toContain('outcome="model_unavailable"');
  });

  test("not before the API says so, and not at all when that is too long", async () => {
    await using claude = await startClaudeSimulator();
    claude.script("at last");
    claude.faults.next({ status: 429, retryAfter: 7 });
    const { stream, clock } = modelOf(claude);
    await stream();
    expect(clock.waits).toEqual([7000]);

    claude.faults.next({ status: 429, retryAfter: 600 });
    expect(await failure(stream())).toMatchObject({ code: "model_unavailable", retryAfterMs: 600_000 });
    expect(clock.waits).toEqual([7000]);
  });

  test("within two time-outs", async () => {
    await using claude = await startClaudeSimulator();
    claude.faults.next({ status: 529, retryAfter: 6, times: 10 });
    const { stream, clock } = modelOf(claude, {
      ANTHROPIC_TIMEOUT_SECONDS: "5",
      ANTHROPIC_MAX_RETRIES: "10",
    });
    await failure(stream());
    expect(clock.waits).toEqual([6000]);
  });
});

describe("what does not pass is told at once", () => {
  test.each([
    [400, "model_error", /start the conversation over/],
    [401, "model_unavailable", /ANTHROPIC_API_KEY/],
    [403, "model_unavailable", /permissions/],
    [404, "model_unavailable", /ANTHROPIC_MODEL/],
    [413, "model_error", /too large/],
  ] as const)("%d", async (status, code, sentence) => {
    await using claude = await startClaudeSimulator();
    claude.faults.next({ status, message: "raw words of the API" });
    const { stream, clock } = modelOf(claude);
    const error = await failure(stream());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(sentence);
    expect(error.message).not.toContain("raw words");
    expect(clock.waits).toEqual([]);
  });

  test("without a key", async () => {
    const model = createModel(readConfig({}).model);
    const { signal } = new AbortController();
    const error = await failure(model.stream(greeting, { onText: () => {}, onRestart: () => {} }, signal));
    expect(error).toMatchObject({
      code: "model_unavailable",
      message: expect.stringContaining("ANTHROPIC_API_KEY"),
    });
  });
});

describe("a model call", () => {
  test("that is aborted throws the signal's reason, while it streams and while it waits", async () => {
    await using claude = await startClaudeSimulator();
    const { stream } = modelOf(claude);
    const abort = new AbortController();
    claude.faults.hang();
    const hanging = stream(greeting, abort.signal);
    const request = await claude.waitForRequest(() => true);
    const reason = new AppError("cancelled", "Stopped.");
    abort.abort(reason);
    expect(await failure(hanging)).toBe(reason);
    expect(await request.ended).toBe("aborted");

    const waiting = new AbortController();
    claude.faults.next({ status: 529 });
    const { model } = readConfig({ ANTHROPIC_API_KEY: claude.apiKey, ANTHROPIC_BASE_URL: claude.baseUrl });
    const patient = createModel(model, {
      delay: async (_ms, signal) => {
        waiting.abort(reason);
        signal?.throwIfAborted();
      },
    });
    const ask = patient.stream(greeting, { onText: () => {}, onRestart: () => {} }, waiting.signal);
    expect(await failure(ask)).toBe(reason);
  });

  test("that takes too long is broken off and asked for again", async () => {
    await using claude = await startClaudeSimulator();
    claude.faults.hang();
    claude.script("quicker now");
    const { model } = readConfig({ ANTHROPIC_API_KEY: claude.apiKey, ANTHROPIC_BASE_URL: claude.baseUrl });
    const metrics = createMetrics();
    const impatient = createModel(
      { ...model, timeoutMs: 400 },
      { metrics, delay: async () => {}, now: () => 0 },
    );
    const { signal } = new AbortController();
    const reply = await impatient.stream(greeting, { onText: () => {}, onRestart: () => {} }, signal);
    expect(reply.content).toMatchObject([{ text: "quicker now" }]);
    expect(await metrics.text()).toContain('mcp_model_retries_total{reason="timeout"}');
  });

  test("carries effort, length and choice of tools, and nothing that the API has given up", async () => {
    await using claude = await startClaudeSimulator();
    const { stream } = modelOf(claude, { ANTHROPIC_EFFORT: "low" });
    const tools = [{ name: "look", input_schema: { type: "object" as const } }];
    await stream({ ...greeting, tools, toolChoice: "none" });
    expect(claude.requests[0]?.params).toEqual({
      model: "claude-sonnet-5-5",
      max_tokens: 500,
      system: [{ type: "text", text: "Be brief." }],
      messages: [{ role: "user", content: "hello" }],
      tools,
      tool_choice: { type: "none" },
      output_config: { effort: "low" },
      stream: true,
    });
  });
});
