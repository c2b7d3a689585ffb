import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkDatabase } from "../../src/memory/check.ts";
import { DatabaseOpenError, type DatabaseProblem, toOpenError } from "../../src/memory/errors.ts";
import { applicationId, migrations } from "../../src/memory/migrations.ts";
import { accept, converse, folder, secretKey } from "./helpers.ts";

function problemOf(open: () => unknown): { problem: DatabaseProblem; message: string } {
  try {
    open();
  } catch (error) {
    if (!(error instanceof DatabaseOpenError)) throw error;
    return { problem: error.problem, message: error.message };
  }
  throw new Error("it opened");
}

describe("opening", () => {
  test("makes the folder and the file, for the owner alone", () => {
    using at = folder();
    using memory = at.open();
    expect(memory.ping()).toBe(true);
    expect(memory.schemaVersion).toBe(migrations.length);
    expect(statSync(at.path).mode & 0o777).toBe(0o600);
    expect(statSync(`${at.path}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(at.path)).mode & 0o777).toBe(0o700);
  });

  test("sets the file up for durable writes and marks it as ours", () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    using sqlite = new Database(at.path);
    expect(sqlite.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(sqlite.query("PRAGMA application_id").get()).toEqual({ application_id: applicationId });
    expect(sqlite.query("PRAGMA foreign_key_check").all()).toEqual([]);
  });

  test("leaves no WAL behind when it is closed, and can be closed twice", async () => {
    using at = folder();
    const memory = at.open();
    await accept(memory);
    memory[Symbol.dispose]();
    await memory[Symbol.asyncDispose]();
    expect(memory.ping()).toBe(false);
    const wal = Bun.file(`${at.path}-wal`);
    expect((await wal.exists()) ? wal.size : 0).toBe(0);
  });

  test("refuses what is no database", () => {
    using at = folder();
    mkdirSync(dirname(at.path));
    writeFileSync(at.path, "These are the minutes of the meeting. ".repeat(200));
    const { problem, message } = problemOf(() => at.open());
    expect(problem).toBe("not_a_database");
    expect(message).toContain("DATABASE_URL");
    expect(problemOf(() => checkDatabase(at.path)).problem).toBe("not_a_database");
  });

  test("refuses another program's database, and leaves it as it was", () => {
    using at = folder();
    mkdirSync(dirname(at.path));
    const other = new Database(at.path);
    other.run("CREATE TABLE recipes (name TEXT)");
    other.close();
    const before = readFileSync(at.path);
    expect(problemOf(() => at.open()).problem).toBe("foreign");
    expect(readFileSync(at.path).equals(before)).toBe(true);
  });

  test("refuses a newer version's database, and says so", () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const newer = new Database(at.path);
    newer.run(`PRAGMA user_version = ${migrations.length + 1}`);
    newer.close();
    const { problem, message } = problemOf(() => at.open());
    expect(problem).toBe("newer_schema");
    expect(message).toContain("newer version");
    expect(problemOf(() => checkDatabase(at.path)).problem).toBe("newer_schema");
  });

  test("refuses a damaged file", async () => {
    using at = folder();
    {
      using memory = at.open();
      for (let i = 0; i < 20; i++) await converse(memory, "answer ".repeat(500));
    }
    expect(checkDatabase(at.path).schemaVersion).toBe(migrations.length);
    const bytes = readFileSync(at.path);
    bytes.fill(0xa5, 4096 * 4, 4096 * 12);
    writeFileSync(at.path, bytes);
    expect(problemOf(() => at.open()).problem).toBe("corrupt");
    expect(problemOf(() => checkDatabase(at.path)).problem).toBe("corrupt");
  });

  test("refuses a file that was cut off", async () => {
    using at = folder();
    {
      using memory = at.open();
      await converse(memory, "answer ".repeat(500));
    }
    truncateSync(at.path, 4096 * 3 + 100);
    expect(["corrupt", "not_a_database"]).toContain(problemOf(() => at.open()).problem);
  });

  test("refuses a path that is a folder, or below a file", () => {
    using at = folder();
    mkdirSync(at.path, { recursive: true });
    expect(problemOf(() => at.open()).problem).toBe("cannot_open");
    writeFileSync(join(at.dir, "file"), "");
    expect(problemOf(() => at.open({ path: join(at.dir, "file", "x.db") })).problem).toBe("cannot_open");
  });

  test("says when another process holds it", () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    using other = new Database(at.path);
    other.run("BEGIN IMMEDIATE");
    expect(problemOf(() => at.open()).problem).toBe("locked");
  });

  test("says when there is no room for it", () => {
    const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    expect(toOpenError(full, "/data/x.db").message).toContain("make room on its disk");
  });

  test("says when it may not be written", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    chmodSync(at.dir, 0o755);
    chmodSync(dirname(at.path), 0o555);
    chmodSync(at.path, 0o444);
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), "read-only", at.path], {
      stdout: "pipe",
      stderr: "inherit",
    });
    expect((await child.stdout.text()).trim()).toBe("read_only");
    chmodSync(dirname(at.path), 0o755);
  });
});

describe("the secret key", () => {
  test("that is wrong is refused", () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const { problem, message } = problemOf(() => at.open({ secretKey: `${secretKey}!` }));
    expect(problem).toBe("wrong_key");
    expect(message).toContain("SECRET_KEY_PREVIOUS");
    expect(problemOf(() => at.open({ secretKey: "x", secretKeyPrevious: "y" })).problem).toBe("wrong_key");
  });

  test("can be changed: the previous one opens, after that the new one alone does", async () => {
    using at = folder();
    const key = "k";
    let turnId: string;
    {
      using memory = at.open();
      turnId = (await accept(memory, { idempotencyKey: key })).id;
    }
    at.open({ secretKey: "the new one", secretKeyPrevious: secretKey })[Symbol.dispose]();
    expect(problemOf(() => at.open()).problem).toBe("wrong_key");
    using memory = at.open({ secretKey: "the new one" });
    expect((await memory.turns.get(turnId))?.text).toBe("What is up?");
    expect((await memory.turns.accept({ ...(await need(memory.turns.get(turnId))) }, 8)).status).toBe(
      "duplicate",
    );
  });
});

async function need<T>(value: Promise<T | null>): Promise<T> {
  const given = await value;
  if (given === null) throw new Error("nothing was given");
  return given;
}
