import { expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import type { MessageParam, TextBlockParam, Tool } from "@anthropic-ai/sdk/resources/messages";
import { startClaudeSimulator } from "../../../src/simulator/claude/simulator.ts";

const mark = { type: "ephemeral" } as const;
const toolList: Tool[] = [
  { name: "look", input_schema: { type: "object", properties: { at: { type: "string" } } } },
];
const systemText: TextBlockParam[] = [{ type: "text", text: "s".repeat(400), cache_control: mark }];

async function start() {
  const clock = { now: 1_000_000 };
  const simulator = await startClaudeSimulator({ now: () => clock.now });
  const client = new Anthropic({ apiKey: simulator.apiKey, baseURL: simulator.baseUrl, maxRetries: 0 });
  const ask = async (messages: MessageParam[], rest: { tools?: Tool[]; system?: TextBlockParam[] } = {}) => {
    const base = { model: "claude-sonnet-5-5", max_tokens: 100, tools: toolList, system: systemText };
    const { usage } = await client.messages.stream({ ...base, messages, ...rest }).finalMessage();
    return {
      created: usage.cache_creation_input_tokens ?? Number.NaN,
      read: usage.cache_read_input_tokens ?? Number.NaN,
      fresh: usage.input_tokens,
    };
  };
  return { simulator, ask, clock, client };
}

function marked(text: string): MessageParam {
  return { role: "user", content: [{ type: "text", text, cache_control: mark }] };
}

test("a prefix is created once, read while it lives, and created anew after five minutes unused", async () => {
  const { simulator, ask, clock } = await start();
  await using _ = simulator;
  const first = await ask([{ role: "user", content: "one" }]);
  expect(first.created).toBeGreaterThan(100);
  expect(first.read).toBe(0);
  clock.now += 4 * 60_000;
  expect(await ask([{ role: "user", content: "two" }])).toMatchObject({ created: 0, read: first.created });
  clock.now += 4 * 60_000;
  expect(await ask([{ role: "user", content: "three" }])).toMatchObject({ created: 0, read: first.created });
  clock.now += 5 * 60_000;
  expect(await ask([{ role: "user", content: "four" }])).toMatchObject({ created: first.created, read: 0 });
});

test("a moving breakpoint reads what the last one created, and creates only what is new", async () => {
  const { simulator, ask } = await start();
  await using _ = simulator;
  const first = await ask([marked("the first question")]);
  const answer: MessageParam = { role: "assistant", content: "an answer" };
  const second = await ask([{ role: "user", content: "the first question" }, answer, marked("the second")]);
  expect(second.read).toBe(first.created);
  expect(second.created).toBeGreaterThan(0);
  expect(second.fresh).toBe(0);
});

test("one byte of difference in the prefix is a miss from there on", async () => {
  const { simulator, ask } = await start();
  await using _ = simulator;
  const first = await ask([marked("question")]);
  const changed = await ask([marked("question")], {
    system: [{ type: "text", text: `${"s".repeat(399)}t`, cache_control: mark }],
  });
  expect(changed).toEqual({ ...first });
  const tools: Tool[] = [{ ...toolList[0], name: "look2", input_schema: { type: "object" } }];
  expect((await ask([marked("question")], { tools })).read).toBe(0);
  const later = await ask([marked("questiom")]);
  expect(later.read).toBeGreaterThan(0);
  expect(later.read).toBeLessThan(first.created);
});

test("nothing is cached without a marker or below the shortest length, and top-level marking works", async () => {
  const { simulator, client } = await start();
  await using _ = simulator;
  const ask = async (content: string, top: boolean) => {
    const { usage } = await client.messages.create({
      model: "claude-haiku-5-5",
      max_tokens: 10,
      messages: [{ role: "user", content }],
      ...(top ? { cache_control: { type: "ephemeral", ttl: "1h" } as const } : {}),
    });
    return usage;
  };
  expect(await ask("m".repeat(400), false)).toMatchObject({ cache_creation_input_tokens: 0 });
  expect(await ask("short", true)).toMatchObject({ cache_creation_input_tokens: 0 });
  const made = await ask("m".repeat(400), true);
  expect(made.cache_creation).toMatchObject({ ephemeral_5m_input_tokens: 0 });
  expect(made.cache_creation?.ephemeral_1h_input_tokens).toBeGreaterThan(100);
  expect(await ask("m".repeat(400), true)).toMatchObject({
    cache_read_input_tokens: made.cache_creation_input_tokens,
    input_tokens: 0,
  });
});
