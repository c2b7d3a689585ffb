import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { createPrivately } from "./connection.ts";
import { DatabaseOpenError, errorCode, toOpenError } from "./errors.ts";
import { throughLink } from "./files.ts";

/**
 * Makes sure that one process alone serves a database, by holding an exclusive transaction on the companion
 * file `<path>.lock` of the file itself, whatever links lead there: the operating system lets go of it however the process ends. Throws DatabaseOpenError
 * `already_serving`. Nothing else may open that file in this process (closing any descriptor of it would drop
 * the lock, https://www.sqlite.org/howtocorrupt.html section 2.2).
 */
export function acquireServeLock(path: string): Disposable {
  const lockPath = `${throughLink(path)}.lock`;
  let file: Database | undefined;
  try {
    mkdirSync(dirname(lockPath), { recursive: true, mode: 0o700 });
    // Whoever can read the file can lock it, and keep the service from starting.
    createPrivately(lockPath);
    file = new Database(lockPath, { create: true, readwrite: true });
    file.run("PRAGMA busy_timeout = 0");
    file.run("BEGIN EXCLUSIVE");
  } catch (error) {
    file?.close();
    if (errorCode(error).startsWith("SQLITE_BUSY"))
      throw new DatabaseOpenError(
        "already_serving",
        `Another discord-mcp already serves the database ${path}; stop it first, or name another file in DATABASE_URL.`,
        error,
      );
    throw toOpenError(error, path);
  }
  const held = file;
  let released = false;
  return {
    [Symbol.dispose]() {
      if (released) return;
      released = true;
      held.run("ROLLBACK");
      held.close();
    },
  };
}
