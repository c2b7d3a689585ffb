import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../errors.ts";
import { isSamePlace, throughLink } from "./files.ts";

export interface Target {
  /** The file that is to be made. */
  readonly to: string;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  readonly databasePath: string;
}

/** Beside the database: what it consists of, and what would be lost for good, or could not be come by again. */
const ofDatabase = ["", "-wal", "-shm", "-journal", ".lock", ".restoring"];
const besideIt = ["secret-key", "secret-key.next", "operator-token", "control.sock"];

/**
 * Makes sure that a file can be put there without losing anything: a new one, or, where that is asked for, in the place
 * of an ordinary file that is not the service's own. Throws AppError `invalid_arguments`.
 */
export function assertTarget({ to, force, databasePath }: Target): void {
  if (to === "") throw refused("The name of the file is empty; name one.");
  const folder = dirname(resolve(to));
  if (!existsSync(folder)) throw refused(`There is no folder ${folder}; make it first.`);
  const named = resolve(databasePath);
  const own = [
    ...ofDatabase.flatMap((end) => [`${throughLink(named)}${end}`, `${named}${end}`]),
    ...besideIt.map((name) => join(dirname(named), name)),
  ];
  if (own.some((path) => isSamePlace(path, to)))
    throw refused(`${to} belongs to the database of the service; name another file.`);
  if (lstatSync(to, { throwIfNoEntry: false }) === undefined) return;
  if (statSync(to, { throwIfNoEntry: false })?.isFile() !== true)
    throw refused(`${to} is a folder, or no ordinary file; name a file.`);
  if (!force) throw alreadyThere(to);
}

export const alreadyThere = (to: string): AppError =>
  refused(`${to} is there already; name another file, or give --force to replace it.`);

const refused = (sentence: string): AppError => new AppError("invalid_arguments", sentence);
