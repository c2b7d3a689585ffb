import { dlopen, ptr } from "bun:ffi";
import { statSync } from "node:fs";

const rlimitFsize = 1;
const unlimited = 0xffff_ffff_ffff_ffffn;

/** The largest file that a process may write, in bytes: beyond it, writing fails as on a full disk. Linux only. */
export function limitFiles(pid: number, bytes: bigint): void {
  const library = dlopen("libc.so.6", {
    prlimit: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" },
  });
  const limits = new BigUint64Array([bytes, unlimited]);
  const failed = library.symbols.prlimit(pid, rlimitFsize, ptr(limits), null) !== 0;
  library.close();
  if (failed) throw new Error("The limit of files could not be set.");
}

export const unlimitFiles = (pid: number): void => limitFiles(pid, unlimited);

/** Does it while this process can make no file larger than that one is now, or than so many bytes. */
export async function withoutRoom(from: string | number, work: () => Promise<void>): Promise<void> {
  limitFiles(process.pid, BigInt(typeof from === "number" ? from : statSync(from).size));
  try {
    await work();
  } finally {
    unlimitFiles(process.pid);
  }
}
