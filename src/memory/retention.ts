import { and, eq, inArray, like, lt, notExists, sql } from "drizzle-orm";
import { utcDay } from "../utc-day.ts";
import { approvals, audit, posts, sentMessages, summaries, tokenUsage, turns } from "./schema.ts";
import type { Store } from "./store.ts";

const batch = 200;

export interface Removed {
  readonly turns: number;
  readonly posts: number;
  readonly approvals: number;
  readonly sentMessages: number;
  readonly summaries: number;
  readonly auditRows: number;
}

/**
 * Deletes what is older than `before` (milliseconds since 1970): ended turns with their messages and approvals,
 * decided approvals of no turn, posts, notes of sent messages, summaries and token counts; and rows of the audit log
 * that are older than `auditBefore`. Tombstones, conversations and memories stay. It works in small transactions
 * and lets others go first in between.
 */
export async function removeOlderThan(store: Store, before: number, auditBefore: number): Promise<Removed> {
  const { db } = store;
  const oldTurns = db.select({ seq: turns.seq }).from(turns).where(lt(turns.endedAt, before)).limit(batch);
  const oldPosts = db.select({ seq: posts.seq }).from(posts).where(lt(posts.createdAt, before)).limit(batch);
  const oldAudit = db.select({ id: audit.id }).from(audit).where(lt(audit.at, auditBefore)).limit(batch);
  const oldApprovals = db
    .select({ seq: approvals.seq })
    .from(approvals)
    .where(and(lt(approvals.createdAt, before), sql`${approvals.state} <> 'pending'`))
    .limit(batch);
  const oldSent = db
    .select({ id: sentMessages.messageId })
    .from(sentMessages)
    .where(lt(sentMessages.at, before))
    .limit(batch);
  const removed = {
    turns: await inBatches(store, () =>
      db.delete(turns).where(inArray(turns.seq, oldTurns)).returning({ id: turns.id }).all(),
    ),
    posts: await inBatches(store, () =>
      db.delete(posts).where(inArray(posts.seq, oldPosts)).returning({ id: posts.seq }).all(),
    ),
    approvals: await inBatches(store, () =>
      db.delete(approvals).where(inArray(approvals.seq, oldApprovals)).returning({ id: approvals.seq }).all(),
    ),
    sentMessages: await inBatches(store, () =>
      db
        .delete(sentMessages)
        .where(inArray(sentMessages.messageId, oldSent))
        .returning({ id: sentMessages.messageId })
        .all(),
    ),
    summaries: await inBatches(store, () => removeSummaries(store, before)),
    auditRows: await inBatches(store, () =>
      db.delete(audit).where(inArray(audit.id, oldAudit)).returning({ id: audit.id }).all(),
    ),
  };
  const day = utcDay(before);
  const today = utcDay(store.now());
  store.write((tx) => {
    tx.delete(tokenUsage).where(lt(tokenUsage.day, day)).run();
    const ofForgotten = and(lt(tokenUsage.day, today), like(tokenUsage.subject, "forgotten:%"));
    tx.delete(tokenUsage).where(ofForgotten).run();
  });
  return removed;
}

/** One that is still in use (its conversation has turns of that epoch after it) was renewed with them, or will be. */
function removeSummaries(store: Store, before: number): readonly unknown[] {
  const { db } = store;
  const later = db
    .select({ one: sql`1` })
    .from(turns)
    .where(and(eq(turns.conversationId, summaries.conversationId), eq(turns.epoch, summaries.epoch)));
  return db
    .delete(summaries)
    .where(and(lt(summaries.updatedAt, before), notExists(later)))
    .returning({ id: summaries.conversationId })
    .all();
}

async function inBatches(store: Store, remove: () => readonly unknown[]): Promise<number> {
  let total = 0;
  for (;;) {
    const removed = store.write(remove).length;
    total += removed;
    if (removed === 0) break;
    const { histories } = store.caches();
    histories.clear();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return total;
}
