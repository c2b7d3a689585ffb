import { afterAll, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import type {
  ContentBlock,
  MessageParam,
  Tool,
  ToolSearchToolBm25_20251119,
} from "@anthropic-ai/sdk/resources/messages";
import { text, toolSearch, toolUse } from "../../../src/simulator/claude/reply.ts";
import { startClaudeSimulator } from "../../../src/simulator/claude/simulator.ts";

const simulator = await startClaudeSimulator();
afterAll(() => simulator[Symbol.asyncDispose]());
const client = new Anthropic({ apiKey: simulator.apiKey, baseURL: simulator.baseUrl, maxRetries: 0 });

const search: ToolSearchToolBm25_20251119 = {
  type: "tool_search_tool_bm25_20251119",
  name: "tool_search_tool_bm25",
};
const tool = (name: string, description: string, rest: Partial<Tool> = {}): Tool => ({
  name,
  description,
  input_schema: { type: "object", properties: { city: { type: "string", description: "Where." } } },
  ...rest,
});
const later = { defer_loading: true };
const weather = tool("get_weather", "Tells the weather. ".repeat(20), later);
const tides = tool("get_tides", "Tells when the tide is high.", later);
const clock = tool("get_time", "Tells the time.");
const tools = [clock, search, weather, tides];
const question: MessageParam = { role: "user", content: "What is the weather?" };

function ask(messages: MessageParam[] = [question], offered: (Tool | typeof search)[] = tools) {
  const base = { model: "claude-sonnet-5-5", max_tokens: 500 };
  return client.messages.stream({ ...base, messages, tools: offered }).finalMessage();
}

const count = async (messages: MessageParam[], offered: (Tool | typeof search)[] = tools) =>
  (await client.messages.countTokens({ model: "claude-sonnet-5-5", messages, tools: offered })).input_tokens;

/** A search that found the weather, and its result. */
async function found(): Promise<ContentBlock[]> {
  simulator.script([text("One moment."), toolSearch("weather"), toolUse("get_weather", { city: "Kiel" })]);
  const { content, stop_reason } = await ask();
  expect(stop_reason).toBe("tool_use");
  return content;
}

test("a search is a call and its result, as the API streams them", async () => {
  const [said, call, result, use] = await found();
  expect(said).toMatchObject({ type: "text" });
  expect(call).toMatchObject({
    type: "server_tool_use",
    id: expect.stringMatching(/^srvtoolu_/),
    name: "tool_search_tool_bm25",
    input: { query: "weather" },
  });
  expect(result).toEqual({
    type: "tool_search_tool_result",
    tool_use_id: call?.type === "server_tool_use" ? call.id : "",
    content: {
      type: "tool_search_tool_search_result",
      tool_references: [{ type: "tool_reference", tool_name: "get_weather" }],
    },
  });
  expect(use).toMatchObject({ type: "tool_use", name: "get_weather" });
});

test("a search finds by name, description and arguments, so many at most, and may find nothing", async () => {
  const names = async (query: string, limit?: number) => {
    simulator.script([toolSearch(query, limit)]);
    const { content } = await ask();
    const result = content.find((block) => block.type === "tool_search_tool_result");
    return result?.content.type === "tool_search_tool_search_result"
      ? result.content.tool_references.map(({ tool_name }) => tool_name)
      : null;
  };
  expect(await names("when is the tide high")).toEqual(["get_tides", "get_weather"]);
  expect(await names("city")).toEqual(["get_weather", "get_tides"]);
  expect(await names("city", 1)).toEqual(["get_weather"]);
  expect(await names("time")).toEqual([]);
});

/** The question, the search with its call, and what the call gave. */
async function conversation(): Promise<MessageParam[]> {
  const content = await found();
  const results = content.flatMap((block) =>
    block.type === "tool_use"
      ? [{ type: "tool_result" as const, tool_use_id: block.id, content: "Rain." }]
      : [],
  );
  return [question, { role: "assistant", content }, { role: "user", content: results }];
}

/** What the definition of the weather costs in front of everything. */
const definition = async () =>
  (await count([question], [clock, weatherInFront])) - (await count([question], [clock]));
const weatherInFront = tool(weather.name, weather.description ?? "");

test("deferred definitions cost nothing in front", async () => {
  expect(await count([question])).toBe(await count([question], [clock, search]));
});

test("a definition costs its tokens where it is found, once", async () => {
  const messages = await conversation();
  const small = tool(weather.name, "", later);
  const saved = (await count(messages)) - (await count(messages, [clock, search, small, tides]));
  expect(Math.abs(saved - ((await definition()) - 20))).toBeLessThan(20);
  const twice = [...messages, ...(await conversation())];
  const smallTwice = await count(twice, [clock, search, small, tides]);
  expect((await count(twice)) - smallTwice).toBe(saved);
});

test("the reply that finds a definition counts it too", async () => {
  simulator.script([text("Nothing.")], [toolSearch("weather")]);
  const before = await ask();
  const after = await ask();
  const loaded = after.usage.input_tokens - before.usage.input_tokens;
  expect(Math.abs(loaded - (await definition()))).toBeLessThan(10);
});

test("what is found later leaves the cached prefix as it is", async () => {
  const mark = { cache_control: { type: "ephemeral" as const } };
  const marked = [{ ...clock, description: "Tells the time. ".repeat(30), ...mark }, search, weather, tides];
  simulator.script([text("Hello.")], [toolSearch("weather")], [text("It rains.")]);
  const first = await ask([{ role: "user", content: "Hello" }], marked);
  const created = first.usage.cache_creation_input_tokens;
  expect(created).toBeGreaterThan(50);
  await ask([question], marked);
  expect((await ask([question], marked)).usage.cache_read_input_tokens).toBe(created);
});

test("what was found is taken back as it was given", async () => {
  const messages = await conversation();
  simulator.script("It rains.");
  expect((await ask(messages)).content).toMatchObject([{ text: "It rains." }]);
});

/** What the request is refused with. */
async function refusal(messages: MessageParam[], offered: unknown[] = tools): Promise<string> {
  const answer = await fetch(`${simulator.baseUrl}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": simulator.apiKey, "anthropic-version": "2026-10-21" },
    body: JSON.stringify({ model: "claude-sonnet-5-5", max_tokens: 100, messages, tools: offered }),
  });
  expect(answer.status).toBe(400);
  return await answer.text();
}

test.each([
  ["only deferred tools", [weather, tides], "All tools have defer_loading set"],
  ["a deferred search", [clock, { ...search, defer_loading: true }], "cannot be deferred"],
  ["a search by another name", [clock, { ...search, name: "search" }], "tool_search_tool_bm25"],
  ["an unknown search", [clock, { ...search, type: "tool_search_tool_x" }], "no tool that is known"],
  ["a field that a search does not have", [clock, { ...search, limit: 3 }], "Extra inputs"],
  ["a deferral that is no boolean", [clock, search, { ...weather, defer_loading: 1 }], "valid boolean"],
  [
    "a cached deferred tool",
    [clock, search, { ...weather, cache_control: { type: "ephemeral" } }],
    "cache_control",
  ],
])("%s is refused", async (_name, offered, words) => {
  expect(await refusal([question], offered)).toContain(words);
});

test("a reference to a tool that is not defined is refused", async () => {
  const messages = await conversation();
  expect(await refusal(messages, [clock, search, tides])).toContain(
    "Tool reference 'get_weather' has no corresponding tool definition",
  );
});

test("a search without its result, and a result without its search, are refused", async () => {
  const [asked, said, answered] = await conversation();
  const without = (type: string) => {
    const content = typeof said?.content === "string" ? [] : (said?.content ?? []);
    const rest = content.filter((block) => block.type !== type);
    return [asked, { role: "assistant", content: rest }, answered].filter((one) => one !== undefined);
  };
  expect(await refusal(without("tool_search_tool_result") as MessageParam[])).toContain(
    "without a corresponding `tool_search_tool_result` block",
  );
  expect(await refusal(without("server_tool_use") as MessageParam[])).toContain("unexpected `tool_use_id`");
});

test("a search that the limit cuts off has no result", async () => {
  simulator.script([toolSearch("weather ".repeat(100))]);
  const { content, stop_reason } = await client.messages
    .stream({ model: "claude-sonnet-5-5", max_tokens: 20, messages: [question], tools })
    .finalMessage();
  expect(stop_reason).toBe("max_tokens");
  expect(content.map(({ type }) => type)).toEqual(["server_tool_use"]);
});

test("the brain searches for a deferred tool before it calls it, and not a second time", async () => {
  const stats = tool("discord_server_stats", "Numbers of the server.", later);
  const asked: MessageParam = { role: "user", content: "How many members are there?\nguild_id: 900" };
  const first = await ask([asked], [clock, search, stats]);
  expect(first.content.map(({ type }) => type)).toEqual([
    "text",
    "server_tool_use",
    "tool_search_tool_result",
    "tool_use",
  ]);
  const use = first.content.find((block) => block.type === "tool_use");
  const messages: MessageParam[] = [
    asked,
    { role: "assistant", content: first.content },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: use?.id ?? "", content: '{"members":5}' }],
    },
    { role: "assistant", content: "Five." },
    asked,
  ];
  const second = await ask(messages, [clock, search, stats]);
  expect(second.content.map(({ type }) => type)).toEqual(["text", "tool_use"]);
});

test("without a search the brain asks for the tool by what finds tools", async () => {
  const finder = tool("discord_tools_find", "Finds tools.");
  const stats = tool("discord_server_stats", "Numbers of the server.");
  const asked: MessageParam = { role: "user", content: "How many members are there?\nguild_id: 900" };
  const first = await ask([asked], [clock, finder]);
  expect(first.content).toMatchObject([
    { type: "tool_use", name: "discord_tools_find", input: { query: "server stats" } },
  ]);
  const results = first.content.flatMap((block) =>
    block.type === "tool_use" ? [{ type: "tool_result" as const, tool_use_id: block.id, content: "x" }] : [],
  );
  const messages: MessageParam[] = [
    asked,
    { role: "assistant", content: first.content },
    { role: "user", content: results },
  ];
  expect((await ask(messages, [clock, finder, stats])).content).toMatchObject([
    { type: "text" },
    { type: "tool_use", name: "discord_server_stats" },
  ]);
  expect((await ask(messages, [clock, finder])).content).toMatchObject([
    { text: expect.stringContaining("not offered to me") },
  ]);
});
