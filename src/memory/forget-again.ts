import type { Database } from "bun:sqlite";
import { readOr } from "./damaged.ts";
import { hashOfPerson } from "./forgotten-people.ts";
import { placeOf, type RawRow, sealedTables } from "./sealed-columns.ts";
import type { Store } from "./store.ts";

/** Hashes of people in hexadecimal, and when they asked to be forgotten. */
export type ForgottenSince = ReadonlyMap<string, number>;

const ids = /(?<!\d)\d{15,20}(?!\d)/g;

/**
 * Puts those whom a restored database has again on its list of people to be forgotten, and ends their tokens at once.
 * Nobody knows their ids any more, so that every number in it that can be one is tried. Returns how many were found.
 */
export function forgetAgain(store: Store, since: ForgottenSince): number {
  if (since.size === 0) return 0;
  const found = new Map<string, number>();
  const tried = new Set<string>();
  for (const text of allTexts(store))
    for (const [id] of text.matchAll(ids)) {
      if (tried.has(id)) continue;
      tried.add(id);
      const at = since.get(Buffer.from(hashOfPerson(store, id)).toString("hex"));
      if (at !== undefined) found.set(id, at);
    }
  const { sqlite } = store;
  const wish = sqlite.prepare(
    `INSERT INTO erasures (kind, subject, stage, due_at, requested_at) VALUES ('user', ?, 'all', 0, ?)
     ON CONFLICT (kind, subject) DO UPDATE SET stage = 'all', due_at = 0`,
  );
  const revoke = sqlite.prepare(
    "UPDATE api_tokens SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL",
  );
  store.write(() => {
    for (const [id, at] of found) {
      wish.run(id, at);
      revoke.run(store.now(), id);
    }
  });
  return found.size;
}

/** Whatever stands in any column, opened where it is sealed. */
function* allTexts({ sqlite, encryption }: Store): Iterable<string> {
  for (const table of tablesOf(sqlite)) {
    const sealed = sealedTables.find((one) => one.table === table);
    const columns: readonly string[] = sealed?.columns ?? [];
    for (const row of sqlite.query<RawRow, []>(`SELECT * FROM "${table}"`).iterate())
      for (const [column, value] of Object.entries(row)) {
        if (typeof value === "string") yield value;
        if (sealed === undefined || !(value instanceof Uint8Array) || !columns.includes(column)) continue;
        const place = placeOf(sealed, column, row);
        yield readOr("", { table, row: String(place.row) }, () => encryption.open(place, value));
      }
  }
}

function tablesOf(sqlite: Database): readonly string[] {
  return sqlite
    .query<{ name: string }, []>(
      "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all()
    .map(({ name }) => name);
}
