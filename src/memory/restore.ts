import { Database } from "bun:sqlite";
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { AppError } from "../errors.ts";
import { carryOver, isOurs, passOver } from "./carry-over.ts";
import { integrityFault } from "./check.ts";
import { connect, createPrivately } from "./connection.ts";
import { keysOpen, loadDataKeys } from "./data-keys.ts";
import { DatabaseOpenError, errorCode, toOpenError } from "./errors.ts";
import { isSamePlace, syncToDisk, throughLink } from "./files.ts";
import { forgetAgain } from "./forget-again.ts";
import { checkOwner } from "./migrations.ts";
import { type Settled, settleRestored } from "./settle-restored.ts";
import { createStorageGuard } from "./storage-watch.ts";
import { createStore } from "./store.ts";

export interface RestoreOptions {
  /** The backup, which is left as it is. */
  readonly from: string;
  /** Where the database is to be. The caller holds its serve lock. */
  readonly path: string;
  readonly secretKey: string;
  readonly secretKeyPrevious: string | null;
  readonly now: () => number;
}

export interface Restored {
  /** Where the database that was there before lies now; null when there was none. */
  readonly kept: string | null;
  /** Whether what was answered and revoked since the backup could be taken over from it. */
  readonly isCarriedOver: boolean;
  /** How many people were forgotten since the backup: the next start of the service forgets them again. */
  readonly forgottenAgain: number;
  /** What was unfinished in the backup and has been ended. */
  readonly ended: Settled;
}

/**
 * Puts a backup in the place of the database, which is kept beside it. The backup is checked and made ready under
 * another name first, so that at every moment one whole database is in place. Throws AppError for a backup that
 * cannot be used; nothing has been changed then.
 */
export function restoreDatabase(given: RestoreOptions): Restored {
  const options = { ...given, path: throughLink(given.path) };
  const { from, path, now } = options;
  const temporary = `${path}.restoring`;
  if (isSamePlace(throughLink(from), temporary))
    throw new AppError(
      "invalid_arguments",
      `${from} is the name that a restoration works under, and may be half of one; name a backup, or rename this file first if it is one.`,
    );
  removeAll(temporary);
  try {
    take(from, path, temporary);
    assertUsable(from, temporary, options);
    const present = settlePresent(path);
    const prepared = prepare(temporary, present, options);
    syncToDisk(temporary);
    const kept = existsSync(path) ? keep(path, now()) : null;
    // A log that is left belongs to the old file, and would be played into the new one.
    for (const end of ["-wal", "-shm", "-journal"]) rmSync(`${path}${end}`, { force: true });
    renameSync(temporary, path);
    syncToDisk(dirname(resolve(path)));
    return { kept, ...prepared };
  } finally {
    removeAll(temporary);
  }
}

function removeAll(path: string): void {
  for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(`${path}${end}`, { force: true });
}

/** Throws AppError `invalid_arguments` where there is no such file, or something else. */
export function assertBackup(from: string): void {
  const found = statSync(from, { throwIfNoEntry: false });
  if (found?.isFile()) return;
  const what =
    found === undefined ? `There is no file "${from}"` : `${from} is a folder, or no ordinary file`;
  throw new AppError("invalid_arguments", `${what}; name one that discord-mcp backup has made.`);
}

/** Copies the backup, with the log that a plain copy of a database in use can have beside it. */
function take(from: string, path: string, temporary: string): void {
  assertBackup(from);
  if (existsSync(path) && realpathSync(from) === realpathSync(path))
    throw new AppError("invalid_arguments", `${from} is the database itself; name a backup.`);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    for (const end of ["", "-wal"]) {
      if (!existsSync(`${from}${end}`)) continue;
      createPrivately(`${temporary}${end}`);
      copyFileSync(`${from}${end}`, `${temporary}${end}`, constants.COPYFILE_FICLONE);
      chmodSync(`${temporary}${end}`, 0o600);
    }
  } catch (error) {
    throw new AppError(
      "internal_error",
      `${from} cannot be copied to ${dirname(path)} (${errorCode(error) || "no reason given"}); nothing has been changed. There must be room for it, and this user must be able to read the one and write the other.`,
      { cause: error },
    );
  }
}

function assertUsable(from: string, temporary: string, options: RestoreOptions): void {
  const { secretKey, secretKeyPrevious } = options;
  let copied: Database | undefined;
  try {
    copied = new Database(temporary, { readwrite: true, create: false, strict: true });
    copied.run("PRAGMA trusted_schema = OFF");
    const fault = integrityFault(copied);
    if (fault !== null) throw damaged(from, fault);
    if (checkOwner(copied, from) === 0)
      throw new AppError(
        "invalid_arguments",
        `${from} is empty; name a file that discord-mcp backup has made.`,
      );
    const known = secretKeyPrevious === null ? [secretKey] : [secretKey, secretKeyPrevious];
    if (!keysOpen(copied, known))
      throw new DatabaseOpenError(
        "wrong_key",
        `The present secret key does not open ${from}; nothing has been changed. Set SECRET_KEY to the key that was in use when the backup was made, or put that secret-key file back, and restore again.`,
      );
  } catch (error) {
    throw ofBackup(error, from);
  } finally {
    copied?.close();
  }
}

const damaged = (from: string, fault: string) =>
  new DatabaseOpenError(
    "corrupt",
    `The backup ${from} is damaged (${fault}); nothing has been changed. Restore another one.`,
  );

/** The sentences of opening speak of the database in use. */
function ofBackup(error: unknown, from: string): Error {
  if (error instanceof AppError) return error;
  const known = toOpenError(error, from);
  switch (known.problem) {
    case "not_a_database":
    case "foreign":
      return new DatabaseOpenError(
        known.problem,
        `${from} is not a backup of discord-mcp (or is damaged from its first page on); nothing has been changed.`,
        error,
      );
    case "newer_schema":
      return new DatabaseOpenError(
        "newer_schema",
        `The backup ${from} was made by a newer version of discord-mcp; nothing has been changed. Install that version and restore it there, or restore an older backup.`,
        error,
      );
    case "corrupt":
      return error instanceof DatabaseOpenError ? error : damaged(from, "SQLite cannot read it");
    default:
      return known;
  }
}

/** Writes the present database's log into it. False when it is missing or cannot be read. */
function settlePresent(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    using present = new Database(path, { readwrite: true, create: false, strict: true });
    present.run("PRAGMA trusted_schema = OFF");
    if (!isOurs(present, path)) return false;
    present.run("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  } catch {
    return false;
  }
}

function prepare(
  temporary: string,
  isPresentReadable: boolean,
  { path, secretKey, secretKeyPrevious, now }: RestoreOptions,
): Omit<Restored, "kept"> {
  const connection = connect(temporary);
  const { sqlite, db } = connection;
  try {
    const { keyring } = loadDataKeys(db, secretKey, secretKeyPrevious, now);
    const store = createStore(connection, keyring, now, 0, createStorageGuard(sqlite, temporary));
    const ended = settleRestored(store);
    const since = isPresentReadable ? carryOver(sqlite, path) : null;
    if (since === null) passOver(sqlite, now());
    const forgottenAgain = since === null ? 0 : forgetAgain(store, since);
    sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite.run("PRAGMA journal_mode = DELETE");
    return { ended, isCarriedOver: since !== null, forgottenAgain };
  } finally {
    sqlite.close();
  }
}

/** Gives the present database a second name, so that it is in place until the other one is. */
function keep(path: string, now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  let kept = `${path}.before-restore-${time}`;
  for (let n = 2; existsSync(kept); n++) kept = `${path}.before-restore-${time}-${n}`;
  for (const end of ["-wal", ""]) {
    if (!existsSync(`${path}${end}`)) continue;
    try {
      linkSync(`${path}${end}`, `${kept}${end}`);
    } catch {
      // A file system without links.
      copyFileSync(`${path}${end}`, `${kept}${end}`, constants.COPYFILE_EXCL);
    }
  }
  syncToDisk(dirname(resolve(path)));
  return kept;
}
