import { randomBytes } from "node:crypto";
import { asc, eq } from "drizzle-orm";
import type { Db } from "./connection.ts";
import { createEncryption, type DataKey, type Encryption, unwrapDataKey, wrapDataKey } from "./encryption.ts";
import { DatabaseOpenError } from "./errors.ts";
import { dataKeys } from "./schema.ts";

/**
 * Loads the data keys, making the first one in a new database. Keys that only `previous` opens are wrapped
 * anew with `secretKey`, all in one transaction, so that `SECRET_KEY` can be changed and the old one forgotten.
 * Throws DatabaseOpenError `wrong_key` when neither opens them.
 */
export function loadEncryption(
  db: Db,
  secretKey: string,
  previous: string | null,
  now: () => number,
): Encryption {
  const keys = db.transaction(
    (tx) => {
      const stored = tx.select().from(dataKeys).orderBy(asc(dataKeys.id)).all();
      if (stored.length === 0) {
        const key: DataKey = { id: 1, bytes: randomBytes(32) };
        const salt = randomBytes(16);
        const wrapped = wrapDataKey(secretKey, salt, key);
        tx.insert(dataKeys).values({ id: key.id, salt, wrapped, createdAt: now() }).run();
        return [key];
      }
      return stored.map((row) => {
        const key = unwrapDataKey(secretKey, row.salt, row.id, row.wrapped);
        if (key !== null) return key;
        const old = previous === null ? null : unwrapDataKey(previous, row.salt, row.id, row.wrapped);
        if (old === null) throw wrongKey(previous !== null);
        const salt = randomBytes(16);
        const wrapped = wrapDataKey(secretKey, salt, old);
        tx.update(dataKeys).set({ salt, wrapped }).where(eq(dataKeys.id, row.id)).run();
        return old;
      });
    },
    { behavior: "immediate" },
  );
  return createEncryption(keys);
}

function wrongKey(hadPrevious: boolean): DatabaseOpenError {
  const tried = hadPrevious ? "Neither SECRET_KEY nor SECRET_KEY_PREVIOUS is" : "SECRET_KEY is not";
  return new DatabaseOpenError(
    "wrong_key",
    `${tried} the key that this database was written with; set SECRET_KEY to that key, or set SECRET_KEY_PREVIOUS to it in order to change the key.`,
  );
}
