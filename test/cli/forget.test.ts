import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../src/cli/run.ts";
import { readConfig } from "../../src/config.ts";
import { serveControl } from "../../src/control/control.ts";
import { openStored } from "../../src/database.ts";
import { createErasing } from "../../src/erasing/erasing.ts";
import { createPersonalOperations } from "../../src/operations/personal.ts";
import { converse } from "../memory/helpers.ts";
import { ana, ben, direct, mark, plantAna, plantBen } from "../memory/person.ts";
import { command } from "./io.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forget-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A database with Ana and Ben, and the environment that names it. */
async function planted(turns = 0) {
  const dir = join(folder, crypto.randomUUID().slice(0, 8));
  const env = { DATABASE_URL: `file:${dir}/test.db` };
  using stored = await openStored(readConfig(env));
  await plantAna(stored.memory);
  await plantBen(stored.memory);
  for (let turn = 0; turn < turns; turn++) await converse(stored.memory, `answer ${turn}`, { userId: ana });
  return { dir, env };
}

/** The same as a service that runs on it would answer. */
async function served(env: Readonly<Record<string, string>>) {
  const stored = await openStored(readConfig(env));
  const { erasures, eraser, exporter } = stored.memory;
  const erasing = createErasing({ erasures, eraser, live: null, logs: [], now: Date.now });
  const asked: string[] = [];
  const operations = createPersonalOperations({ erasing, eraser, exporter, botUserId: () => ben });
  const control = serveControl(readConfig(env).dataDir, {
    status: async () => ({}),
    ...Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [
        name,
        (data: unknown) => {
          asked.push(name);
          return operation(data);
        },
      ]),
    ),
  });
  return {
    asked,
    [Symbol.dispose]() {
      control[Symbol.dispose]();
      stored[Symbol.dispose]();
    },
  };
}

interface Exported {
  readonly format: string;
  readonly user_id: string;
  readonly records: readonly { readonly type: string; readonly [field: string]: unknown }[];
}

async function exported(env: Record<string, string>): Promise<Exported> {
  const { code, out, err } = await command(["export", ana], env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
}

/** As in a terminal, where somebody answers. */
async function answering(env: Record<string, string>, answer: string) {
  let out = "";
  const idle = new AbortController().signal;
  const code = await run(["forget", ana], {
    env,
    out: (text) => {
      out += text;
    },
    err: () => {},
    interactive: true,
    lines: async function* () {
      yield answer;
    },
    bytes: async function* () {},
    written: async () => {},
    self: [],
    stop: idle,
    hurry: idle,
  });
  return { code, out };
}

describe("forget", () => {
  test("asks in a terminal, deletes on a yes, and finds nothing the second time", async () => {
    const { env } = await planted();
    expect(await answering(env, "no")).toMatchObject({ code: 1 });
    expect((await exported(env)).records.length).toBeGreaterThan(10);
    const { code, out } = await answering(env, " Yes");
    expect(code).toBe(0);
    expect(out).toContain("3 conversations");
    expect(out).toEndWith("Deleted.\n");
    expect((await exported(env)).records.filter(({ type }) => type !== "token_usage")).toEqual([]);
    expect((await command(["forget", ana, "--yes"], env)).out).toContain("nothing that is counted");
  });

  test("deletes nothing in a script without --yes", async () => {
    const { env } = await planted();
    const { code, err } = await command(["forget", ana], env);
    expect(code).toBe(1);
    expect(err).toContain("--yes");
    expect((await exported(env)).records.length).toBeGreaterThan(10);
  });

  test("goes through a service that runs, and says as JSON what it found", async () => {
    const { env } = await planted();
    using service = await served(env);
    const { code, out } = await command(["forget", ana, "--yes", "--json"], env);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ...{ user_id: ana, state: "done" },
      found: { conversations: 3, turns: 4, memories: 1, preferences: 1, tokens: 1, audit_rows: 2 },
    });
    expect(service.asked).toEqual(["personal_counts", "personal_forget"]);
    expect((await exported(env)).records).toEqual([]);
  });

  test.each([[["forget", ana, "--yes"]], [["export", ana]]])(
    "makes no database where there is none, and does not say that it is done: %j",
    async (args) => {
      const dir = join(folder, crypto.randomUUID());
      const { code, out, err } = await command(args, { DATABASE_URL: `file:${dir}/data/test.db` });
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain("There is no database");
      expect(existsSync(dir)).toBe(false);
    },
  );

  test("does not take the bot for a person, whom every conversation names", async () => {
    const { env } = await planted();
    const token = `${Buffer.from(ben).toString("base64")}.made.up`;
    const refused = { code: 1, err: expect.stringContaining("the bot itself") };
    expect(await command(["forget", ben, "--yes"], { ...env, DISCORD_TOKEN: token })).toMatchObject(refused);
    using _service = await served(env);
    expect(await command(["forget", ben, "--yes"], env)).toMatchObject(refused);
  });

  test("takes the person out of the log files in the data folder", async () => {
    const { env, dir } = await planted();
    const lines = ["one line", `channel_id=${direct}`, `user ${ana}`, "another line", ""];
    for (const name of ["mcp-service.log", "mcp-service.log.1"])
      await writeFile(join(dir, name), lines.join("\n"));
    expect((await command(["forget", ana, "--yes"], env)).code).toBe(0);
    for (const name of ["mcp-service.log", "mcp-service.log.1"])
      expect(await readFile(join(dir, name), "utf8")).toBe("one line\nanother line\n");
  });

  test.each([
    [["forget"], "say whom"],
    [["forget", "ana"], "Discord user id"],
    [["forget", "5", "--yes"], "15 to 20 digits"],
    [["forget", ana, ana], "say whom"],
    [["export"], "say whom"],
    [["export", ana, "--outptu", "x"], "--outptu"],
  ])("%j is a mistake of use", async (args, said) => {
    const { code, err } = await command(args, { DATABASE_URL: `file:${folder}/none/test.db` });
    expect(code).toBe(64);
    expect(err).toContain(said);
  });
});

describe("export", () => {
  test("gives all that is hers, readable, and nothing of Ben's", async () => {
    const { env } = await planted();
    const { format, user_id, records } = await exported(env);
    expect({ format, user_id }).toEqual({ format: "discord-mcp export", user_id: ana });
    const types = ["preferences", "memory", "conversation", "turn", "approval", "session", "token", "post"];
    const logs = ["sent_message", "token_usage", "tool_call_log", "about_you_log"];
    expect([...new Set(records.map(({ type }) => type))].sort()).toEqual([...types, ...logs].sort());
    expect(records.find(({ type }) => type === "turn")).toMatchObject({
      ...{
        text: `${mark} asked ${ana}`,
        answer: `${mark} in the channel ${ana}`,
        discord_message_id: "9001",
      },
      tool_calls: [{ tool_name: "tool", result: `${mark} in the channel ${ana}` }],
    });
    expect(records.find(({ type }) => type === "memory")).toMatchObject({ text: `${mark} memory ${ana}` });
    expect(records.find(({ type }) => type === "conversation")).toMatchObject({
      summary: `${mark} summary ${ana}`,
    });
    const all = JSON.stringify(records);
    expect(all).not.toContain("Ben");
    expect(all).not.toContain("harbour opens");
    expect(all).not.toContain("secret_hash");
  });

  test("is the same over the control socket, page by page", async () => {
    const { env } = await planted(35);
    const plain = await exported(env);
    expect(plain.records.filter(({ type }) => type === "turn")).toHaveLength(39);
    using service = await served(env);
    expect((await exported(env)).records).toEqual(plain.records);
    expect(service.asked.length).toBeGreaterThan(12);
  });

  test("writes a file that its owner alone may read, whole or not at all", async () => {
    const { env, dir } = await planted();
    const path = join(dir, "ana.json");
    expect((await command(["export", ana, "--output", path], env)).code).toBe(0);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ user_id: ana });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { code, err } = await command(["export", ana, "--output", join(dir, "no", "ana.json")], env);
    expect(code).toBe(1);
    expect(err).toContain("There is no folder");
  });

  test("replaces a file when it is told to, and nothing of the service's, nor what is no file", async () => {
    const { env, dir } = await planted();
    const kept = join(dir, "kept.json");
    await writeFile(kept, "kept");
    const to = (output: string, ...more: string[]) =>
      command(["export", ana, "--output", output, ...more], env);
    expect(await to(kept)).toMatchObject({ code: 1, err: expect.stringContaining("--force") });
    expect(await readFile(kept, "utf8")).toBe("kept");
    const before = await readFile(join(dir, "secret-key"), "utf8");
    await symlink("/dev/null", join(dir, "device"));
    for (const name of ["test.db", "secret-key", "control.sock", "device", "."])
      expect(await to(join(dir, name), "--force")).toMatchObject({ code: 1, out: "" });
    expect(await readFile(join(dir, "secret-key"), "utf8")).toBe(before);
    expect((await lstat(join(dir, "device"))).isSymbolicLink()).toBe(true);
    expect((await to(kept, "--force")).code).toBe(0);
    expect(JSON.parse(await readFile(kept, "utf8"))).toMatchObject({ user_id: ana });
  });
});
