import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("./unread-child.ts", import.meta.url));
const lines = 40_000;

test("a log that is not read holds nobody up, keeps some megabytes, and says in the end what it left out", async () => {
  const folder = mkdtempSync(join(tmpdir(), "unread-"));
  const path = join(folder, "log");
  expect(Bun.spawnSync({ cmd: ["mkfifo", path] }).exitCode).toBe(0);
  await using reader = await open(path, "r+");
  const stderr = openSync(path, "w");
  const logging = Bun.spawn({
    cmd: [process.execPath, child, String(lines)],
    stdio: ["pipe", "pipe", stderr],
  });
  closeSync(stderr);
  // Nothing has been read by then.
  const { value } = await logging.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("logged\n");

  let text = "";
  const part = Buffer.alloc(1 << 20);
  while (!text.includes("left out of the log")) {
    const { bytesRead } = await reader.read(part, 0, part.length, null);
    text += part.toString("utf8", 0, bytesRead);
  }
  logging.stdin.end();
  expect(await logging.exited).toBe(0);
  rmSync(folder, { recursive: true });

  const written = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const told = written.findLast(({ message }) => message.includes("left out"));
  const kept = written.filter(({ message }) => message === "line").length;
  expect(kept + told.lines).toBe(lines);
  expect(kept).toBeLessThan(lines / 2);
  expect(text.length).toBeLessThan(5 * 1024 * 1024);
});
