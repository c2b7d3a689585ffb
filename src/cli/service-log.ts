import { appendFileSync, chmodSync, renameSync, statSync } from "node:fs";

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
      appendFileSync(path, line, { mode: 0o600 });
      if (bytes === 0) chmodSync(path, 0o600);
      bytes += Buffer.byteLength(line);
    } catch {
      bytes = null;
    }
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
