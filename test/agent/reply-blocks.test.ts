import { describe, expect, test } from "bun:test";
import type { ContentBlock } from "@anthropic-ai/sdk/resources/messages";
import { createModel } from "../../src/agent/model-claude.ts";
import { usableBlocks } from "../../src/agent/reply-blocks.ts";
import { readConfig } from "../../src/config.ts";

/** As they come over the network: of any shape. */
const read = (blocks: unknown): readonly ContentBlock[] => usableBlocks(JSON.parse(JSON.stringify(blocks)));

describe("what is kept of a reply", () => {
  test("is all that the Messages API gives", () => {
    const blocks = [
      { type: "thinking", thinking: "Hm.", signature: "c2ln" },
      { type: "redacted_thinking", data: "c2VjcmV0" },
      { type: "text", text: "Hello", citations: null },
      { type: "server_tool_use", id: "srvtoolu_1", name: "tool_search_tool_bm25", input: { query: "roles" } },
      {
        type: "tool_search_tool_result",
        tool_use_id: "srvtoolu_1",
        content: {
          type: "tool_search_tool_search_result",
          tool_references: [{ type: "tool_reference", tool_name: "a" }],
        },
      },
      { type: "tool_use", id: "toolu_1", name: "echo", input: { n: 1 } },
    ];
    expect(read(blocks)).toEqual(JSON.parse(JSON.stringify(blocks)));
  });

  test("is no field that the API would not take back", () => {
    expect(read([{ type: "text", text: "Hello", citations: {}, mood: "good" }])).toEqual([
      { type: "text", text: "Hello", citations: null },
    ]);
  });

  test.each([
    ["a kind that is not known", { type: "new_block", text: "?" }],
    ["no block", null],
    ["a text of no words", { type: "text", text: 5 }],
    ["a thought without its signature", { type: "thinking", thinking: "Hm.", signature: "" }],
    ["a hidden thought of nothing", { type: "redacted_thinking" }],
    ["a call of no tool", { type: "tool_use", id: "toolu_1", name: "a b", input: {} }],
    ["a call without an id", { type: "tool_use", id: null, name: "echo", input: {} }],
    [
      "a call of a server's tool that was not offered",
      { type: "server_tool_use", id: "s_1", name: "web_search", input: {} },
    ],
    [
      "a search result of no tools",
      {
        type: "tool_search_tool_result",
        tool_use_id: "s_1",
        content: { type: "tool_search_tool_search_result" },
      },
    ],
  ])("is not %s", (_what, block) => {
    expect(read([block, { type: "text", text: "Hello" }])).toHaveLength(1);
  });
});

test("a count of tokens that can be none uses up no budget", async () => {
  const usage = { input_tokens: Number.MAX_SAFE_INTEGER, output_tokens: "9" };
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    usage,
  };
  const events = [
    { type: "message_start", message },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: 5 }, usage: {} },
    { type: "message_stop" },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
  });
  const env = { ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: `http://127.0.0.1:${server.port}` };
  const model = createModel(readConfig(env).model);
  const request = { system: [], messages: [], tools: [], maxTokens: 10 };
  const handlers = { onText: () => {}, onRestart: () => {} };
  const reply = await model.stream(request, handlers, new AbortController().signal);
  await server.stop(true);
  expect(reply.usage).toEqual({
    inputTokens: 0,
    outputTokens: 0,
    cacheCreationInputTokens: 0,
    cacheReadInputTokens: 0,
  });
  expect(reply).toMatchObject({ stopReason: "end_turn", content: [{ text: "Hello" }] });
});
