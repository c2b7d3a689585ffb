import { Database } from "bun:sqlite";
import { DatabaseOpenError, toOpenError } from "./errors.ts";
import { checkOwner } from "./migrations.ts";
import { sealedTables } from "./sealed-columns.ts";

/** A data key, and what is sealed with it. */
export interface KeyCount {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** By table, where there are any. */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Counts what is sealed with which data key, newest key last. Reads all of the file and changes nothing, so it may be
 * called while another process serves it. The key of look-ups is not among them. Throws DatabaseOpenError.
 */
export function countKeys(path: string): readonly KeyCount[] {
  let sqlite: Database | undefined;
  try {
    sqlite = new Database(path, { readonly: true, strict: true });
    sqlite.run("PRAGMA trusted_schema = OFF");
    if (checkOwner(sqlite, path) === 0)
      throw new DatabaseOpenError("cannot_open", `The database ${path} is empty: it has no keys yet.`);
    const reader = sqlite;
    const counts = new Map(
      sealedTables.map(({ table, columns }) => [table, countTable(reader, table, columns)]),
    );
    return reader
      .query<{ id: number; createdAt: number }, []>(
        "SELECT id, created_at AS createdAt FROM data_keys WHERE id > 0 ORDER BY id",
      )
      .all()
      .map(({ id, createdAt }) => ({
        id,
        createdAt,
        values: Object.fromEntries(
          [...counts].map(([table, keys]) => [table, keys.get(id) ?? 0] as const).filter(([, n]) => n > 0),
        ),
      }));
  } catch (error) {
    throw toOpenError(error, path);
  } finally {
    sqlite?.close();
  }
}

/** Values by key. A table that an older version does not have yet has none. */
function countTable(
  sqlite: Database,
  table: string,
  columns: readonly string[],
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const isThere =
    sqlite.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== null;
  if (!isThere) return counts;
  for (const column of columns) {
    const rows = sqlite
      .query<{ key: string; n: number }, []>(
        `SELECT hex(substr("${column}", 2, 2)) AS key, count(*) AS n FROM "${table}" WHERE "${column}" IS NOT NULL GROUP BY 1`,
      )
      .all();
    for (const { key, n } of rows) {
      const id = Number.parseInt(key, 16);
      counts.set(id, (counts.get(id) ?? 0) + n);
    }
  }
  return counts;
}
