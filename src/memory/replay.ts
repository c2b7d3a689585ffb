import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { AnswerTo } from "../agent/journal.ts";
import type { HistoryTurn } from "../agent/ports.ts";
import type { Encryption } from "./encryption.ts";
import { fromOwnJson } from "./json.ts";

export interface MessageRow {
  readonly turnSeq: number;
  readonly ordinal: number;
  readonly step: number | null;
  readonly role: "user" | "assistant";
  readonly content: Uint8Array;
  readonly sources: readonly string[] | null;
}

export interface CallRow {
  readonly turnSeq: number;
  readonly step: number;
  readonly position: number;
  readonly toolUseId: string;
  readonly result: Uint8Array | null;
  readonly sources: readonly string[];
}

/** What is known of a turn besides its messages. */
export interface TurnHead {
  readonly turnId: string;
  readonly answerTo: AnswerTo;
  /** Opens the turn's answer. */
  readonly readAnswer: () => string | null;
}

export const messagePlace = (turnSeq: number, ordinal: number) => ({
  table: "messages",
  column: "content",
  row: `${turnSeq}.${ordinal}`,
});

export const resultPlace = (turnSeq: number, step: number, toolUseId: string) => ({
  table: "tool_calls",
  column: "result",
  row: `${turnSeq}.${step}.${toolUseId}`,
});

export function openBlocks(encryption: Encryption, row: MessageRow): ContentBlockParam[] {
  return fromOwnJson(encryption.open(messagePlace(row.turnSeq, row.ordinal), row.content));
}

export function openResult(encryption: Encryption, row: CallRow): ToolResultBlockParam | null {
  if (row.result === null) return null;
  return fromOwnJson(encryption.open(resultPlace(row.turnSeq, row.step, row.toolUseId), row.result));
}

/**
 * The person's message as blocks: what is blank is left out, since the Messages API refuses text blocks without
 * text, and so is a message without content.
 */
export function userBlocks(preamble: string, text: string): ContentBlockParam[] {
  const blocks = [preamble, text].filter((part) => part.trim() !== "");
  if (blocks.length === 0) blocks.push("(a message without text)");
  return blocks.map((part) => ({ type: "text", text: part }));
}

/**
 * One turn's messages as they are replayed: the results of a step's tools follow it as one user message, in the
 * order of their `tool_use` blocks, and messages of the same role in a row (a paused and continued step, a
 * closing text) become one, so that roles alternate. Rows are in order of ordinal, calls in order of step and
 * position. It depends on nothing but the rows, which no longer change: the bytes are the same for ever.
 */
export function replayTurn(
  encryption: Encryption,
  head: TurnHead,
  rows: readonly MessageRow[],
  calls: readonly CallRow[],
): HistoryTurn {
  const messages: { role: "user" | "assistant"; content: ContentBlockParam[] }[] = [];
  const add = (role: "user" | "assistant", content: ContentBlockParam[]) => {
    if (content.length === 0) return;
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  };
  let next = 0;
  for (const row of rows) {
    add(row.role, openBlocks(encryption, row));
    const results: ContentBlockParam[] = [];
    for (let call = calls[next]; call !== undefined && call.step === row.step; call = calls[++next]) {
      const result = openResult(encryption, call);
      if (result !== null) results.push(result);
    }
    add("user", results);
  }
  const read = [...rows.flatMap((row) => row.sources ?? []), ...calls.flatMap((call) => call.sources)];
  return {
    turnId: head.turnId,
    messages: messages satisfies MessageParam[],
    sources: [...new Set(read)],
    answerTo: head.answerTo,
    answer: read.length === 0 ? null : head.readAnswer(),
  };
}
