import { and, eq, sql } from "drizzle-orm";
import { prepared } from "./prepared.ts";
import { tokenUsage } from "./schema.ts";
import type { Store } from "./store.ts";

/** Tokens spent by a subject ("user:1", "guild:2") on a day (UTC, such as 2026-11-22). */
export interface BudgetStore {
  spent(subject: string, day: string): Promise<number>;
  /** Adds up; all subjects in one transaction. */
  spend(subjects: readonly string[], day: string, tokens: number): Promise<void>;
}

const ofDay = prepared((db) =>
  db
    .select({ tokens: tokenUsage.tokens })
    .from(tokenUsage)
    .where(
      and(eq(tokenUsage.subject, sql.placeholder("subject")), eq(tokenUsage.day, sql.placeholder("day"))),
    )
    .prepare(),
);
const add = prepared((db) =>
  db
    .insert(tokenUsage)
    .values({
      subject: sql.placeholder("subject"),
      day: sql.placeholder("day"),
      tokens: sql.placeholder("tokens"),
    })
    .onConflictDoUpdate({
      target: [tokenUsage.subject, tokenUsage.day],
      set: { tokens: sql`${tokenUsage.tokens} + excluded.tokens` },
    })
    .prepare(),
);

export function createBudgetStore(store: Store): BudgetStore {
  return {
    async spent(subject, day) {
      return ofDay(store).get({ subject, day })?.tokens ?? 0;
    },
    async spend(subjects, day, tokens) {
      if (subjects.length === 0) return;
      store.write(() => {
        for (const subject of subjects) add(store).run({ subject, day, tokens });
      });
    },
  };
}
