import { utcDay } from "../utc-day.ts";
import type { Store } from "./store.ts";

/**
 * Where the present day's count of a person goes who has been forgotten: who they were cannot be read from it, and
 * coming back does not give them the day's tokens a second time. Gone with the day.
 */
export function pseudonymOf({ encryption }: Pick<Store, "encryption">, subject: string, day: string): string {
  return `forgotten:${Buffer.from(encryption.hash("token_usage", [subject, day])).toString("base64url")}`;
}

/** Of a guild nothing stays. */
export function forgetSpending(
  store: Store,
  { kind, id }: { readonly kind: "user" | "guild"; readonly id: string },
): void {
  const { sqlite } = store;
  const subject = `${kind}:${id}`;
  const day = utcDay(store.now());
  store.write(() => {
    if (kind === "user")
      sqlite
        .query(
          `INSERT INTO token_usage (subject, day, tokens)
           SELECT ?, day, tokens FROM token_usage WHERE subject = ? AND day = ?
           ON CONFLICT (subject, day) DO UPDATE SET tokens = tokens + excluded.tokens`,
        )
        .run(pseudonymOf(store, subject, day), subject, day);
    sqlite.query("DELETE FROM token_usage WHERE subject = ?").run(subject);
  });
}
