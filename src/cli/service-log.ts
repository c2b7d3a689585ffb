import { closeSync, constants, fchmodSync, lstatSync, openSync, renameSync, writeSync } from "node:fs";

const maxBytes = 5 * 1024 * 1024;

/**
 * A log file for a service that nobody watches, readable by its owner alone. When it is full it becomes
 * `<path>.1`, in place of the one before. A line that cannot be written is lost: the service goes on.
 */
export function createServiceLog(path: string): (line: string) => void {
  let bytes: number | null = null;
  return (line) => {
    try {
      bytes ??= sizeOf(path);
      if (bytes > maxBytes) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      append(path, line);
      bytes += Buffer.byteLength(line);
    } catch {
      bytes = null;
    }
  };
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

/** Never through a link that somebody has laid there, whose target would be written to and closed to others. */
function append(path: string, line: string): void {
  const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    fchmodSync(file, 0o600);
    writeSync(file, line);
  } finally {
    closeSync(file);
  }
}

function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
