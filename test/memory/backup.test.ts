import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { createErasing } from "../../src/erasing/erasing.ts";
import { backupDatabase } from "../../src/memory/backup.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { migrations } from "../../src/memory/migrations.ts";
import { restoreDatabase } from "../../src/memory/restore.ts";
import { acquireServeLock } from "../../src/memory/serve-lock.ts";
import { fillEverything } from "./everything.ts";
import { accept, converse, done, type Folder, folder, newTurn, secretKey } from "./helpers.ts";
import { ana, ben, columnsWith, direct, mark, plantAna, plantBen } from "./person.ts";

const now = () => Date.UTC(2026, 10, 22, 12);

async function backup(at: Folder, over: Partial<Parameters<typeof backupDatabase>[0]> = {}): Promise<string> {
  const to = join(at.dir, "backup.db");
  await backupDatabase({ path: at.path, to, force: false, secretKeys: [secretKey], ...over });
  return over.to ?? to;
}

const restore = (at: Folder, from: string, over: Partial<Parameters<typeof restoreDatabase>[0]> = {}) =>
  restoreDatabase({ from, path: at.path, secretKey, secretKeyPrevious: null, now, ...over });

/** Every file below the folder, with its bytes. */
const filesOf = (at: Folder): Map<string, string> =>
  new Map(
    readdirSync(at.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path, Bun.hash(readFileSync(path)).toString()];
      }),
  );

const texts = async (memory: Memory, conversationId: string) =>
  (await memory.history.load(conversationId, 0)).turns.map(({ messages }) => messages.at(-1)?.content);

describe("a backup", () => {
  test("is what the database was at one moment, while it is written to", async () => {
    using at = folder();
    using memory = at.open();
    const { conversationId } = await converse(memory, "before");
    const to = await backup(at);
    await converse(memory, "after");
    expect(statSync(to).mode & 0o777).toBe(0o600);
    using copy = at.open({ path: to });
    expect(await texts(copy, conversationId)).toEqual([[{ type: "text", text: "before" }]]);
    expect(await texts(memory, conversationId)).toHaveLength(2);
  });

  test("holds every row of every table", async () => {
    using at = folder();
    using memory = at.open();
    await fillEverything(memory);
    memory.audit.flush();
    const to = await backup(at);
    using original = new Database(at.path, { readonly: true });
    using copy = new Database(to, { readonly: true });
    const tables = original
      .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all();
    expect(tables.length).toBeGreaterThan(15);
    for (const { name } of tables) {
      const all = `SELECT * FROM "${name}"`;
      expect([name, copy.query(all).all()]).toEqual([name, original.query(all).all()]);
    }
  });

  test("leaves nothing of what was deleted", async () => {
    using at = folder();
    using memory = at.open();
    await converse(memory, "x", { sessionId: "777777777777" });
    using sqlite = new Database(at.path);
    sqlite.run("DELETE FROM turns");
    expect(readFileSync(await backup(at)).includes("777777777777")).toBe(false);
  });

  test("does not replace a file, unless it is told to, and never the database itself", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const to = await backup(at);
    const before = readFileSync(to);
    await expect(backup(at)).rejects.toThrow("--force");
    expect(readFileSync(to).equals(before)).toBe(true);
    writeFileSync(to, "something else");
    await backup(at, { force: true });
    expect(statSync(to).size).toBeGreaterThan(4096);
    const beside = ["secret-key", "operator-token"].map((name) => join(dirname(at.path), name));
    for (const own of [...["", "-wal", ".lock", ".restoring"].map((end) => `${at.path}${end}`), ...beside])
      await expect(backup(at, { to: own, force: true })).rejects.toThrow("belongs to the database");
  });

  test("leaves no part of a file that cannot be made", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    await expect(backup(at, { to: join(at.dir, "none", "x.db") })).rejects.toThrow("There is no folder");
    await expect(backup(at, { secretKeys: ["another key"] })).rejects.toThrow("not the key");
    mkdirSync(join(at.dir, "is-a-folder"));
    symlinkSync("/dev/null", join(at.dir, "is-a-device"));
    for (const name of ["is-a-folder", "is-a-device"])
      await expect(backup(at, { to: join(at.dir, name), force: true })).rejects.toThrow("no ordinary file");
    expect(lstatSync(join(at.dir, "is-a-device")).isSymbolicLink()).toBe(true);
    expect(readdirSync(at.dir).sort()).toEqual(["data", "is-a-device", "is-a-folder"]);
  });

  test("removes what a killed one has left at the same place, and nothing else", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const to = await backup(at);
    const named = (end: string, ageMs: number) => {
      writeFileSync(`${to}${end}`, "part");
      const then = new Date(Date.now() - ageMs);
      utimesSync(`${to}${end}`, then, then);
      return basename(`${to}${end}`);
    };
    const old = 2 * 60 * 60_000;
    const left = [named(".0123456789ab.tmp", old), named(".0123456789ab.tmp-journal", old)];
    const kept = [named(".ba9876543210.tmp", 1000), named(".tmp", old), named(".0123456789ab.tmp.gz", old)];
    await backup(at, { force: true });
    const names = readdirSync(dirname(to));
    expect(names.filter((name) => left.includes(name))).toEqual([]);
    expect(names.filter((name) => kept.includes(name)).sort()).toEqual(kept.sort());
  });

  test("of what is no sound database of ours is refused", async () => {
    using at = folder();
    await expect(backup(at)).rejects.toThrow("There is no database");
    {
      using memory = at.open();
      for (let i = 0; i < 20; i++) await converse(memory, "answer ".repeat(500));
    }
    const bytes = readFileSync(at.path);
    bytes.fill(0xa5, 4096 * 4, 4096 * 12);
    writeFileSync(at.path, bytes);
    await expect(backup(at)).rejects.toThrow("damaged");
    writeFileSync(at.path, "These are the minutes of the meeting. ".repeat(200));
    await expect(backup(at)).rejects.toThrow("not a database");
    expect(readdirSync(at.dir)).toEqual(["data"]);
  });
});

describe("restoring", () => {
  test("brings back what was, and keeps what was there", async () => {
    using at = folder();
    const memory = at.open();
    const { conversationId } = await converse(memory, "before");
    const to = await backup(at);
    await converse(memory, "after");
    memory[Symbol.dispose]();
    const { kept, isCarriedOver } = restore(at, to);
    expect(isCarriedOver).toBe(true);
    expect(kept).toBe(`${at.path}.before-restore-20261122T120000Z`);
    expect(statSync(at.path).mode & 0o777).toBe(0o600);
    using restored = at.open();
    expect(await texts(restored, conversationId)).toHaveLength(1);
    using replaced = at.open({ path: kept ?? "" });
    expect(await texts(replaced, conversationId)).toHaveLength(2);
    expect(existsSync(to)).toBe(true);
  });

  test("goes through a link to the database, and holds it under its own name", async () => {
    using at = folder();
    {
      using memory = at.open();
      await converse(memory, "before");
    }
    const to = await backup(at);
    const link = join(at.dir, "link.db");
    symlinkSync(at.path, link);
    const { kept } = restore(at, to, { path: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(kept).toBe(`${at.path}.before-restore-20261122T120000Z`);
    expect(lstatSync(kept ?? "").isFile()).toBe(true);
    using _lock = acquireServeLock(link);
    expect(() => acquireServeLock(at.path)).toThrow("already serves");
  });

  test("does not take what a killed restoration has left for a backup, and leaves it there", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const left = `${at.path}.restoring`;
    copyFileSync(await backup(at), left);
    expect(() => restore(at, left)).toThrow("name a backup");
    expect(existsSync(left)).toBe(true);
  });

  test("twice in the same second keeps both", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const to = await backup(at);
    expect(restore(at, to).kept).not.toBe(restore(at, to).kept ?? "");
  });

  test("the log of a killed process is kept with its file, and not played into the other one", async () => {
    using at = folder();
    {
      using memory = at.open();
      await converse(memory, "before");
    }
    const to = await backup(at);
    const killed = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), "write-and-die", at.path]);
    await killed.exited;
    expect(statSync(`${at.path}-wal`).size).toBeGreaterThan(0);
    const { kept } = restore(at, to);
    using restored = at.open();
    expect(await restored.turns.unfinished()).toEqual([]);
    expect(await restored.turns.conversationId("100", "200", "300")).not.toBeNull();
    using replaced = at.open({ path: kept ?? "" });
    expect(await replaced.turns.unfinished()).toHaveLength(1);
  });

  test("ends what was unfinished, and posts nothing of it", async () => {
    using at = folder();
    const memory = at.open();
    const filled = await fillEverything(memory);
    const to = await backup(at);
    memory[Symbol.dispose]();
    expect(restore(at, to).ended).toEqual({ turns: 3, posts: 2, approvals: 1 });
    using restored = at.open();
    expect(await restored.turns.unfinished()).toEqual([]);
    for (const id of [filled.runningTurnId, filled.queuedTurnId, filled.suspendedTurnId])
      expect(await restored.turns.get(id)).toMatchObject({ state: "failed", stopReason: "restored" });
    expect(await restored.outbox.undelivered(9)).toEqual([]);
    expect(await restored.outbox.open(9)).toEqual([]);
    expect(await restored.outbox.unasked(9)).toEqual([]);
    expect(await restored.outbox.unshownVerdicts(9)).toEqual([]);
    expect(await restored.approvals.get(filled.approvalId)).toMatchObject({ state: "withdrawn" });
    expect(await restored.gatewaySessions.get(0)).toBeNull();
    const [step] = await restored.turns.steps(filled.runningTurnId);
    expect(step?.toolCalls).toMatchObject([{ toolUseId: "half", state: "unknown" }]);
  });

  test("keeps answered what was answered since, and revoked what was revoked", async () => {
    using at = folder();
    const memory = at.open();
    await fillEverything(memory);
    const to = await backup(at);
    await converse(memory, "since", { discordMessageId: "55", idempotencyKey: "since" });
    await memory.marks.advance(
      new Map([
        ["200", "2000"],
        ["299", "5"],
      ]),
    );
    await memory.tokens.revoke("t", 77);
    using present = new Database(at.path);
    present.run("INSERT INTO erasures VALUES ('user', '100', 'quotes', 5, 4, NULL, NULL)");
    memory[Symbol.dispose]();
    restore(at, to);
    using restored = at.open();
    expect((await restored.turns.accept(newTurn({ discordMessageId: "55" }), 8)).status).toBe("duplicate");
    expect((await restored.turns.accept(newTurn({ idempotencyKey: "since" }), 8)).status).toBe("duplicate");
    expect(await restored.marks.get("200")).toBe("2000");
    expect(await restored.marks.get("299")).toBe("5");
    expect((await restored.tokens.get("t"))?.revokedAt).toBe(77);
    using sqlite = new Database(at.path);
    expect(sqlite.query("SELECT subject, stage FROM erasures").all()).toEqual([
      { subject: "100", stage: "all" },
    ]);
  });

  test.each(["missing", "damaged", "foreign"])(
    "passes over what was said before, when the database is %s",
    async (what) => {
      using at = folder();
      const memory = at.open();
      await memory.marks.advance(new Map([["200", "1000"]]));
      const to = await backup(at);
      memory[Symbol.dispose]();
      const path = what === "missing" ? join(at.dir, "new", "x.db") : at.path;
      if (what === "damaged") writeFileSync(path, "rubbish ".repeat(2000));
      if (what === "foreign") {
        for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
        using other = new Database(path);
        other.run("CREATE TABLE seen_messages (message_id TEXT, channel_id TEXT, seen_at INTEGER)");
      }
      const { isCarriedOver, kept } = restore(at, to, { path });
      expect(isCarriedOver).toBe(false);
      expect(kept === null).toBe(what === "missing");
      using restored = at.open({ path });
      expect(await restored.marks.get("200")).toBe(((BigInt(now()) - 1_420_070_400_000n) << 22n).toString());
    },
  );

  test("brings a backup of an older version up to date", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    const old = join(at.dir, "old.db");
    copyFileSync(join(import.meta.dir, "../fixtures/databases/schema-1.db"), old);
    restore(at, old, { secretKey: "the key of the databases of older versions" });
    using sqlite = new Database(at.path);
    expect(sqlite.query("PRAGMA user_version").get()).toEqual({ user_version: migrations.length });
  });

  test("refuses what cannot be used, says why, and changes nothing", async () => {
    using at = folder();
    {
      using memory = at.open();
      for (let i = 0; i < 20; i++) await converse(memory, "answer ".repeat(500));
    }
    const good = await backup(at);
    const file = (name: string, change: (path: string) => void): string => {
      const path = join(at.dir, name);
      copyFileSync(good, path);
      change(path);
      return path;
    };
    const cut = file("cut.db", (path) => truncateSync(path, 4096 * 3 + 100));
    const bad = file("bad.db", (path) => {
      const bytes = readFileSync(path);
      bytes.fill(0xa5, 4096 * 4, 4096 * 12);
      writeFileSync(path, bytes);
    });
    const newer = file("newer.db", (path) => {
      using sqlite = new Database(path);
      sqlite.run(`PRAGMA user_version = ${migrations.length + 1}`);
    });
    const empty = file("empty.db", (path) => writeFileSync(path, ""));
    const text = file("text.db", (path) => writeFileSync(path, "hello ".repeat(3000)));
    const before = filesOf(at);
    const refused = (from: string, sentence: string, over = {}) => {
      expect(() => restore(at, from, over)).toThrow(sentence);
      expect(filesOf(at)).toEqual(before);
    };
    refused(cut, "nothing has been changed");
    refused(bad, `The backup ${bad} is damaged`);
    refused(newer, "newer version");
    refused(empty, "is empty");
    refused(text, "not a backup");
    refused(join(at.dir, "none.db"), "There is no file");
    refused(at.dir, "is a folder");
    refused(at.path, "is the database itself");
    refused(good, "does not open", { secretKey: "another" });
    expect(restore(at, good).ended.turns).toBe(0);
  });

  test("a kill at any point leaves one whole database in place", async () => {
    using at = folder();
    const memory = at.open();
    const { conversationId } = await converse(memory, "before ".repeat(3000));
    const to = await backup(at);
    for (let n = 0; n < 10; n++) await converse(memory, "after");
    memory[Symbol.dispose]();
    const seen = new Set<number>();
    for (let wait = 0; wait < 14; wait++) {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), "restore", at.path, to], {
        stdout: "pipe",
      });
      await child.stdout.getReader().read();
      // From the first copy to the last name: at another point each time.
      for (let turn = 0; turn < wait * 400; turn++) await new Promise((resolve) => setImmediate(resolve));
      child.kill("SIGKILL");
      await child.exited;
      using opened = at.open();
      seen.add((await texts(opened, conversationId)).length);
    }
    for (const length of seen) expect([1, 11]).toContain(length);
  }, 60_000);
});

describe("somebody who was forgotten since the backup", () => {
  const erasing = (memory: Memory) => createErasing({ ...memory, live: null, logs: [], now: Date.now });
  const names = [ana, mark, direct];

  test("is forgotten again in what is restored, as often as it is, and their tokens at once", async () => {
    using at = folder();
    const memory = at.open();
    await plantAna(memory);
    await plantBen(memory);
    const to = await backup(at);
    await erasing(memory).erase(ana);
    memory[Symbol.dispose]();
    for (let time = 0; time < 2; time++) {
      expect(restore(at, to).forgottenAgain).toBe(1);
      expect(columnsWith(at.path, names).size).toBeGreaterThan(10);
      using restored = at.open();
      const tokens = await restored.tokens.list();
      expect(tokens.map(({ id, revokedAt }) => [id, revokedAt === null])).toEqual([
        ["t_ana", false],
        ["t_ben", true],
        ["t_operator", true],
      ]);
      await erasing(restored).runDue();
      expect([...columnsWith(at.path, names)]).toEqual([]);
      expect((await restored.memories.list(ben)).length).toBe(2);
    }
  });

  test("is found also where they are only quoted", async () => {
    using at = folder();
    const memory = at.open();
    await converse(memory, `Ask ${ana}.`, { userId: ben });
    const to = await backup(at);
    await erasing(memory).erase(ana);
    memory[Symbol.dispose]();
    expect(restore(at, to).forgottenAgain).toBe(1);
  });

  test("is not forgotten twice who was forgotten before it, and has come back", async () => {
    using at = folder();
    const memory = at.open();
    await erasing(memory).erase(ana);
    await converse(memory, "Hello again.", { userId: ana });
    const to = await backup(at);
    memory[Symbol.dispose]();
    expect(restore(at, to).forgottenAgain).toBe(0);
    using restored = at.open();
    expect(await restored.erasures.nextDue(Date.now())).toBeNull();
  });
});

test("a restored conversation goes on", async () => {
  using at = folder();
  const memory = at.open();
  const { conversationId } = await converse(memory, "before");
  const to = await backup(at);
  memory[Symbol.dispose]();
  restore(at, to);
  using restored = at.open();
  const turn = await accept(restored, { text: "next" });
  await restored.turns.begin(turn.id);
  await restored.turns.end(turn.id, done({ answer: "after" }));
  expect(await texts(restored, conversationId)).toHaveLength(2);
});
