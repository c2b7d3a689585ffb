import type { Database } from "bun:sqlite";
import { type Stats, statSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import { errorCode } from "./errors.ts";
import { pragma } from "./migrations.ts";

const log = getLogger(["discord-mcp", "memory"]);

/** What SQLite says when the disk takes no more, or nothing any more. */
const faults = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/;
const retryAfterMs = 30_000;

/** Knows whether what is written arrives. */
export interface StorageWatch {
  readonly isFailing: boolean;
  /** Whether another file has been put in the place of the database, whose writes would be lost. */
  isReplaced(): boolean;
  /** Tries whether there is room again. True when there is, and was not the last time. */
  recovers(): boolean;
}

export interface StorageGuard extends StorageWatch {
  /**
   * Runs a write. Throws AppError `storage_unavailable` when the disk does not take it, or when the file is not the
   * one that was opened: nothing of it is stored then.
   */
  guard<T>(write: () => T): T;
}

export function createStorageGuard(sqlite: Database, path: string): StorageGuard {
  const opened = identity(path);
  let isFailing = false;

  const isReplaced = () => identity(path) !== opened;

  function guard<T>(write: () => T): T {
    if (isReplaced()) throw replaced(path);
    try {
      return write();
    } catch (error) {
      if (!faults.test(errorCode(error))) throw error;
      if (!isFailing) log.error(sentence(path), { code: errorCode(error) });
      isFailing = true;
      throw new AppError(
        "storage_unavailable",
        "Nothing can be stored just now, so nothing was done: the disk of this service is full or fails. Try again in a few minutes.",
        { retryAfterMs, cause: error },
      );
    }
  }

  return {
    guard,
    get isFailing() {
      return isFailing;
    },
    isReplaced,
    recovers() {
      if (!isFailing) return false;
      try {
        // Writes a page, and changes nothing.
        sqlite.run(`PRAGMA user_version = ${pragma(sqlite, "user_version")}`);
      } catch {
        return false;
      }
      isFailing = false;
      log.info("there is room in the database again", { path });
      return true;
    },
  };
}

function replaced(path: string): AppError {
  log.error(
    "the database {path} was moved, removed or replaced while it was in use: stop the service, put the file that you want in its place, and start it again",
    { path },
  );
  return new AppError(
    "storage_unavailable",
    "Nothing can be stored: the database of this service was moved or replaced while it runs. Whoever runs it has to restart it.",
    { retryAfterMs },
  );
}

const sentence = (path: string): string =>
  `nothing can be written to the database ${path}: make room on its disk, or see that it can be written; no restart is needed`;

function identity(path: string): string {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "gone" : `${stats.dev}:${stats.ino}`;
}
