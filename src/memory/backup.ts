import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import { integrityFault } from "./check.ts";
import { createPrivately } from "./connection.ts";
import { keysOpen } from "./data-keys.ts";
import { DatabaseOpenError, errorCode, toOpenError } from "./errors.ts";
import { syncToDisk } from "./files.ts";
import { checkOwner, pragma } from "./migrations.ts";
import { syncSteadily } from "./steady-sync.ts";
import { alreadyThere, assertTarget } from "./target.ts";

const log = getLogger(["discord-mcp", "memory"]);

export interface BackupOptions {
  /** The database, which may be in use meanwhile. */
  readonly path: string;
  /** The file that is made: whole, or not at all. */
  readonly to: string;
  /** Replaces a file that is there. */
  readonly force: boolean;
  /** What may open the data keys: the copy is useless without. */
  readonly secretKeys: readonly string[];
}

export interface Backup {
  readonly bytes: number;
  readonly schemaVersion: number;
}

const leftOverMs = 60 * 60_000;

/** How long it waits for a service that is just starting, milliseconds. */
const busyTimeoutMs = 10_000;

/**
 * Copies a database as it is at one moment, and checks the copy. It is made by a reader of its own, in the process of
 * whoever asks for it: the service goes on writing meanwhile. What was deleted is not in the copy. Throws
 * DatabaseOpenError for a database that cannot be read, and AppError for a file that cannot be made.
 */
export async function backupDatabase(options: BackupOptions): Promise<Backup> {
  const { path, to, force, secretKeys } = options;
  if (!existsSync(path))
    throw new DatabaseOpenError(
      "cannot_open",
      `There is no database ${path} yet; is DATABASE_URL that of the service?`,
    );
  assertTarget({ to, force, databasePath: path });
  removeLeftOver(to);
  const temporary = `${to}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await copy(path, temporary);
    const schemaVersion = checkCopy(temporary, secretKeys);
    syncToDisk(temporary);
    put(temporary, to, force);
    syncToDisk(dirname(resolve(to)));
    return { bytes: statSync(to).size, schemaVersion };
  } finally {
    for (const end of ["", "-journal", "-wal", "-shm"]) remove(`${temporary}${end}`);
  }
}

/** Of backups to that file that were killed long ago: one that is under way writes all the time. */
function removeLeftOver(to: string): void {
  const target = resolve(to);
  const isTemporary = /^\.[0-9a-f]{12}\.tmp(-journal|-wal|-shm)?$/;
  for (const name of namesIn(dirname(target))) {
    const path = join(dirname(target), name);
    if (!path.startsWith(target) || !isTemporary.test(path.slice(target.length))) continue;
    const { mtimeMs } = lstatSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.POSITIVE_INFINITY };
    if (mtimeMs < Date.now() - leftOverMs) remove(path);
  }
}

/** None of a folder that may be written and not read. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Why a backup failed must not be hidden by what then cannot be removed. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    log.warn("a temporary file could not be removed", { path, error });
  }
}

async function copy(path: string, temporary: string): Promise<void> {
  let source: Database | undefined;
  try {
    source = new Database(path, { readonly: true, strict: true });
    source.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    source.run("PRAGMA trusted_schema = OFF");
    if (checkOwner(source, path) === 0)
      throw new DatabaseOpenError(
        "cannot_open",
        `The database ${path} is empty; there is nothing to back up.`,
      );
  } catch (error) {
    source?.close();
    throw toOpenError(error, path);
  }
  try {
    createPrivately(temporary);
    using _steady = await syncSteadily(temporary);
    source.run("VACUUM INTO ?", [temporary]);
  } catch (error) {
    if (errorCode(error).startsWith("SQLITE_CORRUPT")) throw toOpenError(error, path);
    throw unwritable(temporary, error);
  } finally {
    source.close();
  }
}

function unwritable(path: string, error: unknown): AppError {
  const code = errorCode(error);
  const full = ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "ENOSPC", "EFBIG", "EDQUOT"].includes(code);
  const why = full ? "there is no room for it" : (error instanceof Error && error.message) || String(error);
  return new AppError(
    "internal_error",
    `The backup cannot be written to ${dirname(resolve(path))} (${why}); nothing is left of it. Make room there, or name a file in another folder that this user can write.`,
    { cause: error },
  );
}

function checkCopy(temporary: string, secretKeys: readonly string[]): number {
  using copied = new Database(temporary, { readonly: true, strict: true });
  const fault = integrityFault(copied);
  if (fault !== null)
    throw new AppError(
      "internal_error",
      `The copy is damaged (${fault}) and was removed; check the disk, and try again.`,
    );
  if (!keysOpen(copied, secretKeys))
    throw new DatabaseOpenError(
      "wrong_key",
      "SECRET_KEY here is not the key that this database is sealed with, so the copy could not be checked and was removed; run this with the configuration of the service.",
    );
  return pragma(copied, "user_version");
}

/** A link is made exclusively, so that a file which came meanwhile is not replaced. */
function put(temporary: string, to: string, force: boolean): void {
  if (!force && link(temporary, to)) return;
  renameSync(temporary, to);
}

/** False on a file system without links. */
function link(temporary: string, to: string): boolean {
  try {
    linkSync(temporary, to);
    return true;
  } catch {
    if (existsSync(to)) throw alreadyThere(to);
    return false;
  }
}
