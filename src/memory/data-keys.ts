import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { and, asc, eq, gt, ne } from "drizzle-orm";
import type { Db, Tx } from "./connection.ts";
import {
  createEncryption,
  type DataKey,
  type Keyring,
  lookUpKeyOf,
  unwrapDataKey,
  wrapDataKey,
} from "./encryption.ts";
import { DatabaseOpenError } from "./errors.ts";
import { dataKeys } from "./schema.ts";

/** Sealed values give two bytes to the id of their key. */
const maxKeyId = 0xffff;

/**
 * The row of the key that look-ups are hashed with. It is written when the first data key, from which it is derived
 * until then, is destroyed.
 */
export const lookUpKeyId = 0;

export interface DataKeys {
  readonly keyring: Keyring;
  /** Makes the next key and seals with it from now on. Returns its id. */
  addNext(): number;
  /** Destroys every key but the newest. What is still sealed with them can never be opened again. */
  destroyOlder(): void;
}

/**
 * Loads the data keys, making the first one in a new database. Keys that only `previous` opens are wrapped
 * anew with `secretKey`, all in one transaction, so that `SECRET_KEY` can be changed and the old one forgotten.
 * Throws DatabaseOpenError `wrong_key` when neither opens them.
 */
export function loadDataKeys(
  db: Db,
  secretKey: string,
  previous: string | null,
  now: () => number,
): DataKeys {
  const stored = db.transaction((tx) => readKeys(tx, secretKey, previous, now), { behavior: "immediate" });
  const keys = stored.filter(({ id }) => id !== lookUpKeyId);
  const lookUpKey = stored.find(({ id }) => id === lookUpKeyId)?.bytes;
  const [first] = keys;
  if (first === undefined) throw new Error("There is no data key.");
  const keyring = createEncryption(keys, lookUpKey);
  return {
    keyring,
    addNext() {
      const key: DataKey = { id: keyring.newest + 1, bytes: randomBytes(32) };
      if (key.id > maxKeyId) throw new Error("There are no more ids for data keys.");
      db.transaction((tx) => insertKey(tx, secretKey, key, now()), { behavior: "immediate" });
      keyring.add(key);
      return key.id;
    },
    destroyOlder() {
      db.transaction(
        (tx) => {
          if (tx.select().from(dataKeys).where(eq(dataKeys.id, lookUpKeyId)).get() === undefined)
            insertKey(tx, secretKey, { id: lookUpKeyId, bytes: lookUpKey ?? lookUpKeyOf(first) }, now());
          tx.delete(dataKeys)
            .where(and(gt(dataKeys.id, lookUpKeyId), ne(dataKeys.id, keyring.newest)))
            .run();
        },
        { behavior: "immediate" },
      );
      keyring.dropOlder();
    },
  };
}

function insertKey(tx: Tx, secretKey: string, key: DataKey, createdAt: number): void {
  const salt = randomBytes(16);
  tx.insert(dataKeys)
    .values({ id: key.id, salt, wrapped: wrapDataKey(secretKey, salt, key), createdAt })
    .run();
}

function readKeys(tx: Tx, secretKey: string, previous: string | null, now: () => number): readonly DataKey[] {
  const stored = tx.select().from(dataKeys).orderBy(asc(dataKeys.id)).all();
  if (stored.length === 0) {
    const key: DataKey = { id: 1, bytes: randomBytes(32) };
    insertKey(tx, secretKey, key, now());
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
}

/** Whether each data key of that file opens with one of the secret keys. Changes nothing. */
export function keysOpen(sqlite: Database, secretKeys: readonly string[]): boolean {
  const rows = sqlite
    .query<{ id: number; salt: Uint8Array; wrapped: Uint8Array }, []>(
      "SELECT id, salt, wrapped FROM data_keys",
    )
    .all();
  return rows.every(({ id, salt, wrapped }) =>
    secretKeys.some((secretKey) => unwrapDataKey(secretKey, salt, id, wrapped) !== null),
  );
}

function wrongKey(hadPrevious: boolean): DatabaseOpenError {
  const tried = hadPrevious ? "Neither SECRET_KEY nor SECRET_KEY_PREVIOUS is" : "SECRET_KEY is not";
  return new DatabaseOpenError(
    "wrong_key",
    `${tried} the key that this database was written with; set SECRET_KEY to that key, or set SECRET_KEY_PREVIOUS to it in order to change the key.`,
  );
}
