import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Resident memory of a process in bytes, as Linux counts it. */
export async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`no resident memory is told of process ${pid}`);
  return Number(kib) * 1024;
}

/**
 * Of this process, after what is garbage has been collected and a moment in which the allocator gives it back. One of
 * Node has to be started with --expose-gc.
 */
export async function residentBytes(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    if (typeof Bun === "undefined") globalThis.gc?.();
    else Bun.gc(true);
    await sleep(200);
  }
  return residentOf(process.pid);
}

/** Processor time that this process has used, of its helper threads too. */
export function processor(): { readonly ms: number } {
  const { user, system } = process.cpuUsage();
  return { ms: (user + system) / 1000 };
}
