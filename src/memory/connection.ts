import { Database } from "bun:sqlite";
import { accessSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { type BunSQLiteDatabase, drizzle } from "drizzle-orm/bun-sqlite";
import { DatabaseOpenError, errorCode, toOpenError } from "./errors.ts";
import { migrate, pragma } from "./migrations.ts";

export type Db = BunSQLiteDatabase;
export type Tx = Parameters<Parameters<Db["transaction"]>[0]>[0];

/** Up to this size the whole file is checked at each opening; a larger one only by `discord-mcp doctor`. */
const checkedBytes = 16 * 1024 * 1024;

/** A waiting writer stops the event loop, so it must not wait for long. */
const busyTimeoutMs = 50;

export interface Connection {
  readonly sqlite: Database;
  readonly db: Db;
}

/**
 * Opens or creates the file, sets it up for durable writes and brings its schema up to date.
 * Throws DatabaseOpenError.
 */
export function connect(path: string, onQuery?: (sql: string) => void): Connection {
  let sqlite: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    createPrivately(path);
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    sqlite = new Database(path, { create: true, readwrite: true, strict: true });
    sqlite.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    checkWritable(sqlite);
    checkIntact(sqlite, path);
    sqlite.run("PRAGMA trusted_schema = OFF");
    sqlite.run("PRAGMA synchronous = FULL");
    // What is deleted is overwritten, and not only forgotten.
    sqlite.run("PRAGMA secure_delete = ON");
    migrate(sqlite, path);
    sqlite.run("PRAGMA journal_mode = WAL");
    sqlite.run("PRAGMA wal_autocheckpoint = 4000");
    sqlite.run("PRAGMA journal_size_limit = 67108864");
    sqlite.run("PRAGMA cache_size = -16000");
    sqlite.run("PRAGMA temp_store = MEMORY");
    const logger = onQuery === undefined ? false : { logQuery: onQuery };
    return { sqlite, db: drizzle(sqlite, { logger }) };
  } catch (error) {
    sqlite?.close();
    throw toOpenError(error, path);
  }
}

/** SQLite would make it readable to all; its WAL takes the mode of the file. Never opens a file that is there. */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** SQLite opens a file that it may not write without a word, and would fail only at the first message. */
function checkWritable(sqlite: Database): void {
  sqlite.run("BEGIN IMMEDIATE");
  try {
    sqlite.run(`PRAGMA user_version = ${pragma(sqlite, "user_version")}`);
  } finally {
    if (sqlite.inTransaction) sqlite.run("ROLLBACK");
  }
}

function checkIntact(sqlite: Database, path: string): void {
  if (pragma(sqlite, "page_count") * pragma(sqlite, "page_size") > checkedBytes) return;
  const fault = quickCheck(sqlite);
  if (fault !== null)
    throw new DatabaseOpenError(
      "corrupt",
      `The database ${path} is damaged (${fault}); restore it from a backup.`,
    );
}

/** The first fault that SQLite finds, on one line, or null. Reads the whole file. */
export function quickCheck(sqlite: Database): string | null {
  const row = sqlite.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
  return row === null || row.quick_check === "ok"
    ? null
    : row.quick_check.replaceAll(/\s+/g, " ").slice(0, 200);
}
