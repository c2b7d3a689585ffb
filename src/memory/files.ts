import { closeSync, existsSync, fsyncSync, lstatSync, openSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** What was written to a file, or which names a folder has, survives a power cut once this returns. */
export function syncToDisk(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What a path names where it is a link, so that a file is the same by each of its names. */
export function throughLink(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink && existsSync(path) ? realpathSync(path) : path;
}

/** Whether both name the same place in a folder, whether something is there or not. */
export function isSamePlace(path: string, other: string): boolean {
  return placeOf(path) === placeOf(other);
}

function placeOf(path: string): string {
  const folder = dirname(resolve(path));
  return join(existsSync(folder) ? realpathSync(folder) : folder, basename(path));
}
