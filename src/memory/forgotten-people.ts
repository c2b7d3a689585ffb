import { eq, sql } from "drizzle-orm";
import type { Tx } from "./connection.ts";
import { prepared } from "./prepared.ts";
import { forgottenPeople } from "./schema.ts";
import type { Store } from "./store.ts";

/** Who it is cannot be read from it, but can be recognised. */
export const hashOfPerson = ({ encryption }: Pick<Store, "encryption">, userId: string): Uint8Array =>
  encryption.hash("forgotten_people", [userId]);

/** Notes that somebody has been forgotten who asked for it at that time. */
export function noteForgotten(store: Store, tx: Tx, userId: string, at: number): void {
  tx.insert(forgottenPeople)
    .values({ hash: hashOfPerson(store, userId), at })
    .onConflictDoUpdate({
      target: forgottenPeople.hash,
      set: { at: sql`max(${forgottenPeople.at}, excluded.at)` },
    })
    .run();
}

const byHash = prepared((db) =>
  db
    .select({ at: forgottenPeople.at })
    .from(forgottenPeople)
    .where(eq(forgottenPeople.hash, sql.placeholder("hash")))
    .prepare(),
);

/** When somebody last asked for what has been carried out; null when they never did. */
export function forgottenAt(store: Store, userId: string): number | null {
  return byHash(store).get({ hash: hashOfPerson(store, userId) })?.at ?? null;
}
