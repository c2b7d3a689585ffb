import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, exists, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemTrouble } from "../../src/cli/system-trouble.ts";
import { readConfig } from "../../src/config.ts";
import { openStored } from "../../src/database.ts";
import { acquireServeLock } from "../../src/memory/serve-lock.ts";
import { command } from "./io.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-trouble-"));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = (): { DATABASE_URL: string; MCP_PORT: string } => ({
  DATABASE_URL: `file:${join(folder, crypto.randomUUID(), "data", "test.db")}`,
  MCP_PORT: "0",
});
const dataOf = (env: { DATABASE_URL: string }): string => join(env.DATABASE_URL.slice("file:".length), "..");
const stack = /\n\s+at /;

async function asAnotherUser(args: readonly string[], env: Record<string, string>) {
  const child = Bun.spawn({
    cmd: [process.execPath, join(import.meta.dir, "other-user-child.ts"), JSON.stringify(env), ...args],
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  const result: { code: number; out: string; err: string } = JSON.parse(out);
  return result;
}

describe("whoever is not the user of the service is told so", () => {
  test.each([
    [["serve"]],
    [["token", "list"]],
    [["token", "create", "--name", "x", "--operator"]],
    [["audit"]],
    [["keys", "show"]],
    [["backup", "/dev/null/x"]],
    [["doctor", "--live"]],
    [["export", "100000000000000001"]],
  ])("by %j", async (args) => {
    const env = environment();
    using _stored = await openStored(readConfig(env));
    await chmod(dataOf(env), 0);
    const { code, err } = await asAnotherUser(args, env);
    await chmod(dataOf(env), 0o700);
    expect(err).not.toMatch(stack);
    expect(err).toContain("run this as the user who runs the service");
    expect(code).toBe(1);
  });

  test("by doctor, beside everything else that it finds", async () => {
    const env = environment();
    using _stored = await openStored(readConfig(env));
    await chmod(dataOf(env), 0);
    const { code, out, err } = await asAnotherUser(["doctor"], env);
    await chmod(dataOf(env), 0o700);
    expect(err).toBe("");
    expect(out).toMatch(/FAILED {3}Database: .*run this as the user who runs the service/);
    expect(out).toContain("Claude");
    expect(code).toBe(1);
  });
});

describe("a place that cannot be used", () => {
  test.each([[[]], [["token", "create", "--name", "x", "--operator"]], [["doctor"]]])(
    "a file where the folder should be: %j",
    async (args) => {
      const env = environment();
      await mkdir(join(dataOf(env), ".."), { recursive: true });
      await writeFile(dataOf(env), "a file");
      const { code, out, err } = await command(args, env);
      expect(`${out}${err}`).not.toMatch(stack);
      expect(`${out}${err}`).toContain("a file is in its place, or in the place of its folder");
      expect(code).toBe(1);
    },
  );

  test.each([[["backup"]], [["export", "100000000000000001", "--output"]]])(
    "a file where the folder of what is written should be: %j",
    async (args) => {
      const env = environment();
      (await openStored(readConfig(env)))[Symbol.dispose]();
      const { code, err } = await command([...args, join(dataOf(env), "secret-key", "x")], env);
      expect(err).not.toMatch(stack);
      expect(err).toContain("secret-key");
      expect(code).toBe(1);
    },
  );

  test.each([
    ["EROFS", "read-only"],
    ["ENOSPC", "make room"],
    ["EDQUOT", "make room"],
    ["EPERM", "may not use /data/x"],
  ])("%s is said in words", (code, words) => {
    expect(systemTrouble(Object.assign(new Error(code), { code, path: "/data/x" }))).toContain(words);
  });

  test("what is no trouble of the system is none", () => {
    expect(systemTrouble(new TypeError("x"))).toBeNull();
    expect(systemTrouble(Object.assign(new Error("x"), { code: "ENOENT", path: "/x" }))).toBeNull();
    expect(systemTrouble("EACCES")).toBeNull();
  });
});

describe("what was made for the first time is told", () => {
  test("by a start that then fails, since the next one makes nothing", async () => {
    await using taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const env = { ...environment(), MCP_PORT: String(taken.port), LOG_LEVEL: "error" };
    const { code, err } = await command(["serve"], env);
    expect(err).toContain(`a secret key was made in ${join(dataOf(env), "secret-key")}`);
    expect(err).toContain(`the operator's token is in ${join(dataOf(env), "operator-token")}`);
    expect(err).toContain("is in use");
    expect(code).toBe(1);
  });

  test("by the command that makes the first token, once", async () => {
    const env = environment();
    const first = await command(["token", "create", "--name", "x", "--operator"], env);
    expect(first.err).toContain(`a secret key was made in ${join(dataOf(env), "secret-key")}; back it up`);
    expect(first.out).toMatch(/^dmcp_\S+\n$/);
    expect((await command(["token", "create", "--name", "y", "--operator"], env)).err).toBe("");
  });
});

test.each([[["token", "list"]], [["token", "revoke", "x"]], [["audit"]]])(
  "%j in a folder without a database says so, and makes none",
  async (args) => {
    const env = environment();
    const { code, err } = await command(args, env);
    expect(err).toContain("is DATABASE_URL that of the service?");
    expect(code).toBe(1);
    expect(await exists(dataOf(env))).toBe(false);
  },
);

test("a second demo in a folder says that one runs there", async () => {
  const env = environment();
  using _running = acquireServeLock(env.DATABASE_URL.slice("file:".length));
  const { code, err } = await command(["demo", "--port", "0"], { DEMO_DATABASE_URL: env.DATABASE_URL });
  expect(err).toBe("discord-mcp: The demo runs already in this folder: use that one, or end it first.\n");
  expect(code).toBe(1);
});
