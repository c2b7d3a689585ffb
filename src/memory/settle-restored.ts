import { inArray, sql } from "drizzle-orm";
import type { TurnEnd } from "../agent/journal.ts";
import type { Tx } from "./connection.ts";
import { approvals, gatewaySessions, posts, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { createTurnReader } from "./turn-rows.ts";
import { endWithApprovals } from "./turn-suspension.ts";

export interface Settled {
  readonly turns: number;
  readonly posts: number;
  readonly approvals: number;
}

const sentence =
  "This was under way when the backup was made that has been restored since. What became of it is not known; please ask again if it still matters.";

const end: TurnEnd = {
  state: "failed",
  answer: sentence,
  closingText: sentence,
  stopReason: "restored",
  errorCode: "turn_failed",
  answerTo: "asker",
};

/**
 * Ends what was unfinished when a backup was made: it may have been finished since, and must happen neither twice
 * nor out of season. Turns fail, posts are given up, questions are withdrawn, nothing of it is posted; the model
 * finds in the history that the outcome is unknown. Discord's session of then is forgotten.
 */
export function settleRestored(store: Store): Settled {
  return store.write((tx) => {
    const open = inArray(approvals.state, ["pending", "approved"]);
    const asked = tx.select({ seq: approvals.seq }).from(approvals).where(open).all();
    const failed = endTurns(store, tx);
    tx.update(turns).set({ delivery: null }).where(sql`${turns.delivery} is not null`).run();
    const dropped = tx
      .update(posts)
      .set({ state: "failed", failure: "restored from a backup", content: null })
      .where(inArray(posts.state, ["pending", "sending"]))
      .returning({ seq: posts.seq })
      .all();
    tx.update(approvals).set({ state: "withdrawn", decidedAt: store.now() }).where(open).run();
    tx.update(approvals).set({ delivery: null }).run();
    tx.delete(gatewaySessions).run();
    return { turns: failed, posts: dropped.length, approvals: asked.length };
  });
}

function endTurns(store: Store, tx: Tx): number {
  const reader = createTurnReader(store);
  const rows = tx
    .select()
    .from(turns)
    .where(inArray(turns.state, ["queued", "running", "suspended"]))
    .all();
  for (const row of rows) endWithApprovals(store, reader, tx, row, end);
  return rows.length;
}
