import { and, asc, count, eq, gt, isNull, lte, sql } from "drizzle-orm";
import type { Approval } from "../agent/approvals.ts";
import type { ApprovalStore, Decided } from "../agent/journal.ts";
import { AppError } from "../errors.ts";
import {
  type ApprovalRow,
  findApproval,
  insertApproval,
  pendingApprovalsOfTurn,
  settleApproval,
  toApproval,
} from "./approval-rows.ts";
import { isPending, isSuspended } from "./columns.ts";
import { approvals, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { toRecord } from "./turn-rows.ts";

/** Questions of one session that may wait at once. */
const maxWaiting = 16;
const expireBatch = 50;
/** Far above what the turns of a conversation can ask. */
const maxListed = 100;

export function createApprovalStore(store: Store): ApprovalStore {
  const { db, encryption } = store;
  return {
    async get(approvalId) {
      const row = findApproval(store, approvalId);
      return row === null ? null : toApproval(encryption, row);
    },
    async pending(conversationId) {
      const rows = db
        .select()
        .from(approvals)
        .where(and(isPending(approvals.state), eq(approvals.conversationId, conversationId)))
        .orderBy(asc(approvals.seq))
        .limit(maxListed)
        .all();
      return rows.map((row) => toApproval(encryption, row));
    },
    add: async (approval) =>
      store.write(() => {
        if (countWaiting(store, approval.sessionId) >= maxWaiting)
          throw new AppError(
            "rate_limited",
            `${maxWaiting} questions of this session wait for an answer; answer them, or wait until they expire.`,
          );
        return insertApproval(store, approval, false);
      }),
    decide: async (approvalId, { approved, by }, now) =>
      store.write(() => {
        const row = findApproval(store, approvalId);
        if (row === null || row.state !== "pending" || row.expiresAt <= now) return null;
        return decided(store, row, settleApproval(store, row, approved ? "approved" : "denied", by, now));
      }),
    expire: async (now) =>
      store.write(() => {
        const rows = db
          .select()
          .from(approvals)
          .where(and(isPending(approvals.state), lte(approvals.expiresAt, now)))
          .orderBy(asc(approvals.expiresAt))
          .limit(expireBatch)
          .all();
        return rows.map((row) => decided(store, row, settleApproval(store, row, "expired", null, now)));
      }),
    use: async (approvalId, now) =>
      store.write((tx) => {
        const used = tx
          .update(approvals)
          .set({ state: "used" })
          .where(
            and(
              eq(approvals.id, approvalId),
              eq(approvals.state, "approved"),
              isNull(approvals.turnId),
              gt(approvals.expiresAt, now),
            ),
          )
          .returning({ id: approvals.id })
          .get();
        return used !== undefined;
      }),
  };
}

function countWaiting({ db }: Store, sessionId: string): number {
  const row = db
    .select({ n: count(sql`*`) })
    .from(approvals)
    .where(and(isPending(approvals.state), eq(approvals.sessionId, sessionId)))
    .get();
  return row?.n ?? 0;
}

/** The last decision of a turn sets it running again, in the same transaction: whoever comes next takes it up. */
function decided(store: Store, { turnId }: ApprovalRow, approval: Approval): Decided {
  if (turnId === null || pendingApprovalsOfTurn(store, turnId).length > 0) return { approval, turn: null };
  const row = store.db
    .update(turns)
    .set({ state: "running" })
    .where(and(eq(turns.id, turnId), isSuspended(turns.state)))
    .returning()
    .get();
  return { approval, turn: row === undefined ? null : toRecord(store.encryption, row) };
}
