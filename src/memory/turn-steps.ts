import type { ContentBlockParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { and, asc, eq, inArray, max, sql } from "drizzle-orm";
import type { StoredStep, TurnEnd, TurnJournal } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
import type { Tx } from "./connection.ts";
import { takeOrder } from "./conversations.ts";
import { readMessages, type StoredHistory } from "./history.ts";
import { messagePlace, openBlocks, openResult, resultPlace, userBlocks } from "./replay.ts";
import { messages, toolCalls, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { hasEnded, type TurnReader, type TurnRow, toRecord, turnPlace } from "./turn-rows.ts";

type StepMethods = Pick<
  TurnJournal,
  "begin" | "yield" | "steps" | "saveStep" | "toolRunning" | "toolEnded" | "end"
>;

/** The part of the journal from a turn's beginning to its end. */
export function createTurnSteps(store: Store, reader: TurnReader, history: StoredHistory): StepMethods {
  return {
    begin: async (turnId) =>
      store.write((tx) => {
        const row = reader.byId(turnId);
        if (row === null || (row.state !== "queued" && row.state !== "running")) return null;
        storeUserMessage(store, tx, row);
        const begun = tx
          .update(turns)
          .set({ state: "running", starts: row.starts + 1 })
          .where(eq(turns.seq, row.seq))
          .returning()
          .get();
        return toRecord(store.encryption, begun);
      }),
    async yield(turnId) {
      store.write((tx) =>
        tx
          .update(turns)
          .set({ starts: sql`max(0, ${turns.starts} - 1)` })
          .where(and(eq(turns.id, turnId), eq(turns.state, "running")))
          .run(),
      );
    },
    steps: async (turnId) => readSteps(store, reader.need(turnId).seq),
    async saveStep(turnId, step) {
      store.write((tx) => saveStep(store, tx, reader.need(turnId), step));
    },
    async toolRunning(turnId, step, toolUseId) {
      store.write((tx) =>
        tx
          .update(toolCalls)
          .set({ state: "running", startedAt: store.now() })
          .where(and(isCall(reader.need(turnId).seq, step, toolUseId), eq(toolCalls.state, "pending")))
          .run(),
      );
    },
    async toolEnded(turnId, step, toolUseId, end) {
      store.write((tx) => endCall(store, tx, reader.need(turnId).seq, step, toolUseId, end));
    },
    async end(turnId, end) {
      const ended = store.write((tx) => {
        const row = reader.need(turnId);
        if (hasEnded(row)) return null;
        endTurn(store, tx, row, end);
        return row;
      });
      if (ended !== null) history.turnEnded(ended.conversationId, ended.epoch, ended.seq, ended.id);
    },
  };
}

const isCall = (seq: number, step: number, toolUseId: string) =>
  and(eq(toolCalls.turnSeq, seq), eq(toolCalls.step, step), eq(toolCalls.toolUseId, toolUseId));

interface NewMessage {
  readonly ordinal: number;
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlockParam[];
  readonly step?: number;
  readonly stopReason?: string;
  readonly model?: string;
}

function insertMessage(store: Store, tx: Tx, turnSeq: number, message: NewMessage): void {
  const content = store.encryption.seal(
    messagePlace(turnSeq, message.ordinal),
    JSON.stringify(message.content),
  );
  tx.insert(messages)
    .values({ ...message, turnSeq, content, createdAt: store.now() })
    .run();
}

function lastOrdinal(tx: Tx, turnSeq: number): number {
  const row = tx
    .select({ last: max(messages.ordinal) })
    .from(messages)
    .where(eq(messages.turnSeq, turnSeq))
    .get();
  return row?.last ?? -1;
}

function storeUserMessage(store: Store, tx: Tx, row: TurnRow): void {
  if (lastOrdinal(tx, row.seq) >= 0) return;
  const { preamble, text } = toRecord(store.encryption, row);
  insertMessage(store, tx, row.seq, { ordinal: 0, role: "user", content: userBlocks(preamble, text) });
}

function saveStep(store: Store, tx: Tx, row: TurnRow, step: Parameters<TurnJournal["saveStep"]>[1]): void {
  if (hasEnded(row)) throw new AppError("cancelled", "This turn has already ended.");
  insertMessage(store, tx, row.seq, {
    ordinal: lastOrdinal(tx, row.seq) + 1,
    role: "assistant",
    content: step.content,
    step: step.step,
    stopReason: step.stopReason,
    model: step.model,
  });
  const calls = step.content.filter((block) => block.type === "tool_use");
  if (calls.length > 0)
    tx.insert(toolCalls)
      .values(
        calls.map((call, position) => ({
          turnSeq: row.seq,
          step: step.step,
          toolUseId: call.id,
          position,
          toolName: call.name,
          state: "pending" as const,
          sources: [],
        })),
      )
      .run();
  tx.update(turns)
    .set({
      inputTokens: row.inputTokens + step.usage.inputTokens,
      outputTokens: row.outputTokens + step.usage.outputTokens,
      cacheCreationInputTokens: row.cacheCreationInputTokens + step.usage.cacheCreationInputTokens,
      cacheReadInputTokens: row.cacheReadInputTokens + step.usage.cacheReadInputTokens,
    })
    .where(eq(turns.seq, row.seq))
    .run();
}

/** The first result stays: what a straggler brings after the turn has ended changes no history. */
function endCall(
  store: Store,
  tx: Tx,
  seq: number,
  step: number,
  toolUseId: string,
  end: Parameters<TurnJournal["toolEnded"]>[3],
): void {
  tx.update(toolCalls)
    .set({
      state: end.state,
      result: store.encryption.seal(resultPlace(seq, step, toolUseId), JSON.stringify(end.result)),
      sources: end.sources,
      endedAt: store.now(),
    })
    .where(and(isCall(seq, step, toolUseId), inArray(toolCalls.state, ["pending", "running"])))
    .run();
}

function endTurn(store: Store, tx: Tx, row: TurnRow, end: TurnEnd): void {
  storeUserMessage(store, tx, row);
  const answered = answerOpenCalls(store, tx, row.seq);
  const last = readMessages({ db: tx }, row.seq).at(-1);
  const endsInAnswer =
    last?.role === "assistant" && !answered.has(last.step) && openBlocks(store.encryption, last).length > 0;
  const given = end.closingText?.trim() ? end.closingText : null;
  const closing = given ?? (endsInAnswer ? null : end.answer);
  if (closing !== null)
    insertMessage(store, tx, row.seq, {
      ordinal: lastOrdinal(tx, row.seq) + 1,
      role: "assistant",
      content: [{ type: "text", text: closing }],
    });
  tx.update(turns)
    .set({
      state: end.state,
      answer: store.encryption.seal(turnPlace("answer", row.id), end.answer),
      stopReason: end.stopReason,
      errorCode: end.errorCode,
      endedAt: store.now(),
      endedOrder: takeOrder(tx, row.conversationId),
      delivery: row.replyMessageId === null ? null : "pending",
    })
    .where(eq(turns.seq, row.seq))
    .run();
}

/** Gives every call an answer, and returns the steps that have calls. */
function answerOpenCalls(store: Store, tx: Tx, seq: number): ReadonlySet<number | null> {
  const calls = tx
    .select({ step: toolCalls.step, toolUseId: toolCalls.toolUseId, state: toolCalls.state })
    .from(toolCalls)
    .where(eq(toolCalls.turnSeq, seq))
    .all();
  for (const { step, toolUseId, state } of calls) {
    if (state !== "pending" && state !== "running") continue;
    const ran = state === "running";
    const result: ToolResultBlockParam = {
      type: "tool_result",
      tool_use_id: toolUseId,
      is_error: true,
      content: ran
        ? "The turn ended while this tool was running: whether it took effect is unknown."
        : "The turn ended before this tool was run: it had no effect.",
    };
    endCall(store, tx, seq, step, toolUseId, { state: ran ? "unknown" : "done", result, sources: [] });
  }
  return new Set(calls.map((call) => call.step));
}

function readSteps(store: Store, seq: number): readonly StoredStep[] {
  const calls = store.db
    .select()
    .from(toolCalls)
    .where(eq(toolCalls.turnSeq, seq))
    .orderBy(asc(toolCalls.step), asc(toolCalls.position))
    .all();
  const rows = store.db
    .select()
    .from(messages)
    .where(eq(messages.turnSeq, seq))
    .orderBy(asc(messages.ordinal))
    .all();
  return rows.flatMap((row) => {
    if (row.step === null) return [];
    const content = openBlocks(store.encryption, row);
    const inputs = new Map(
      content.flatMap((block) => (block.type === "tool_use" ? [[block.id, block.input]] : [])),
    );
    const ofStep = calls.filter((call) => call.step === row.step);
    return [
      {
        step: row.step,
        content,
        stopReason: row.stopReason ?? "",
        toolCalls: ofStep.map((call) => ({
          toolUseId: call.toolUseId,
          toolName: call.toolName,
          input: inputs.get(call.toolUseId),
          state: call.state,
          result: openResult(store.encryption, call),
        })),
      },
    ];
  });
}
