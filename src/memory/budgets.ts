import { and, eq, sql } from "drizzle-orm";
import { tokenUsage } from "./schema.ts";
import type { Store } from "./store.ts";

/** Tokens spent by a subject ("user:1", "guild:2") on a day (UTC, such as 2026-11-22). */
export interface BudgetStore {
  spent(subject: string, day: string): Promise<number>;
  /** Adds up; all subjects in one transaction. */
  spend(subjects: readonly string[], day: string, tokens: number): Promise<void>;
}

export function createBudgetStore(store: Store): BudgetStore {
  return {
    async spent(subject, day) {
      const row = store.db
        .select({ tokens: tokenUsage.tokens })
        .from(tokenUsage)
        .where(and(eq(tokenUsage.subject, subject), eq(tokenUsage.day, day)))
        .get();
      return row?.tokens ?? 0;
    },
    async spend(subjects, day, tokens) {
      if (subjects.length === 0) return;
      store.write((tx) =>
        tx
          .insert(tokenUsage)
          .values(subjects.map((subject) => ({ subject, day, tokens })))
          .onConflictDoUpdate({
            target: [tokenUsage.subject, tokenUsage.day],
            set: { tokens: sql`${tokenUsage.tokens} + excluded.tokens` },
          })
          .run(),
      );
    },
  };
}
