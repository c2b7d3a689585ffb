import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backupDatabase } from "../../src/memory/backup.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { restoreDatabase } from "../../src/memory/restore.ts";
import { withoutRoom } from "../without-room.ts";
import { accept, converse, done, folder, newTurn, secretKey } from "./helpers.ts";

const big = "x".repeat(50_000);
const unavailable = { code: "storage_unavailable" };
const grow = (memory: Memory) => memory.preferences.set("1", { tone: big });

describe.if(process.platform === "linux")("a full disk", () => {
  test("refuses what is new, loses nothing that was accepted, and is not there any more once there is room", async () => {
    using at = folder();
    using memory = at.open();
    const turn = await accept(memory, { discordMessageId: "1" });
    await memory.turns.begin(turn.id);
    await withoutRoom(`${at.path}-wal`, async () => {
      await expect(
        memory.turns.accept(newTurn({ text: big, discordMessageId: "2" }), 8),
      ).rejects.toMatchObject({
        ...unavailable,
        retryAfterMs: expect.any(Number),
        message: expect.stringContaining("full"),
      });
      await expect(memory.turns.end(turn.id, done({ answer: big }))).rejects.toMatchObject(unavailable);
      await expect(
        memory.sessions.open(
          { sessionId: big, userId: "1", channelId: "2", guildId: null, tokenId: null },
          1,
          2,
        ),
      ).rejects.toMatchObject(unavailable);
      expect(memory.ping()).toBe(false);
      expect(memory.storage.recovers()).toBe(false);
      expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([turn.id]);
    });
    expect(memory.storage.recovers()).toBe(true);
    expect(memory.storage.recovers()).toBe(false);
    expect(memory.ping()).toBe(true);
    await memory.turns.end(turn.id, done({ answer: big }));
    expect((await memory.turns.accept(newTurn({ discordMessageId: "2" }), 8)).status).toBe("accepted");
    using sqlite = new Database(at.path);
    expect(sqlite.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  });

  test("can be closed, and what was committed is there at the next start", async () => {
    using at = folder();
    const memory = at.open();
    const { conversationId } = await converse(memory, big);
    await withoutRoom(at.path, async () => memory[Symbol.dispose]());
    using again = at.open();
    expect((await again.history.load(conversationId, 0)).turns).toHaveLength(1);
  });

  test("leaves a change of keys as it was, to be gone on with", async () => {
    using at = folder();
    using memory = at.open();
    for (let n = 0; n < 5; n++) await converse(memory, big);
    await memory.keys.rotate(null, 0);
    await withoutRoom(`${at.path}-wal`, async () => {
      await expect(
        (async () => {
          for (let n = 0; n < 50; n++) await memory.keys.rotate(2, 0);
        })(),
      ).rejects.toMatchObject(unavailable);
    });
    for (let n = 0; n < 50; n++) if ((await memory.keys.rotate(2, 0)).finished) break;
    expect(await memory.keys.rotate(2, 0)).toMatchObject({ finished: true });
  });

  test("leaves no part of a backup, and does not begin a restoration", async () => {
    using at = folder();
    const memory = at.open();
    for (let n = 0; n < 5; n++) await converse(memory, big);
    const to = join(at.dir, "backup.db");
    const make = (name: string) =>
      backupDatabase({ path: at.path, to: name, force: false, secretKeys: [secretKey] });
    await make(to);
    memory[Symbol.dispose]();
    const before = readFileSync(at.path);
    await withoutRoom(20_000, async () => {
      await expect(make(join(at.dir, "second.db"))).rejects.toThrow("no room");
      expect(() =>
        restoreDatabase({ from: to, path: at.path, secretKey, secretKeyPrevious: null, now: Date.now }),
      ).toThrow("nothing has been changed");
    });
    expect(await Array.fromAsync(new Bun.Glob("**/*").scan(at.dir))).toEqual(
      expect.not.arrayContaining(["second.db", "data/test.db.restoring"]),
    );
    expect(readFileSync(at.path).equals(before)).toBe(true);
  });
});

describe("a database that is taken away while it is in use", () => {
  test.each(["moved", "removed", "replaced"])(
    "is noticed when it is %s, and nothing is written to nowhere",
    async (what) => {
      using at = folder();
      using memory = at.open();
      await accept(memory);
      if (what === "moved") renameSync(at.path, `${at.path}.moved`);
      if (what === "removed") rmSync(at.path);
      if (what === "replaced") {
        copyFileSync(at.path, `${at.path}.other`);
        renameSync(`${at.path}.other`, at.path);
      }
      expect(memory.ping()).toBe(false);
      await expect(grow(memory)).rejects.toMatchObject({
        ...unavailable,
        message: expect.stringContaining("restart"),
      });
      if (what !== "moved") return;
      renameSync(`${at.path}.moved`, at.path);
      await grow(memory);
      expect(memory.ping()).toBe(true);
    },
  );
});

describe("a log of rubbish", () => {
  test.each([
    ["with no header that counts", () => Buffer.from("rubbish ".repeat(5000))],
    ["with rubbish behind what counts", (log: Buffer) => Buffer.concat([log, Buffer.alloc(40_000, 0x5a)])],
    ["that was cut off", (log: Buffer) => log.subarray(0, log.length - 100)],
  ])("%s is passed over, and what is before it counts", async (_, change) => {
    using at = folder();
    // In processes of their own: what one has open it must not find changed.
    for (const what of ["write-and-close", "write-and-die"])
      await Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), what, at.path]).exited;
    const log = readFileSync(`${at.path}-wal`);
    expect(log.length).toBeGreaterThan(1000);
    writeFileSync(`${at.path}-wal`, change(log));
    using memory = at.open();
    const id = await memory.turns.conversationId("100", "200", "300");
    expect((await memory.history.load(id ?? "", 0)).turns.length).toBeGreaterThanOrEqual(1);
    await converse(memory, "goes on");
    using sqlite = new Database(at.path);
    expect(sqlite.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  });
});

test("a folder that may not be written is named, and a backup is not left half made in it", async () => {
  using at = folder();
  const child = join(import.meta.dir, "child.ts");
  await Bun.spawn([process.execPath, child, "write-and-close", at.path]).exited;
  for (const end of ["-wal", "-shm"]) rmSync(`${at.path}${end}`, { force: true });
  chmodSync(at.dir, 0o555);
  chmodSync(join(at.dir, "data"), 0o777);
  chmodSync(at.path, 0o666);
  const process_ = Bun.spawn([process.execPath, child, "backup", at.path, join(at.dir, "backup.db")], {
    stdout: "pipe",
  });
  const said = await process_.stdout.text();
  chmodSync(at.dir, 0o755);
  expect(said).toContain("cannot be written");
  expect(statSync(at.path).size).toBeGreaterThan(0);
});
