import { describe, expect, test } from "bun:test";
import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages";
import { offerTools, usesToolSearch } from "../../src/agent/offered-tools.ts";
import { type ScriptedReply, toolSearch, toolUse } from "../../src/simulator/claude/reply.ts";
import { type TestTool, World, type WorldOptions } from "./harness.ts";

const finder = "discord_tools_find";
const finderTool = {
  definition: { name: finder, input_schema: { type: "object" } },
  isCore: false,
  isFinder: true,
} as const;
const done: TestTool["run"] = async ({ toolName }) => `${toolName} was done`;

/** Two core tools, so many others, and what finds them. */
function manyTools(others: number, found: readonly string[] = []): Record<string, TestTool> {
  const names = Array.from({ length: others }, (_, n) => `other_${n}`);
  return {
    core_a: { run: done },
    core_b: { run: done },
    ...Object.fromEntries(names.map((name) => [name, { run: done, isCore: false }])),
    [finder]: {
      isCore: false,
      isFinder: true,
      run: async () =>
        JSON.stringify({ tools: found.map((name) => ({ name, description: "See other_9." })) }),
    },
  };
}

const start = (tools: WorldOptions["tools"], toolSearch: "auto" | "on" | "off" = "auto") =>
  World.start({ ...(tools === undefined ? {} : { tools }), env: { ANTHROPIC_TOOL_SEARCH: toolSearch } });

/** What each request has offered, a deferred tool in brackets. */
const offers = (world: World) =>
  world.prompts.map(({ tools = [] }) =>
    tools.map((tool) => {
      const name = "name" in tool ? tool.name : tool.type;
      return "defer_loading" in tool && tool.defer_loading ? `(${name})` : name;
    }),
  );

describe("the search of the API", () => {
  test.each([
    ["claude-sonnet-5-5", true],
    ["claude-opus-5", true],
    ["claude-fable-5-1", true],
    ["claude-haiku-4-5-20251001", true],
    ["claude-sonnet-4-5", true],
    ["claude-opus-4-10", true],
    ["claude-opus-4-1", false],
    ["claude-opus-4-1-20250805", false],
    ["claude-sonnet-4-20250514", false],
    ["claude-3-7-sonnet-20250219", false],
    ["claude-instant", false],
    ["llama-5-5", false],
  ])("%s: %p", (name, expected) => {
    expect(usesToolSearch({ name, toolSearch: "auto" })).toBe(expected);
    expect(usesToolSearch({ name, toolSearch: "on" })).toBe(true);
    expect(usesToolSearch({ name, toolSearch: "off" })).toBe(false);
  });

  test("has all but the core tools deferred, and finds them", async () => {
    await using world = await start(manyTools(11));
    world.claude.script([toolSearch("other 3"), toolUse("other_3", {})], "It was done.");
    const turn = await world.ask("Do the third");
    expect(turn.answer).toBe("It was done.");
    expect(world.toolCalls.map(({ toolName }) => toolName)).toEqual(["other_3"]);
    const others = Array.from({ length: 11 }, (_, n) => `(other_${n})`);
    const offer = ["core_a", "core_b", "tool_search_tool_bm25", ...others];
    expect(offers(world)).toEqual([offer, offer]);
  });

  test("is replayed as it was, in this turn and in the next", async () => {
    await using world = await start(manyTools(11));
    world.claude.script([toolSearch("other 3"), toolUse("other_3", {})], "It was done.", "Hello.");
    await world.ask("Do the third");
    await world.ask("Hello");
    const types = world.prompts.map(({ messages }) =>
      messages.flatMap(({ content }) => (typeof content === "string" ? [] : content.map(({ type }) => type))),
    );
    const said = ["server_tool_use", "tool_search_tool_result", "tool_use", "tool_result"];
    expect(types[1]?.join()).toBe(["text", "text", ...said].join());
    expect(types[2]?.join()).toBe(["text", "text", ...said, "text", "text", "text"].join());
    expect(world.claude.requests.every(({ status }) => status === 200)).toBe(true);
  });

  test("is replayed after a restart", async () => {
    await using world = await start(manyTools(11));
    world.claude.script([toolSearch("other 3"), toolUse("other_3", {})], "It was done.", "Hello.");
    await world.ask("Do the third");
    await world.restart();
    expect((await world.ask("Hello")).answer).toBe("Hello.");
    expect(JSON.stringify(world.prompts.at(-1)?.messages)).toContain("tool_search_tool_search_result");
  });

  test("that found what is not offered any more is left out", async () => {
    const tools = manyTools(14);
    await using world = await start(tools);
    world.claude.script(
      [toolSearch("other 3", 1), toolUse("other_3", {})],
      "It was done.",
      [toolSearch("other 4", 1), toolUse("other_4", {})],
      "That too.",
      "Hello.",
    );
    await world.ask("Do the third");
    await world.ask("Do the fourth");
    delete tools.other_3;
    expect((await world.ask("Hello")).answer).toBe("Hello.");
    const replayed = JSON.stringify(world.prompts.at(-1)?.messages);
    expect(replayed).not.toContain('"tool_name":"other_3"');
    expect(replayed).toContain('"tool_name":"other_4"');
    expect(replayed.match(/"server_tool_use"/g)).toHaveLength(1);
  });

  test("is left out when all tools stand in front again", async () => {
    const tools = manyTools(11);
    await using world = await start(tools);
    world.claude.script([toolSearch("other 3"), toolUse("other_3", {})], "It was done.", "Hello.");
    await world.ask("Do the third");
    delete tools.other_10;
    expect((await world.ask("Hello")).answer).toBe("Hello.");
    expect(JSON.stringify(world.prompts.at(-1))).not.toContain("tool_search");
  });

  test("that the limit cut off is not kept", async () => {
    await using world = await start(manyTools(11));
    world.claude.script({ blocks: [toolSearch("other ".repeat(4000))], stopReason: "max_tokens" }, "Hello.");
    await world.ask("Do the third");
    expect((await world.ask("Hello")).answer).toBe("Hello.");
    expect(JSON.stringify(world.prompts.at(-1)?.messages)).not.toContain("server_tool_use");
  });

  test("leaves the cached prefix as it is", async () => {
    const usageOf = async (...script: readonly ScriptedReply[]) => {
      await using world = await start(manyTools(11));
      world.claude.script(...script);
      return (await world.ask("Do the third")).usage;
    };
    const { cacheCreationInputTokens: written } = await usageOf("No.");
    expect(written).toBeGreaterThan(0);
    const { cacheReadInputTokens: read } = await usageOf(
      [toolSearch("other 3"), toolUse("other_3", {})],
      "It was done.",
    );
    expect(read).toBe(written);
  });
});

describe("without it", () => {
  test("the finder stands for the others, and what it names comes after it", async () => {
    await using world = await start(manyTools(11, ["other_7", "other_2", "unknown"]), "off");
    world.claude.script([toolUse(finder, { query: "x" })], [toolUse("other_2", {})], "It was done.");
    await world.ask("Do the second");
    const before = ["core_a", "core_b", finder];
    const after = [...before, "other_7", "other_2"];
    expect(offers(world)).toEqual([before, after, after]);
  });

  test("what was used stays in the next turn, what was only found does not", async () => {
    await using world = await start(manyTools(11, ["other_7", "other_2"]), "off");
    world.claude.script([toolUse(finder, { query: "x" })], [toolUse("other_2", {})], "It was done.", "Hi.");
    await world.ask("Do the second");
    await world.ask("Hello");
    expect(offers(world).at(-1)).toEqual(["core_a", "core_b", finder, "other_2"]);
  });

  test("what is named by anything but the finder is not offered", async () => {
    const tools = manyTools(11);
    tools.core_a = { run: async () => '{"name":"other_5"}' };
    await using world = await start(tools, "off");
    world.claude.script([toolUse("core_a", {})], "It was done.");
    await world.ask("Do it");
    expect(offers(world).at(-1)).toEqual(["core_a", "core_b", finder]);
  });

  test("searches of the API from before are not replayed", () => {
    const offered = Array.from({ length: 13 }, (_, n) => ({
      definition: { name: `t${n}`, input_schema: { type: "object" } } as const,
      isCore: n === 0,
    }));
    const use = {
      type: "server_tool_use",
      id: "srvtoolu_1",
      name: "tool_search_tool_bm25",
      input: {},
    } as const;
    const result = {
      type: "tool_search_tool_result",
      tool_use_id: "srvtoolu_1",
      content: { type: "tool_search_tool_search_result", tool_references: [] },
    } satisfies ContentBlockParam;
    const earlier: MessageParam[] = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: [use, result] },
      { role: "assistant", content: [use, result, { type: "text", text: "Hi" }] },
    ];
    const { messages } = offerTools([...offered, finderTool], false).forRequest(earlier, []);
    expect(messages).toEqual([
      { role: "user", content: "Hello" },
      { role: "assistant", content: [{ type: "text", text: "Hi" }] },
    ]);
    expect(offerTools(offered, true).forRequest(earlier, []).messages).toEqual(earlier);
  });
});

test("a few tools stand in front all together, without what finds them", async () => {
  for (const toolSearch of ["on", "off"] as const) {
    await using world = await start(manyTools(10), toolSearch);
    world.claude.script("Hello.");
    await world.ask("Hello");
    const others = Array.from({ length: 10 }, (_, n) => `other_${n}`);
    expect(offers(world)).toEqual([["core_a", "core_b", ...others]]);
  }
});
