import { closeSync, fsyncSync, openSync } from "node:fs";

/** What was written to a file, or which names a folder has, survives a power cut once this returns. */
export function syncToDisk(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
