import type { ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { TurnEnd, TurnJournal } from "../agent/journal.ts";
import { addTokens } from "./budgets.ts";
import type { Tx } from "./connection.ts";
import { takeOrder } from "./conversations.ts";
import { readMessages } from "./history.ts";
import { given, prepared } from "./prepared.ts";
import { openBlocks, resultPlace } from "./replay.ts";
import { toolCalls, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { insertMessage, lastOrdinal, storeUserMessage } from "./turn-messages.ts";
import { type TurnRow, turnPlace } from "./turn-rows.ts";

const markEnded = prepared((db) =>
  db
    .update(turns)
    .set({
      state: given("state"),
      answer: given("answer"),
      answerTo: given("answerTo"),
      stopReason: given("stopReason"),
      errorCode: given("errorCode"),
      endedAt: given("endedAt"),
      endedOrder: given("endedOrder"),
      delivery: given("delivery"),
    })
    .where(eq(turns.seq, sql.placeholder("seq")))
    .prepare(),
);
const callStates = prepared((db) =>
  db
    .select({ step: toolCalls.step, toolUseId: toolCalls.toolUseId, state: toolCalls.state })
    .from(toolCalls)
    .where(eq(toolCalls.turnSeq, sql.placeholder("seq")))
    .prepare(),
);

export const isCall = (seq: number, step: number, toolUseId: string) =>
  and(eq(toolCalls.turnSeq, seq), eq(toolCalls.step, step), eq(toolCalls.toolUseId, toolUseId));

/** The first result stays: what a straggler brings after the turn has ended changes no history. */
export function endCall(
  store: Store,
  tx: Tx,
  call: { readonly seq: number; readonly step: number; readonly toolUseId: string },
  end: Parameters<TurnJournal["toolEnded"]>[3],
): void {
  const { seq, step, toolUseId } = call;
  tx.update(toolCalls)
    .set({
      state: end.state,
      result: store.encryption.seal(resultPlace(seq, step, toolUseId), JSON.stringify(end.result)),
      sources: end.sources,
      endedAt: store.now(),
    })
    .where(and(isCall(seq, step, toolUseId), inArray(toolCalls.state, ["pending", "waiting", "running"])))
    .run();
}

/** `lastStep`: the step that was stored in this transaction just before, so that it need not be read again. */
export function endTurn(
  store: Store,
  tx: Tx,
  row: TurnRow,
  end: TurnEnd,
  lastStep: { readonly step: number; readonly content: readonly unknown[] } | null = null,
): void {
  if (lastStep === null) storeUserMessage(store, row);
  const answered = answerOpenCalls(store, tx, row.seq);
  const endsInAnswer =
    lastStep === null
      ? hasAnswer(store, row, answered)
      : !answered.has(lastStep.step) && lastStep.content.length > 0;
  const given = end.closingText?.trim() ? end.closingText : null;
  const closing = given ?? (endsInAnswer ? null : end.answer);
  if (closing !== null)
    insertMessage(store, row.seq, {
      ordinal: lastOrdinal(store, row.seq) + 1,
      role: "assistant",
      content: [{ type: "text", text: closing }],
    });
  markEnded(store).run({
    seq: row.seq,
    state: end.state,
    answer: store.encryption.seal(turnPlace("answer", row.id), end.answer),
    answerTo: end.answerTo,
    stopReason: end.stopReason,
    errorCode: end.errorCode,
    endedAt: store.now(),
    endedOrder: takeOrder(store, row.conversationId),
    delivery: row.replyMessageId === null ? null : "pending",
  });
  bookTokens(store, row);
}

/** Whether the last message that is stored is one of the model's that asks for no tool. */
function hasAnswer(store: Store, row: TurnRow, answered: ReadonlySet<number | null>): boolean {
  const last = readMessages(store, row.seq).at(-1);
  return (
    last?.role === "assistant" && !answered.has(last.step) && openBlocks(store.encryption, last).length > 0
  );
}

/** On the day's account of the person and of the server, once for the whole turn, however many processes it took. */
function bookTokens(store: Store, row: TurnRow): void {
  const { inputTokens, outputTokens, cacheCreationInputTokens, cacheReadInputTokens } = row;
  const tokens = inputTokens + outputTokens + cacheCreationInputTokens + cacheReadInputTokens;
  const subjects = [`user:${row.userId}`, ...(row.guildId === null ? [] : [`guild:${row.guildId}`])];
  addTokens(store, subjects, tokens);
}

/** What the model is told of a call that its turn's end left without a result. */
const openAnswers = {
  pending: "The turn ended before this tool was run: it had no effect.",
  waiting: "The turn ended before anybody approved this: it was not done.",
  running: "The turn ended while this tool was running: whether it took effect is unknown.",
} as const;

/** Gives every call an answer, and returns the steps that have calls. */
function answerOpenCalls(store: Store, tx: Tx, seq: number): ReadonlySet<number | null> {
  const calls = callStates(store).all({ seq });
  for (const { step, toolUseId, state } of calls) {
    if (state === "done" || state === "unknown") continue;
    const ran = state === "running";
    const result: ToolResultBlockParam = {
      type: "tool_result",
      tool_use_id: toolUseId,
      is_error: true,
      content: openAnswers[state],
    };
    const call = { seq, step, toolUseId };
    endCall(store, tx, call, { state: ran ? "unknown" : "done", result, sources: [] });
  }
  return new Set(calls.map((call) => call.step));
}
