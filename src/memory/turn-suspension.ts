import { and, eq, inArray, sql } from "drizzle-orm";
import type { TurnEnd, TurnJournal, TurnRecord } from "../agent/journal.ts";
import { AppError } from "../errors.ts";
import { approvalsOfTurn, insertApproval, toApproval, withdrawApprovals } from "./approval-rows.ts";
import { isSuspended } from "./columns.ts";
import type { Tx } from "./connection.ts";
import type { StoredHistory } from "./history.ts";
import { prepared } from "./prepared.ts";
import { toolCalls, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { endTurn, isCall } from "./turn-end.ts";
import { type TurnReader, type TurnRow, toRecord } from "./turn-rows.ts";

type SuspensionMethods = Pick<TurnJournal, "suspend" | "approvals" | "endSuspended">;

const suspendedOf = prepared((db) =>
  db
    .select()
    .from(turns)
    .where(and(isSuspended(turns.state), eq(turns.conversationId, sql.placeholder("conversationId"))))
    .prepare(),
);

/** There is one at most in a conversation. */
export const findSuspended = (store: Store, conversationId: string): TurnRow | null =>
  suspendedOf(store).get({ conversationId }) ?? null;

/** The part of the journal between a turn's question to a person and the answer. */
export function createTurnSuspension(
  store: Store,
  reader: TurnReader,
  history: StoredHistory,
): SuspensionMethods {
  return {
    suspend: async (turnId, asked) =>
      store.write((tx) => {
        const row = reader.need(turnId);
        if (row.state !== "running") throw new AppError("cancelled", "This turn does not run any more.");
        for (const { step, toolUseId } of asked) {
          if (step === null || toolUseId === null) continue;
          tx.update(toolCalls)
            .set({ state: "waiting" })
            .where(and(isCall(row.seq, step, toolUseId), inArray(toolCalls.state, ["pending", "running"])))
            .run();
        }
        tx.update(turns)
          .set({ state: "suspended", starts: sql`max(0, ${turns.starts} - 1)` })
          .where(eq(turns.seq, row.seq))
          .run();
        return asked.map((approval) => insertApproval(store, approval, row.replyMessageId !== null));
      }),
    approvals: async (turnId) =>
      approvalsOfTurn(store, turnId).map((row) => toApproval(store.encryption, row)),
    async endSuspended(conversationId, turnId, end) {
      const ended = store.write((tx) => {
        const row = findSuspended(store, conversationId);
        if (row === null || (turnId !== null && row.id !== turnId)) return null;
        return { row, record: endWithApprovals(store, reader, tx, row, end) };
      });
      if (ended === null) return null;
      history.turnEnded(conversationId, ended.row.epoch, ended.row.seq);
      return ended.record;
    },
  };
}

/** Within a transaction. What waits for an approval is answered as not done, as all that has no result. */
export function endWithApprovals(
  store: Store,
  reader: TurnReader,
  tx: Tx,
  row: TurnRow,
  end: TurnEnd,
): TurnRecord {
  withdrawApprovals(store, row.id);
  endTurn(store, tx, row, end);
  return toRecord(store.encryption, reader.need(row.id));
}
