import { afterAll, expect, test } from "bun:test";
import { startClaudeSimulator } from "../../../src/simulator/claude/simulator.ts";

const simulator = await startClaudeSimulator({ maxInputTokens: 5_000 });
afterAll(() => simulator[Symbol.asyncDispose]());

const base = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] };

async function send(body: unknown): Promise<{ status: number; message: string }> {
  const answer = await fetch(`${simulator.baseUrl}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": simulator.apiKey, "anthropic-version": "2026-10-21" },
    body: JSON.stringify(body),
  });
  const json: unknown = await answer.json();
  return { status: answer.status, message: messageIn(json) };
}

function messageIn(json: unknown): string {
  if (typeof json !== "object" || json === null || !("error" in json)) return "";
  const { error } = json;
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
}

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });
const use = (id: string) => ({ type: "tool_use", id, name: "look", input: {} });
const result = (id: string, rest: object = {}) => ({
  type: "tool_result",
  tool_use_id: id,
  content: "x",
  ...rest,
});
const words = (text: string, rest: object = {}) => ({ type: "text", text, ...rest });
const mark = { cache_control: { type: "ephemeral" } };
const long = { cache_control: { type: "ephemeral", ttl: "1h" } };
const schema = (input_schema: unknown, name = "look") => ({ tools: [{ name, input_schema }] });
const { max_tokens: _, ...unlimited } = base;
const ask = (...messages: unknown[]) => ({ messages: [user("Hello"), ...messages] });

const refused: [string, object, RegExp][] = [
  ["temperature", { temperature: 0.5 }, /^temperature: /],
  ["top_p", { top_p: 0.5 }, /^top_p: /],
  ["top_k", { top_k: 5 }, /^top_k: /],
  ["a field it does not know", { colour: "red" }, /colour: Extra inputs are not permitted/],
  ["no messages", { messages: [] }, /at least one message is required/],
  ["no list of messages", { messages: "Hello" }, /valid list/],
  ["empty content", { messages: [user("")] }, /non-empty content/],
  ["an empty list as content", { messages: [user([])] }, /non-empty content/],
  ["an empty text block", { messages: [user([words("")])] }, /text content blocks must be non-empty/],
  ["blank text", { messages: [user([words(" \n")])] }, /non-whitespace/],
  ["an assistant who begins", { messages: [assistant("Hello")] }, /first message must use the "user" role/],
  ["an unknown role", ask({ role: "tool", content: "x" }), /role: Input should be/],
  ["an unknown block", { messages: [user([{ type: "sound" }])] }, /Input tag 'sound'/],
  [
    "a field of ours in a block",
    { messages: [user([words("x", { sources: [] })])] },
    /sources: Extra inputs/,
  ],
  ["a prefill", ask(assistant("The answer is")), /prefill/],
  [
    "a tool_use without its result",
    ask(assistant([use("a")]), user("and?")),
    /without `tool_result` blocks immediately after: a\./,
  ],
  [
    "a result after other content",
    ask(assistant([use("a")]), user([words("so"), result("a")])),
    /without `tool_result`/,
  ],
  [
    "half of the results",
    ask(assistant([use("a"), use("b")]), user([result("a")])),
    /immediately after: b\./,
  ],
  ["a result of nothing", { messages: [user([result("a")])] }, /unexpected `tool_use_id`/],
  ["two results of one", ask(assistant([use("a")]), user([result("a"), result("a")])), /single result/],
  ["one id twice", ask(assistant([use("a"), use("a")]), user([result("a")])), /ids must be unique/],
  [
    "one id in two turns",
    ask(assistant([use("a")]), user([result("a")]), assistant([use("a")]), user([result("a")])),
    /ids must be unique/,
  ],
  [
    "an empty error",
    ask(assistant([use("a")]), user([result("a", { content: "", is_error: true })])),
    /cannot be empty if `is_error`/,
  ],
  ["an ill-formed id", ask(assistant([use("a b")]), user([result("a b")])), /should match pattern/],
  [
    "an altered thinking block",
    ask(assistant([{ type: "thinking", thinking: "hm", signature: "x" }, words("y")]), user("z")),
    /Invalid `signature`/,
  ],
  [
    "five markers",
    { system: [1, 2, 3, 4, 5].map((n) => words(`${n}`, mark)) },
    /maximum of 4 blocks with cache_control.*Found 5/,
  ],
  [
    "four markers and one at the top",
    { ...mark, system: [1, 2, 3, 4].map((n) => words(`${n}`, mark)) },
    /Found 5/,
  ],
  ["a long life after a short", { system: [words("a", mark), words("b", long)] }, /must not come after/],
  ["a marker of another kind", { system: [words("a", { cache_control: { type: "forever" } })] }, /ephemeral/],
  ["an empty system block", { system: [words("")] }, /^system: text content blocks/],
  ["a schema without type", schema({ properties: {} }), /input_schema\.type: Field required/],
  ["a schema of a list", schema({ type: "array" }), /Input should be 'object'/],
  ["a union at the top of a schema", schema({ type: "object", anyOf: [{}] }), /top level/],
  [
    "a schema with a wrong type inside",
    schema({ type: "object", properties: { a: { type: "text" } } }),
    /2020-12/,
  ],
  [
    "a schema with required: true",
    schema({ type: "object", properties: { a: { type: "string", required: true } } }),
    /2020-12/,
  ],
  ["a property's odd name", schema({ type: "object", properties: { "a b": {} } }), /Property keys/],
  ["a tool's odd name", schema({ type: "object" }, "look at"), /name: String should match/],
  [
    "two tools of one name",
    { tools: [1, 2].map(() => ({ name: "a", input_schema: { type: "object" } })) },
    /must be unique/,
  ],
  ["a choice of no tool", { tool_choice: { type: "any" } }, /while providing tools/],
  [
    "a choice of an unknown tool",
    { ...schema({ type: "object" }), tool_choice: { type: "tool", name: "b" } },
    /'b' not found/,
  ],
  ["too many tokens", { max_tokens: 1_000_000 }, /maximum allowed number of output tokens/],
  ["a fraction of a token", { max_tokens: 1.5 }, /valid integer/],
  ["a manual thinking budget", { thinking: { type: "enabled", budget_tokens: 2048 } }, /adaptive/],
  ["a blank stop sequence", { stop_sequences: [" "] }, /non-whitespace/],
  [
    "a prompt that is too long",
    { messages: [user("x".repeat(40_000))] },
    /prompt is too long: \d+ tokens > 5000 maximum/,
  ],
];

test.each(refused)("refuses %s", async (_name, change, message) => {
  const answer = await send({ ...base, ...change });
  expect(answer.message).toMatch(message);
  expect(answer.status).toBe(400);
});

test("refuses a request without max_tokens, without a model, and for an unknown one", async () => {
  expect(await send(unlimited)).toEqual({ status: 400, message: "max_tokens: Field required" });
  expect(await send({ ...base, model: undefined })).toEqual({
    status: 400,
    message: "model: Field required",
  });
  expect(await send({ ...base, model: "claude-1" })).toEqual({ status: 404, message: "model: claude-1" });
});

const accepted: [string, object][] = [
  [
    "results and then words",
    ask(assistant([words("x"), use("a"), use("b")]), user([result("b"), result("a"), words("so")])),
  ],
  [
    "results in two user messages in a row",
    ask(assistant([use("a"), use("b")]), user([result("a")]), user([result("b")])),
  ],
  ["a result without content", ask(assistant([use("a")]), user([{ type: "tool_result", tool_use_id: "a" }]))],
  ["a system message between", ask({ role: "system", content: "Be brief." }, user("ok"))],
  ["four markers", { system: [words("a", long), words("b", mark), words("c", mark), words("d", mark)] }],
  ["adaptive thinking and effort", { thinking: { type: "adaptive" }, output_config: { effort: "low" } }],
  [
    "a rich schema",
    schema({
      type: "object",
      properties: {
        a: { anyOf: [{ type: "string" }, { type: ["null", "integer"] }], description: "x" },
        b: { type: "array", items: { enum: [1, "x"] } },
      },
      required: ["a"],
      additionalProperties: false,
    }),
  ],
];

test.each(accepted)("accepts %s", async (_name, change) => {
  expect(await send({ ...base, ...change })).toEqual({ status: 200, message: "" });
});
