import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseOpenError } from "../../src/memory/errors.ts";
import { acquireServeLock } from "../../src/memory/serve-lock.ts";
import { folder, newTurn } from "./helpers.ts";

const child = (what: string, path: string) =>
  Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), what, path], {
    stdout: "pipe",
    stderr: "inherit",
  });

test("what was committed is there after a SIGKILL, to the state of each tool call", async () => {
  using at = folder();
  const process = child("write-and-die", at.path);
  await process.exited;
  expect(process.signalCode).toBe("SIGKILL");

  using memory = at.open();
  const unfinished = await memory.turns.unfinished();
  expect(unfinished.map(({ text, state, starts }) => ({ text, state, starts }))).toEqual([
    { text: "the second question", state: "running", starts: 1 },
  ]);
  const turn = unfinished[0];
  if (turn === undefined) throw new Error("the turn is gone");
  const steps = await memory.turns.steps(turn.id);
  expect(steps[0]?.toolCalls).toEqual([
    { toolUseId: "call", toolName: "tool", input: { x: 1 }, state: "running", result: null, sources: [] },
  ]);
  const history = await memory.history.load(turn.conversationId, 0);
  expect(history.turns).toHaveLength(1);
  expect((await memory.turns.accept(newTurn({ discordMessageId: "1" }), 8)).status).toBe("duplicate");
  expect((await memory.turns.accept(newTurn({ discordMessageId: "2" }), 8)).status).toBe("duplicate");
  expect((await memory.turns.begin(turn.id))?.starts).toBe(2);
});

const isServing = (error: unknown) =>
  error instanceof DatabaseOpenError && error.problem === "already_serving";

test("a second lock is refused until the first is let go", () => {
  using at = folder();
  const first = acquireServeLock(at.path);
  expect(() => acquireServeLock(at.path)).toThrow("already serves");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  using _second = acquireServeLock(at.path);
});

test("the lock of a killed process is free again", async () => {
  using at = folder();
  const holder = child("hold-lock", at.path);
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  expect(new TextDecoder().decode(value)).toBe("held\n");
  let refused: unknown;
  try {
    acquireServeLock(at.path)[Symbol.dispose]();
  } catch (error) {
    refused = error;
  }
  expect(isServing(refused)).toBe(true);
  holder.kill("SIGKILL");
  await holder.exited;
  using _lock = acquireServeLock(at.path);
});

test("the serve lock's files are for the owner alone, since whoever can read them can hold the service up", () => {
  using at = folder();
  mkdirSync(dirname(at.path), { recursive: true, mode: 0o755 });
  using _lock = acquireServeLock(at.path);
  for (const name of readdirSync(dirname(at.path)))
    expect([name, statSync(join(dirname(at.path), name)).mode & 0o777]).toEqual([name, 0o600]);
});
