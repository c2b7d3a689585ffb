import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { backupDatabase } from "../../src/memory/backup.ts";
import { countKeys } from "../../src/memory/key-counts.ts";
import { migrations } from "../../src/memory/migrations.ts";
import { converse, type Folder, folder, newTurn } from "./helpers.ts";

const fixtures = join(import.meta.dir, "../fixtures/databases");
const secretKey = "the key of the databases of older versions";
const older = Array.from({ length: migrations.length - 1 }, (_, at) => at + 1);

function place(at: Folder, version: number): void {
  mkdirSync(dirname(at.path), { recursive: true });
  copyFileSync(join(fixtures, `schema-${version}.db`), at.path);
}

const versionOf = (path: string): unknown => {
  using sqlite = new Database(path);
  return sqlite.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version;
};

const onlyId = (path: string, what: string): string => {
  using sqlite = new Database(path);
  return sqlite.query<{ id: string }, []>(`SELECT id FROM turns WHERE ${what}`).get()?.id ?? "";
};

test("there is a database of every version but the present one", () => {
  const files = readdirSync(fixtures).filter((name) => name.endsWith(".db"));
  expect(files.sort()).toEqual(older.map((version) => `schema-${version}.db`));
});

describe.each(older)("a database of schema %d", (version) => {
  test("opens with all that it holds, and goes on", async () => {
    using at = folder();
    place(at, version);
    expect(versionOf(at.path)).toBe(version);
    using memory = at.open({ secretKey, cacheBytes: 0 });
    expect(versionOf(at.path)).toBe(migrations.length);
    const ended = await memory.turns.get(onlyId(at.path, "discord_message_id = '7'"));
    expect(ended).toMatchObject({
      text: "text",
      preamble: "preamble",
      answer: "answer",
      idempotencyKey: "key",
    });
    const conversationId = ended?.conversationId ?? "";
    const { turns, summary } = await memory.history.load(conversationId, 0);
    expect(summary?.text ?? turns.at(-1)?.messages.length).toBe(summary === null ? 4 : "summary");
    expect(await memory.turns.steps(ended?.id ?? "")).toMatchObject([
      {
        content: [{ text: "thought" }, { input: { q: "arguments" } }],
        toolCalls: [{ state: "done", result: { content: "result" } }],
      },
    ]);
    expect((await memory.turns.unfinished()).map(({ text }) => text)).toEqual(["running", "queued"]);
    expect(await memory.preferences.get("100")).toEqual({ instructions: "preferences" });
    expect(await memory.gatewaySessions.get(0)).toMatchObject({ sessionId: "gateway", resumeUrl: "url" });
    const posts = await memory.outbox.open(9);
    expect(posts.map(({ content, state }) => [content, state])).toEqual([
      ["post", "pending"],
      ["notice", "sending"],
    ]);
    expect(await memory.marks.get("200")).toBe("1000");
    expect((await memory.tokens.list()).map(({ name }) => name)).toEqual(["editor"]);
    expect(await memory.audit.list({ limit: 5 })).toMatchObject([{ toolName: "tool" }]);
    expect(await memory.sessions.get("session")).toMatchObject({ conversationId });
    const again = await memory.turns.accept(newTurn({ idempotencyKey: "key" }), 1000);
    // The first version made the hash of less than there is to tell apart.
    if (version > 1) expect(again).toMatchObject({ status: "duplicate", turn: { id: ended?.id } });
    await converse(memory, "after the upgrade", { userId: "1" });
  });

  test("is whole after a kill in the middle, of the old version or of the new", async () => {
    using at = folder();
    place(at, version);
    const child = join(import.meta.dir, "child.ts");
    for (let wait = 0; versionOf(at.path) === version && wait < 30; wait++) {
      const process_ = Bun.spawn([process.execPath, child, "open", at.path, secretKey], { stdout: "pipe" });
      await process_.stdout.getReader().read();
      for (let turn = 0; turn < wait * 300; turn++) await new Promise((resolve) => setImmediate(resolve));
      process_.kill("SIGKILL");
      await process_.exited;
      using sqlite = new Database(at.path);
      expect(sqlite.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      expect([version, migrations.length]).toContain(versionOf(at.path) as number);
    }
    using memory = at.open({ secretKey });
    expect(await memory.preferences.get("100")).toEqual({ instructions: "preferences" });
  }, 60_000);

  test("can be backed up before the upgrade, and its keys shown", async () => {
    using at = folder();
    place(at, version);
    const to = join(at.dir, "backup.db");
    await backupDatabase({ path: at.path, to, force: false, secretKeys: [secretKey] });
    expect(versionOf(to)).toBe(version);
    expect(versionOf(at.path)).toBe(version);
    expect(countKeys(at.path)).toMatchObject([{ id: 1, values: { messages: expect.any(Number) } }]);
  });
});
