#!/usr/bin/env bun
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { forMoreRequests } from "./cli/many-requests.ts";
import { run } from "./cli/run.ts";
import { lastWords } from "./log.ts";

/** The process's edge: the only file that touches `process`'s arguments, streams, signals and exit. */
const self = Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main];
const args = process.argv.slice(2);
const env = forMoreRequests(args, process.env);
// The same process begins anew; where that cannot be, turns and Discord share what there is.
if (env !== null) process.execve?.(process.execPath, [...self, ...args], env);

// What is under way cannot be relied upon then.
for (const kind of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(kind, (error: unknown) => {
    try {
      writeSync(process.stderr.fd, lastWords(error));
    } finally {
      process.exit(1);
    }
  });
}

const stop = new AbortController();
const hurry = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => (stop.signal.aborted ? hurry : stop).abort(signal));
}
// A reader that goes away (`discord-mcp … | head`) is no fault of ours.
process.stdout.on("error", () => stop.abort("EPIPE"));

const code = await run(args, {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  lines: () => createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }),
  bytes: () => Bun.stdin.stream(),
  written: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  self,
  stop: stop.signal,
  hurry: hurry.signal,
});
process.exit(code);
