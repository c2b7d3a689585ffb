import { describe, expect, test } from "bun:test";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { planHistory } from "../../src/agent/history.ts";
import { summaryExchange } from "../../src/agent/summary.ts";
import { TokenGauge } from "../../src/agent/token-gauge.ts";
import { text, toolUse } from "../../src/simulator/claude/reply.ts";
import { ana, World } from "./harness.ts";

/** The blocks of a prompt in the order of the cache, as bytes, the marks left out. */
function blocksOf(prompt: MessageCreateParams | undefined): string[] {
  const strip = (value: unknown) =>
    JSON.stringify(value, (key, inner) => (key === "cache_control" ? undefined : inner));
  const system = Array.isArray(prompt?.system) ? prompt.system : [];
  const messages = (prompt?.messages ?? []).flatMap(({ role, content }) =>
    Array.isArray(content) ? content.map((block) => `${role} ${strip(block)}`) : [`${role} ${content}`],
  );
  return [...(prompt?.tools ?? []).map(strip), ...system.map(strip), ...messages];
}

const marksIn = (prompt: MessageCreateParams | undefined) =>
  JSON.stringify(prompt).match(/"cache_control"/g)?.length ?? 0;

describe("the cached prefix", () => {
  test("is the same bytes from step to step, from turn to turn and over a restart", async () => {
    await using world = await World.start({
      tools: { look: { run: async () => "found: “ünïcode” 👋" }, see: { run: async () => "seen" } },
      preferences: { name: "Ana", tone: "dry" },
      env: { SYSTEM_PROMPT: "You work at the harbour." },
    });
    world.claude.script(
      [text("Let me look."), toolUse("look", { b: 1, a: [2, { z: null }] }), toolUse("see", {})],
      [toolUse("see", { at: "1.0" })],
      "There it is.",
      "Second.",
      { blocks: [text("Third, ")], stopReason: "pause_turn" },
      "continued.",
      "Fourth.",
    );
    await world.ask("first");
    const second = await world.ask("second", { preamble: "time: 2026-11-22T11:30Z\nauthor: Ana" });
    expect(second.usage.cacheReadInputTokens).toBeGreaterThan(0);
    await world.restart();
    const third = await world.ask("third", { preamble: "" });
    expect(third.usage.cacheReadInputTokens).toBeGreaterThan(0);
    await world.restart();
    await world.ask("fourth");

    const prompts = world.prompts;
    expect(prompts).toHaveLength(7);
    for (const [index, prompt] of prompts.entries()) {
      expect(marksIn(prompt)).toBeLessThanOrEqual(4);
      const before = blocksOf(prompts[index - 1]);
      const now = blocksOf(prompt);
      expect(now.length).toBeGreaterThanOrEqual(before.length);
      expect(now.slice(0, before.length)).toEqual(before);
    }
  });

  test("reads all but the newest of it from the cache", async () => {
    await using world = await World.start();
    await world.ask("hello");
    for (let n = 0; n < 5; n++) {
      const before = blocksOf(world.prompts.at(-1)).join("").length;
      const { usage } = await world.ask(`question ${n}`);
      expect(usage.cacheReadInputTokens).toBeGreaterThan((before / 4) * 0.8);
      expect(usage.inputTokens).toBe(0);
    }
  });

  test("holds a message without text as it was sent", async () => {
    await using world = await World.start();
    await world.ask("  \n", { preamble: "" });
    await world.ask("a message with text");
    const [before, now] = world.prompts.map(blocksOf);
    expect(before?.at(-1)).toContain("without text");
    expect(now?.slice(0, before?.length)).toEqual(before ?? []);
  });

  test("is shared up to the conversation's own block by all conversations", async () => {
    await using world = await World.start();
    await world.ask("hello");
    const other = await world.ask("hello", { actor: { ...ana, userId: "101" } });
    expect(other.usage.cacheReadInputTokens).toBeGreaterThan(300);
  });

  test("says who and where, and holds nothing that changes with time", async () => {
    await using world = await World.start({ preferences: { name: "Ana", language: "German" } });
    await world.ask("hello");
    await world.ask("hello", { actor: { ...ana, guildId: null, channelId: "501" } });
    const system = JSON.stringify(world.prompts[0]?.system);
    expect(system).toContain("- user_id: 100\\n- channel_id: 500\\n- guild_id: 900");
    expect(system).toContain("German");
    expect(system).not.toContain("2026");
    expect(JSON.stringify(world.prompts[1]?.system)).toContain("direct message");
  });
});

describe("a long history", () => {
  const long = (n: number) => `Fact ${n}: ${"the harbour has a lighthouse and a crane. ".repeat(12)}`;

  test("is summarised beyond its bound, to about half, and then left alone for some turns", async () => {
    await using world = await World.start({ env: { HISTORY_TOKENS: "1500" } });
    await world.ask("my name is Ana");
    const summaries = () =>
      world.prompts.filter((prompt) => JSON.stringify(prompt.system).includes("summary of"));
    let turns = 0;
    while (summaries().length === 0 && turns < 40) await world.ask(long(turns++));
    expect(summaries()).toHaveLength(1);
    expect(summaries()[0]?.tools).toBeUndefined();
    const { conversationId } = await world.submit("hello");
    const history = await world.memory.history.load(conversationId, 0);
    expect(history.summary?.text).toContain("Ana");

    await world.ask("what is my name?");
    const prompt = world.prompts.at(-1);
    if (history.summary === null) throw new Error("no summary");
    const stripped = JSON.parse(JSON.stringify(prompt?.messages.slice(0, 2)));
    expect(stripped).toEqual(summaryExchange(history.summary));
    const bytes = JSON.stringify(prompt?.messages).length;
    expect(bytes).toBeLessThan(1500 * 4);
    // The prefix is stable until the bound is met again.
    expect(summaries()).toHaveLength(1);
    for (let n = 0; summaries().length < 2 && n < 40; n++) await world.ask(long(n));
    expect(summaries()).toHaveLength(2);
    expect(JSON.stringify(summaries()[1]?.messages)).toContain(history.summary.text.split("\n")[1] ?? "?");
    expect((await world.memory.history.load(conversationId, 0)).summary?.text).toContain("Ana");
  });

  test("carries the sources of all that is summarised", async () => {
    let calls = 0;
    await using world = await World.start({
      env: { HISTORY_TOKENS: "1000" },
      tools: { look: { run: async () => ({ text: "x".repeat(1500), sources: [`channel:${++calls}`] }) } },
      claude: {
        brain: (request) => {
          if (request.tools === undefined) return { blocks: [text("They looked around.")] };
          const last = JSON.stringify(request.messages.at(-1)?.content);
          return { blocks: [last.includes("tool_result") ? text("I see.") : toolUse("look", {})] };
        },
      },
    });
    let turn = await world.ask("look");
    for (let n = 0; n < 8; n++) turn = await world.ask("look");
    const { summary, turns } = await world.memory.history.load(turn.conversationId, 0);
    const folded = 9 - turns.length;
    expect(folded).toBeGreaterThan(4);
    expect(summary?.text).toBe("They looked around.");
    expect(summary?.sources).toEqual(Array.from({ length: folded }, (_, n) => `channel:${n + 1}`));
  });

  test("is cut for one turn, and not deleted, when no summary can be had", async () => {
    await using world = await World.start({
      env: { HISTORY_TOKENS: "1000", ANTHROPIC_MAX_RETRIES: "0" },
      claude: {
        brain: (request) => {
          const asked = JSON.stringify(request.system).includes("summary of");
          return asked ? { blocks: [], stopReason: "refusal" } : { blocks: [text("ok")] };
        },
      },
    });
    let last = await world.ask("begin");
    for (let n = 0; n < 30; n++) last = await world.ask(long(n));
    expect(last).toMatchObject({ state: "done", answer: "ok" });
    const bytes = JSON.stringify(world.prompts.at(-1)?.messages).length;
    expect(bytes).toBeLessThan(2000 * 4 + 1500);
    const history = await world.memory.history.load(last.conversationId, 0);
    expect(history.summary).toBeNull();
    expect(history.turns).toHaveLength(31);
    expect(world.prompts.at(-1)?.messages[0]).toMatchObject({ role: "user" });
  });

  test("costs what its summary costs", async () => {
    await using world = await World.start({ env: { HISTORY_TOKENS: "1000" } });
    let total = 0;
    let turn = await world.ask("begin");
    for (let n = 0; n < 12; n++) {
      const { usage } = turn;
      total += usage.inputTokens + usage.outputTokens + usage.cacheCreationInputTokens;
      total += usage.cacheReadInputTokens;
      turn = await world.ask(long(n));
    }
    const { usage } = turn;
    total +=
      usage.inputTokens + usage.outputTokens + usage.cacheCreationInputTokens + usage.cacheReadInputTokens;
    expect(world.prompts.length).toBeGreaterThan(13);
    const counted = await world.metrics.text();
    const sum = [...counted.matchAll(/^mcp_model_tokens_total\{.*\} (\d+)$/gm)].reduce(
      (all, [, count]) => all + Number(count),
      0,
    );
    expect(total).toBe(sum);
  });
});

describe("the plan of a history", () => {
  const turn = (id: string, bytes: number) => ({
    turnId: id,
    messages: [{ role: "user" as const, content: "x".repeat(bytes) }],
    sources: [],
    answerTo: "channel" as const,
    answer: null,
  });

  test("keeps the newest whole where it fits, and folds what is older", () => {
    const gauge = new TokenGauge();
    const turns = [turn("1", 3500), turn("2", 3500), turn("3", 3500)];
    expect(planHistory({ summary: null, turns }, gauge, 4000).fold).toEqual([]);
    const plan = planHistory({ summary: null, turns }, gauge, 2900);
    expect(plan.fold.map(({ turnId }) => turnId)).toEqual(["1", "2"]);
    expect(plan.keep.map(({ turnId }) => turnId)).toEqual(["3"]);
    expect(planHistory({ summary: null, turns: [turn("1", 20_000)] }, gauge, 1000)).toMatchObject({
      keep: [],
    });
  });

  test("the gauge learns from what the model counts, within reason", () => {
    const gauge = new TokenGauge();
    const before = gauge.tokens(7000);
    for (let n = 0; n < 50; n++) gauge.learn(7000, 7000);
    expect(gauge.tokens(7000)).toBeGreaterThan(before * 2);
    for (let n = 0; n < 50; n++) gauge.learn(7_000_000, 1);
    expect(gauge.tokens(8000)).toBeGreaterThan(990);
    gauge.learn(100, 0);
  });
});
