import { expect, test } from "bun:test";
import { join } from "node:path";
import type { TurnEvent } from "../../src/agent/events.ts";
import { errorCodes } from "../../src/errors.ts";
import { statusOf } from "../../src/http/errors.ts";
import {
  ApproveData,
  ApproveReply,
  CancelData,
  CancelReply,
  ContextUpdateData,
  ContextUpdateReply,
  InitializeData,
  InitializeReply,
  ProcessData,
  ProcessReply,
  ToolCallData,
  ToolResult,
} from "../../src/protocol/messages.ts";
import { wireEvent } from "../../src/protocol/wire.ts";

const docs = await Bun.file(join(import.meta.dir, "../../docs/protocol.md")).text();
const fields = (schema: { properties: object }) => Object.keys(schema.properties);

/** The cells of a row of the first table of a section, found by its first cell. */
function row(section: string, first: string): string[] {
  const part = docs.slice(docs.indexOf(`\n## ${section}\n`));
  const line = part.split("\n").find((each) => each.startsWith(`| \`${first}\` |`));
  return (line ?? "").split(" | ").slice(1);
}
const named = (cell = "") => [...cell.matchAll(/`(\w+)\??`/g)].map((match) => match[1] ?? "");

test.each([...errorCodes])("the code %s is documented with its status", (code) => {
  expect(row("Errors", code)[0]).toBe(`${statusOf[code]}`);
});

test("no code is documented that does not exist", () => {
  const table = docs.slice(docs.indexOf("| code | HTTP |"), docs.indexOf("## Events"));
  const documented = [...table.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(documented).toEqual([...errorCodes]);
});

test.each([
  ["initialize", InitializeData, InitializeReply],
  ["tool_call", ToolCallData, ToolResult],
  ["context_update", ContextUpdateData, ContextUpdateReply],
  ["process", ProcessData, ProcessReply],
  ["cancel", CancelData, CancelReply],
  ["approve", ApproveData, ApproveReply],
] as const)("the fields of %s are documented", (type, data, reply) => {
  const [request, , answer] = row("Requests", type);
  expect(named(request).sort()).toEqual(fields(data).sort());
  expect(named(answer).sort()).toEqual(fields(reply).sort());
});

const usage = { inputTokens: 1, outputTokens: 2, cacheCreationInputTokens: 3, cacheReadInputTokens: 4 };
const tool = { turnId: "t", step: 1, toolUseId: "u", toolName: "n" };
const events: { readonly [Type in TurnEvent["type"]]: Extract<TurnEvent, { type: Type }> } = {
  turn_started: { type: "turn_started", turnId: "t", origin: "program" },
  text_delta: { type: "text_delta", turnId: "t", step: 1, text: "x" },
  step_restarted: { type: "step_restarted", turnId: "t", step: 1 },
  tool_started: { type: "tool_started", ...tool, arguments: {} },
  tool_finished: { type: "tool_finished", ...tool, outcome: "done", durationMs: 5 },
  approval_requested: {
    type: "approval_requested",
    turnId: "t",
    approvalId: "a",
    toolName: "n",
    question: "?",
    expiresAt: 1500,
  },
  approval_decided: {
    type: "approval_decided",
    turnId: "t",
    approvalId: "a",
    state: "denied",
    decidedBy: null,
  },
  turn_finished: { type: "turn_finished", turnId: "t", response: "x", stopReason: "end_turn", usage },
  turn_failed: { type: "turn_failed", turnId: "t", code: "timeout", message: "x" },
};

test.each(Object.values(events))("the event $type is documented with its fields", (event) => {
  const { type, ...rest } = wireEvent(event);
  expect(type).toBe(event.type);
  expect(named(row("Events", event.type)[0])).toEqual(Object.keys(rest));
});

test("times on the wire are in seconds, counts have the names of the Messages API", () => {
  expect(wireEvent(events.approval_requested).expires_at).toBe(1.5);
  expect(wireEvent(events.turn_finished).usage).toEqual({
    input_tokens: 1,
    output_tokens: 2,
    cache_creation_input_tokens: 3,
    cache_read_input_tokens: 4,
  });
});
