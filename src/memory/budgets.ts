import { and, eq, sql } from "drizzle-orm";
import { utcDay } from "../utc-day.ts";
import { prepared } from "./prepared.ts";
import { tokenUsage } from "./schema.ts";
import type { Store } from "./store.ts";
import { pseudonymOf } from "./token-usage.ts";

/** Tokens spent by a subject ("user:1", "guild:2") on a day (UTC, such as 2026-11-22). */
export interface BudgetStore {
  spent(subject: string, day: string): Promise<number>;
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
      const of = (whose: string) => ofDay(store).get({ subject: whose, day })?.tokens ?? 0;
      return of(subject) + of(pseudonymOf(store, subject, day));
    },
  };
}

/** Adds up on the present day's account; to be called within a transaction. */
export function addTokens(store: Store, subjects: readonly string[], tokens: number): void {
  if (tokens === 0) return;
  const day = utcDay(store.now());
  for (const subject of subjects) add(store).run({ subject, day, tokens });
}
