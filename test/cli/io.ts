import { resolve } from "node:path";
import { run } from "../../src/cli/run.ts";

/** Runs a command line as the process would, and gives what it printed. */
export async function command(
  args: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = "";
  let err = "";
  const idle = new AbortController().signal;
  const code = await run(args, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    interactive: false,
    lines: async function* () {},
    bytes: async function* () {},
    written: async (text) => {
      out += text;
    },
    self: [process.execPath, resolve(import.meta.dir, "../../src/main.ts")],
    stop: idle,
    hurry: idle,
  });
  return { code, out, err };
}
