import type { Database } from "bun:sqlite";
import { AppError } from "../errors.ts";
import type { DataKeys } from "./data-keys.ts";
import { sealedBy } from "./encryption.ts";
import { placeOf, type RawRow, type SealedTable, sealedTables } from "./sealed-columns.ts";
import type { StorageGuard } from "./storage-watch.ts";
import type { Store } from "./store.ts";

/** How far the change of the data key has come. */
export interface RotationProgress {
  /** Id of the key that all values are sealed with in the end. */
  readonly key: number;
  /** What is being worked on: a table, in the end the log. Null when all is done and the older keys are destroyed. */
  readonly table: string | null;
  /** Values that this process has sealed anew for that key. */
  readonly resealed: number;
  readonly finished: boolean;
}

export interface KeyRotation {
  /**
   * Goes on with the change of the data key for about `budgetMs`, beginning one where none is under way. `to` names
   * the key of an earlier answer, so that a change that is finished is not begun again; without it, an unfinished
   * change is gone on with. Everything stays readable at every moment, also to a process that is started after a
   * kill. Throws AppError when a stored value does not open; the older key is then kept.
   */
  rotate(to: number | null, budgetMs: number): Promise<RotationProgress>;
}

/** Rows that are read at once, and milliseconds that one transaction takes: so long the event loop stands still. */
const rowsAtOnce = 16;
const batchMs = 2;
/** Between batches, so that what is waiting goes first. */
const pauseMs = 5;
/** Between tries to empty a log that is in use: each waits for whoever reads it, and the event loop with it. */
const emptyingPauseMs = 500;
/** Rows that are looked at at once, when it is made sure that nothing is left. */
const rowsChecked = 1000;
/** What is worked on, where it is no table: whoever waits is told what for. */
const logInUse = "the log, which another process reads";
/** Before every row: a shard's row can have the number 0. */
const start = Number.MIN_SAFE_INTEGER;
/** After so many bytes the WAL is written back, which would otherwise be done all at once. */
const checkpointBytes = 256 * 1024;

interface Run {
  readonly key: number;
  phase: "sealing" | "checking" | "emptying";
  table: number;
  /** The last row that was looked at. */
  rowid: number;
  unwritten: number;
}

export function createKeyRotation(
  store: Store,
  keys: DataKeys,
  { guard }: Pick<StorageGuard, "guard">,
): KeyRotation {
  const { keyring } = keys;
  const readers = sealedTables.map((sealed) => createReader(store.sqlite, sealed));
  let run: Run | null = null;
  let resealed = 0;
  let before: Promise<unknown> = Promise.resolve();

  const begin = (): Run => {
    const isUnderWay = keyring.ids.length > 1;
    const key = isUnderWay ? keyring.newest : guard(() => keys.addNext());
    return { key, phase: "sealing", table: 0, rowid: start, unwritten: 0 };
  };

  /** Values of the table under work, until its end or for `batchMs`. */
  function sealBatch(at: Run): void {
    const reader = readers[at.table];
    if (reader === undefined) return;
    store.writeUnsynced(() => {
      const until = performance.now() + batchMs;
      for (;;) {
        const rows = reader.after(at.rowid, rowsAtOnce);
        for (const row of rows) {
          const written = resealRow(store, reader, row);
          resealed += written.values;
          at.unwritten += written.bytes;
          at.rowid = rowidOf(row);
          if (performance.now() > until) return;
        }
        if (rows.length < rowsAtOnce) return nextTable(at);
      }
    });
    if (at.unwritten < checkpointBytes) return;
    guard(() => store.sqlite.run("PRAGMA wal_checkpoint(PASSIVE)"));
    at.unwritten = 0;
  }

  /** New values are sealed with the newest key, so nothing is left; but what is destroyed cannot be got back. */
  function checkBatch(at: Run): void {
    const reader = readers[at.table];
    if (reader === undefined) return;
    const { rows, last, isLeft } = reader.olderThan(at.key, at.rowid, rowsChecked);
    if (isLeft) Object.assign(at, { phase: "sealing", table: 0, rowid: start });
    else if (last === null || rows < rowsChecked) nextTable(at);
    else at.rowid = last;
  }

  /** The log holds the older keys, too, wrapped as they were. False while somebody else reads it. */
  function emptyLog(): boolean {
    const row = guard(() =>
      store.sqlite.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get(),
    );
    return row?.busy === 0;
  }

  /** True when the older keys are gone. */
  function advance(at: Run): boolean {
    const isThrough = at.table === readers.length;
    if (at.phase === "emptying") return emptyLog();
    if (at.phase === "sealing" && !isThrough) sealBatch(at);
    else if (at.phase === "sealing") Object.assign(at, { phase: "checking", table: 0, rowid: start });
    else if (!isThrough) checkBatch(at);
    else {
      guard(() => keys.destroyOlder());
      at.phase = "emptying";
      return emptyLog();
    }
    return false;
  }

  async function rotate(to: number | null, budgetMs: number): Promise<RotationProgress> {
    const finished = { key: keyring.newest, table: null, resealed, finished: true };
    if (to !== null && to > keyring.newest) throw unknownKey(to);
    if (to !== null && run === null && keyring.ids.length === 1) return finished;
    if (run === null) {
      run = begin();
      resealed = 0;
    }
    const until = performance.now() + budgetMs;
    do {
      if (advance(run)) {
        run = null;
        return { ...finished, key: keyring.newest, resealed };
      }
      await Bun.sleep(run.phase === "emptying" ? emptyingPauseMs : pauseMs);
    } while (performance.now() < until);
    const table = run.phase === "emptying" ? logInUse : (sealedTables[run.table]?.table ?? null);
    return { key: run.key, table, resealed, finished: false };
  }

  return {
    rotate(to, budgetMs) {
      const result = before.then(() => rotate(to, budgetMs));
      before = result.catch(() => {});
      return result;
    },
  };
}

const nextTable = (at: Run): void => void Object.assign(at, { table: at.table + 1, rowid: start });

interface Reader {
  readonly sealed: SealedTable;
  after(rowid: number, limit: number): readonly RawRow[];
  /** Of at most `limit` rows: how many there are, the last one's number, and whether one has an older key. */
  olderThan(
    key: number,
    rowid: number,
    limit: number,
  ): { readonly rows: number; readonly last: number | null; readonly isLeft: boolean };
  update(rowid: number, column: string, value: Uint8Array): void;
}

function createReader(sqlite: Database, sealed: SealedTable): Reader {
  const { table, key, columns } = sealed;
  const names = [...key, ...columns].map((name) => `"${name}"`).join(", ");
  const select = sqlite.prepare<RawRow, [number, number]>(
    `SELECT rowid AS "rowid", ${names} FROM "${table}" WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  );
  const isOlder = columns.map((name) => `substr("${name}", 2, 2) <> unhex(?1)`).join(" OR ");
  const heads = sqlite.prepare<
    { rows: number; last: number | null; older: number | null },
    [string, number, number]
  >(
    `SELECT count(*) AS rows, max(at) AS last, max(older) AS older FROM (SELECT rowid AS at, (${isOlder}) AS older FROM "${table}" WHERE rowid > ?2 ORDER BY rowid LIMIT ?3)`,
  );
  const updates = new Map(
    columns.map((name) => [name, sqlite.prepare(`UPDATE "${table}" SET "${name}" = ? WHERE rowid = ?`)]),
  );
  return {
    sealed,
    after: (rowid, limit) => select.all(rowid, limit),
    olderThan(id, rowid, limit) {
      const found = heads.get(id.toString(16).padStart(4, "0"), rowid, limit);
      return { rows: found?.rows ?? 0, last: found?.last ?? null, isLeft: found?.older === 1 };
    },
    update: (rowid, column, value) => void updates.get(column)?.run(value, rowid),
  };
}

function rowidOf(row: RawRow): number {
  const { rowid } = row;
  if (typeof rowid !== "number") throw new Error("A row has no number.");
  return rowid;
}

function resealRow(
  { encryption }: { readonly encryption: Store["encryption"] },
  reader: Reader,
  row: RawRow,
): { readonly values: number; readonly bytes: number } {
  let values = 0;
  let bytes = 0;
  for (const column of reader.sealed.columns) {
    const value = row[column];
    if (!(value instanceof Uint8Array)) continue;
    const place = placeOf(reader.sealed, column, row);
    let sealed: Uint8Array | null;
    try {
      sealed = encryption.reseal(place, value);
    } catch (error) {
      throw unreadable(place, sealedBy(value), error);
    }
    if (sealed === null) continue;
    reader.update(rowidOf(row), column, sealed);
    values += 1;
    bytes += sealed.length;
  }
  return { values, bytes };
}

function unknownKey(id: number): AppError {
  return new AppError("invalid_data", `There is no data key ${id}; run the command again from the start.`);
}

function unreadable(
  { table, column, row }: { readonly table: string; readonly column: string; readonly row: string | number },
  key: number,
  cause: unknown,
): AppError {
  return new AppError(
    "internal_error",
    `The value in ${table}.${column} of row ${row} does not open with data key ${key}: it was changed from outside. Nothing is lost and the older key is kept; restore a backup, or delete that row, and rotate again.`,
    { cause },
  );
}
