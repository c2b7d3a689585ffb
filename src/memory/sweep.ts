import type { SQLQueryBindings } from "bun:sqlite";
import type { RawRow } from "./sealed-columns.ts";
import type { Store } from "./store.ts";

/** Rows of one window: what a window reads, opens and writes must not stop the event loop for long. */
const windowRows = 50;

/** A value of a query; named in it as `$name`. */
export type Values = Readonly<Record<string, string | number | null>>;

/**
 * Goes over a whole table in the order of its row ids, a window at a time, and lets others go first in between. `query`
 * gives the rows that matter between `$low` (not itself) and `$high`; `change` works on them in a transaction. A
 * process that is killed begins anew: what was changed does not matter any more.
 */
export async function sweep(
  store: Store,
  table: string,
  query: string,
  values: Values,
  change: (rows: readonly RawRow[]) => void,
): Promise<void> {
  const { sqlite } = store;
  const windows = sqlite.prepare<{ high: number | null }, [number, number]>(
    `SELECT max(rowid) AS high FROM (SELECT rowid FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ?)`,
  );
  const matching = sqlite.prepare<RawRow, SQLQueryBindings[]>(query);
  for (let low = Number.MIN_SAFE_INTEGER; ; ) {
    const high = windows.get(low, windowRows)?.high ?? null;
    if (high === null) return;
    const rows = matching.all({ ...values, low, high });
    if (rows.length > 0) store.write(() => change(rows));
    low = high;
    await afterOthers();
  }
}

/** Resolves when whatever else is due has had its turn. */
export const afterOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
