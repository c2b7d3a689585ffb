import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServiceLog } from "../../src/cli/service-log.ts";

function place() {
  const folder = mkdtempSync(join(tmpdir(), "service-log-"));
  return {
    folder,
    path: join(folder, "service.log"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

test("lines go to a file for its owner alone, after those that are there", () => {
  using at = place();
  writeFileSync(at.path, "before\n", { mode: 0o644 });
  const log = createServiceLog(at.path);
  log("one\n");
  log("two\n");
  expect(readFileSync(at.path, "utf8")).toBe("before\none\ntwo\n");
  expect(statSync(at.path).mode & 0o777).toBe(0o600);
});

test("a full file is put aside", () => {
  using at = place();
  writeFileSync(at.path, "x".repeat(5 * 1024 * 1024 + 1));
  createServiceLog(at.path)("next\n");
  expect(readFileSync(at.path, "utf8")).toBe("next\n");
  expect(statSync(`${at.path}.1`).size).toBe(5 * 1024 * 1024 + 1);
});

test("nothing is written through a link that somebody has laid", () => {
  using at = place();
  const victim = join(at.folder, "victim");
  writeFileSync(victim, "theirs", { mode: 0o644 });
  symlinkSync(victim, at.path);
  createServiceLog(at.path)("a line\n");
  expect(readFileSync(victim, "utf8")).toBe("theirs");
  expect(statSync(victim).mode & 0o777).toBe(0o644);
});
