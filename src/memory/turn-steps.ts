import { and, asc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import type { StoredStep, TurnJournal } from "../agent/journal.ts";
import { AppError } from "../errors.ts";
import type { Tx } from "./connection.ts";
import type { StoredHistory } from "./history.ts";
import { prepared } from "./prepared.ts";
import { openBlocks, openResult } from "./replay.ts";
import { messages, toolCalls, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { endCall, endTurn, isCall } from "./turn-end.ts";
import { insertMessage, lastOrdinal, storeUserMessage } from "./turn-messages.ts";
import { hasEnded, type TurnReader, type TurnRow, toWork } from "./turn-rows.ts";

type StepMethods = Pick<
  TurnJournal,
  "begin" | "yield" | "steps" | "saveStep" | "toolRunning" | "toolAsked" | "toolEnded" | "end"
>;

const markRunning = prepared((db) =>
  db
    .update(turns)
    .set({ state: "running", starts: sql`${turns.starts} + 1` })
    .where(eq(turns.seq, sql.placeholder("seq")))
    .returning()
    .prepare(),
);
const addUsage = prepared((db) =>
  db
    .update(turns)
    .set({
      inputTokens: sql`${turns.inputTokens} + ${sql.placeholder("inputTokens")}`,
      outputTokens: sql`${turns.outputTokens} + ${sql.placeholder("outputTokens")}`,
      cacheCreationInputTokens: sql`${turns.cacheCreationInputTokens} + ${sql.placeholder("cacheCreationInputTokens")}`,
      cacheReadInputTokens: sql`${turns.cacheReadInputTokens} + ${sql.placeholder("cacheReadInputTokens")}`,
    })
    .where(eq(turns.seq, sql.placeholder("seq")))
    .returning()
    .prepare(),
);
const callsOf = prepared((db) =>
  db
    .select()
    .from(toolCalls)
    .where(eq(toolCalls.turnSeq, sql.placeholder("seq")))
    .orderBy(asc(toolCalls.step), asc(toolCalls.position))
    .prepare(),
);
const stepsOf = prepared((db) =>
  db
    .select()
    .from(messages)
    .where(and(eq(messages.turnSeq, sql.placeholder("seq")), isNotNull(messages.step)))
    .orderBy(asc(messages.ordinal))
    .prepare(),
);

/** The part of the journal from a turn's beginning to its end. */
export function createTurnSteps(store: Store, reader: TurnReader, history: StoredHistory): StepMethods {
  return {
    begin: async (turnId) =>
      store.writeUnsynced(() => {
        const row = reader.byId(turnId);
        if (row === null || (row.state !== "queued" && row.state !== "running")) return null;
        storeUserMessage(store, row);
        return toWork(store.encryption, markRunning(store).get({ seq: row.seq }));
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
    steps: async (turnId) => readSteps(store, reader.needSeq(turnId)),
    async saveStep(turnId, step, end) {
      const row = store.write((tx) => {
        const saved = saveStep(store, tx, reader.need(turnId), step);
        if (end === undefined) return null;
        endTurn(store, tx, saved, end, step);
        return saved;
      });
      if (row !== null) history.turnEnded(row.conversationId, row.epoch, row.seq);
    },
    async toolRunning(turnId, step, toolUseId) {
      store.write((tx) =>
        tx
          .update(toolCalls)
          .set({ state: "running", startedAt: store.now() })
          .where(
            and(
              isCall(reader.needSeq(turnId), step, toolUseId),
              inArray(toolCalls.state, ["pending", "waiting"]),
            ),
          )
          .run(),
      );
    },
    async toolAsked(turnId, step, toolUseId) {
      store.write((tx) =>
        tx
          .update(toolCalls)
          .set({ state: "pending", startedAt: null })
          .where(and(isCall(reader.needSeq(turnId), step, toolUseId), eq(toolCalls.state, "running")))
          .run(),
      );
    },
    async toolEnded(turnId, step, toolUseId, end) {
      store.write((tx) => endCall(store, tx, { seq: reader.needSeq(turnId), step, toolUseId }, end));
    },
    async end(turnId, end) {
      const ended = store.write((tx) => {
        const row = reader.need(turnId);
        if (hasEnded(row)) return null;
        endTurn(store, tx, row, end);
        return row;
      });
      if (ended !== null) history.turnEnded(ended.conversationId, ended.epoch, ended.seq);
    },
  };
}

function saveStep(store: Store, tx: Tx, row: TurnRow, step: Parameters<TurnJournal["saveStep"]>[1]): TurnRow {
  if (hasEnded(row)) throw new AppError("cancelled", "This turn has already ended.");
  insertMessage(store, row.seq, {
    ordinal: lastOrdinal(store, row.seq) + 1,
    role: "assistant",
    content: step.content,
    step: step.step,
    stopReason: step.stopReason,
    model: step.model,
    sources: step.sources,
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
  return addUsage(store).get({ seq: row.seq, ...step.usage });
}

function readSteps(store: Store, seq: number): readonly StoredStep[] {
  const rows = stepsOf(store).all({ seq });
  // As with most turns, which begin once.
  if (rows.length === 0) return [];
  const calls = callsOf(store).all({ seq });
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
        sources: row.sources ?? [],
        content,
        stopReason: row.stopReason ?? "",
        toolCalls: ofStep.map((call) => ({
          toolUseId: call.toolUseId,
          toolName: call.toolName,
          input: inputs.get(call.toolUseId),
          state: call.state,
          result: openResult(store.encryption, call),
          sources: call.sources,
        })),
      },
    ];
  });
}
