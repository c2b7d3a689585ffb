import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { History, HistoryPort, HistoryTurn, StoredSummary } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
import { deepFreeze } from "./cache.ts";
import { prepared } from "./prepared.ts";
import { type CallRow, type MessageRow, replayTurn, type TurnHead } from "./replay.ts";
import { messages, summaries, toolCalls, turns } from "./schema.ts";
import type { CachedHistory, Store } from "./store.ts";
import { turnPlace } from "./turn-rows.ts";

const messageColumns = {
  turnSeq: messages.turnSeq,
  ordinal: messages.ordinal,
  step: messages.step,
  role: messages.role,
  content: messages.content,
  sources: messages.sources,
};
const headColumns = { turnId: turns.id, answerTo: turns.answerTo };
const callColumns = {
  turnSeq: toolCalls.turnSeq,
  step: toolCalls.step,
  position: toolCalls.position,
  toolUseId: toolCalls.toolUseId,
  result: toolCalls.result,
  sources: toolCalls.sources,
};

const messagesOf = prepared((db) =>
  db
    .select(messageColumns)
    .from(messages)
    .where(eq(messages.turnSeq, sql.placeholder("turnSeq")))
    .orderBy(asc(messages.ordinal))
    .prepare(),
);
const callsOf = prepared((db) =>
  db
    .select(callColumns)
    .from(toolCalls)
    .where(eq(toolCalls.turnSeq, sql.placeholder("turnSeq")))
    .orderBy(asc(toolCalls.step), asc(toolCalls.position))
    .prepare(),
);

const headOf = prepared((db) =>
  db
    .select(headColumns)
    .from(turns)
    .where(eq(turns.seq, sql.placeholder("turnSeq")))
    .prepare(),
);
const answerOf = prepared((db) =>
  db
    .select({ id: turns.id, answer: turns.answer })
    .from(turns)
    .where(eq(turns.seq, sql.placeholder("turnSeq")))
    .prepare(),
);

/** A parsed value takes about this many times the bytes of its JSON. */
const parsedFactor = 3;
const turnOverhead = 500;

export interface StoredHistory extends HistoryPort {
  /** To be called when a turn's end has been committed. */
  turnEnded(conversationId: string, epoch: number, turnSeq: number): void;
}

/** The turns are frozen already, each when it was read. */
function freeze(summary: StoredSummary | null, ofTurns: HistoryTurn[]): History {
  return Object.freeze({ summary: Object.freeze(summary), turns: Object.freeze(ofTurns) });
}

const cacheKey = (conversationId: string, epoch: number): string => `${conversationId}/${epoch}`;
const summaryPlace = (conversationId: string, epoch: number) => ({
  table: "summaries",
  column: "text",
  row: cacheKey(conversationId, epoch),
});

export function createHistory(store: Store): StoredHistory {
  const read = prepareHistory(store);
  return {
    async load(conversationId, epoch) {
      const { histories } = store.caches();
      const key = cacheKey(conversationId, epoch);
      const cached = histories.get(key);
      if (cached !== undefined) return cached.history;
      const loaded = read.all(conversationId, epoch);
      histories.set(key, loaded, loaded.bytes);
      return loaded.history;
    },
    async saveSummary(conversationId, epoch, summary) {
      store.write((tx) => {
        const upto = tx
          .select({ order: turns.endedOrder })
          .from(turns)
          .where(
            and(
              eq(turns.id, summary.uptoTurnId),
              eq(turns.conversationId, conversationId),
              eq(turns.epoch, epoch),
            ),
          )
          .get();
        const uptoOrder = upto?.order ?? null;
        if (uptoOrder === null)
          throw new AppError(
            "turn_not_found",
            "The summary's last turn is no ended turn of that conversation.",
          );
        const values = {
          text: store.encryption.seal(summaryPlace(conversationId, epoch), summary.text),
          uptoTurnId: summary.uptoTurnId,
          uptoOrder,
          sources: summary.sources,
          updatedAt: store.now(),
        };
        tx.insert(summaries)
          .values({ conversationId, epoch, ...values })
          .onConflictDoUpdate({
            target: [summaries.conversationId, summaries.epoch],
            set: values,
            setWhere: sql`${summaries.uptoOrder} <= ${uptoOrder}`,
          })
          .run();
      });
      store.caches().histories.delete(cacheKey(conversationId, epoch));
    },
    turnEnded(conversationId, epoch, turnSeq) {
      const { histories } = store.caches();
      const key = cacheKey(conversationId, epoch);
      const cached = histories.get(key);
      if (cached === undefined) return;
      try {
        const { history, bytes } = read.one(turnSeq);
        const { summary, turns: before } = cached.history;
        const all = {
          history: freeze(summary, [...before, ...history]),
          bytes: cached.bytes + bytes,
        };
        histories.set(key, all, all.bytes);
      } catch {
        // The end itself is committed; whoever loads the history next meets the fault.
        histories.delete(key);
      }
    },
  };
}

function prepareHistory(store: Store) {
  const { db, encryption } = store;
  const ofHistory = and(
    eq(turns.conversationId, sql.placeholder("conversationId")),
    eq(turns.epoch, sql.placeholder("epoch")),
    gt(turns.endedOrder, sql.placeholder("after")),
  );
  const summaryQuery = db
    .select()
    .from(summaries)
    .where(
      and(
        eq(summaries.conversationId, sql.placeholder("conversationId")),
        eq(summaries.epoch, sql.placeholder("epoch")),
      ),
    )
    .prepare();
  const messageQuery = db
    .select({ ...messageColumns, ...headColumns })
    .from(turns)
    .innerJoin(messages, eq(messages.turnSeq, turns.seq))
    .where(ofHistory)
    .orderBy(asc(turns.endedOrder))
    .prepare();
  const callQuery = db
    .select(callColumns)
    .from(turns)
    .innerJoin(toolCalls, eq(toolCalls.turnSeq, turns.seq))
    .where(ofHistory)
    .orderBy(asc(turns.endedOrder))
    .prepare();

  const readSummary = (conversationId: string, epoch: number) => {
    const row = summaryQuery.get({ conversationId, epoch });
    if (row === undefined) return { summary: null, after: 0 };
    const text = encryption.open(summaryPlace(conversationId, epoch), row.text);
    const summary: StoredSummary = { text, uptoTurnId: row.uptoTurnId, sources: row.sources };
    return { summary, after: row.uptoOrder };
  };
  return {
    all(conversationId: string, epoch: number): CachedHistory {
      const { summary, after } = readSummary(conversationId, epoch);
      const rows = messageQuery.all({ conversationId, epoch, after });
      const calls = rows.length === 0 ? [] : callQuery.all({ conversationId, epoch, after });
      const bytes = sizeOf(rows, calls) + (summary?.text.length ?? 0);
      return { history: freeze(summary, groupTurns(store, rows, calls)), bytes };
    },
    one(turnSeq: number): { history: HistoryTurn[]; bytes: number } {
      const head = headOf(store).get({ turnSeq });
      const rows = head === undefined ? [] : readMessages(store, turnSeq).map((row) => ({ ...row, ...head }));
      const calls = readCalls(store, turnSeq);
      return { history: groupTurns(store, rows, calls), bytes: sizeOf(rows, calls) };
    },
  };
}

export function readMessages(store: Pick<Store, "db">, turnSeq: number): readonly MessageRow[] {
  return messagesOf(store).all({ turnSeq });
}

export function readCalls(store: Pick<Store, "db">, turnSeq: number): readonly CallRow[] {
  return callsOf(store).all({ turnSeq });
}

/**
 * Rows and calls of many turns, the turns in order. Those of one turn are put in order here: SQLite would copy
 * every row into a sorter, content and all.
 */
function groupTurns(
  store: Store,
  rows: readonly (MessageRow & Pick<TurnHead, "turnId" | "answerTo">)[],
  calls: readonly CallRow[],
): HistoryTurn[] {
  const callsOf = Map.groupBy(calls, (call) => call.turnSeq);
  return [...Map.groupBy(rows, (row) => row.turnSeq).values()].flatMap((group) => {
    const first = group[0];
    if (first === undefined) return [];
    const ofTurn = callsOf.get(first.turnSeq) ?? [];
    group.sort((a, b) => a.ordinal - b.ordinal);
    ofTurn.sort((a, b) => a.step - b.step || a.position - b.position);
    const { turnSeq, turnId, answerTo } = first;
    const head = { turnId, answerTo, readAnswer: () => readAnswer(store, turnSeq) };
    return [deepFreeze(replayTurn(store.encryption, head, group, ofTurn))];
  });
}

function readAnswer(store: Store, turnSeq: number): string | null {
  const row = answerOf(store).get({ turnSeq });
  const answer = row?.answer ?? null;
  return row === undefined || answer === null
    ? null
    : store.encryption.open(turnPlace("answer", row.id), answer);
}

function sizeOf(rows: readonly MessageRow[], calls: readonly CallRow[]): number {
  let bytes = turnOverhead;
  for (const row of rows) bytes += row.content.length * parsedFactor;
  for (const call of calls) bytes += (call.result?.length ?? 0) * parsedFactor;
  return bytes;
}
