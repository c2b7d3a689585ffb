import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Memory } from "../../src/memory/memory.ts";
import { placeOf, type RawRow, sealedTables } from "../../src/memory/sealed-columns.ts";
import { type Filled, fillEverything } from "./everything.ts";
import { accept, converse, folder, newTurn, secretKey } from "./helpers.ts";

/** Columns of bytes that are not sealed with a data key, and why. */
const notSealed: Readonly<Record<string, string>> = {
  "data_keys.salt": "no secret",
  "data_keys.wrapped": "sealed with SECRET_KEY",
  "api_tokens.secret_hash": "a hash of 256 random bits",
  "idempotency_keys.hash": "an HMAC",
  "forgotten_people.hash": "an HMAC",
};

/** How many values of each column are sealed with which key. */
function sealedWith(path: string): Map<string, Map<number, number>> {
  using sqlite = new Database(path, { readonly: true });
  return new Map(
    sealedTables.flatMap(({ table, columns }) =>
      columns.map((column): [string, Map<number, number>] => {
        const rows = sqlite
          .query<{ key: string; n: number }, []>(
            `SELECT hex(substr("${column}", 2, 2)) AS key, count(*) AS n FROM "${table}" WHERE "${column}" IS NOT NULL GROUP BY 1`,
          )
          .all();
        return [`${table}.${column}`, new Map(rows.map(({ key, n }) => [Number.parseInt(key, 16), n]))];
      }),
    ),
  );
}

const keysIn = (path: string): Set<number> =>
  new Set([...sealedWith(path).values()].flatMap((keys) => [...keys.keys()]));

function keyIds(path: string): number[] {
  using sqlite = new Database(path, { readonly: true });
  return sqlite
    .query<{ id: number }, []>("SELECT id FROM data_keys ORDER BY id")
    .all()
    .map(({ id }) => id);
}

async function rotate(memory: Memory, to: number | null = null): Promise<number> {
  for (let at = to; ; ) {
    const { finished, key } = await memory.keys.rotate(at, 0);
    at = key;
    if (finished) return key;
  }
}

type Stored = Awaited<ReturnType<typeof everything>>;

/** What is stored, as its readers give it. */
async function everything(memory: Memory, filled: Filled) {
  return {
    history: await memory.history.load(filled.conversationId, 0),
    turns: await Promise.all(
      [filled.endedTurnId, filled.suspendedTurnId, filled.runningTurnId, filled.queuedTurnId].map((id) =>
        memory.turns.get(id),
      ),
    ),
    steps: await memory.turns.steps(filled.suspendedTurnId),
    approval: await memory.approvals.get(filled.approvalId),
    preferences: await memory.preferences.get("100"),
    memories: await memory.memories.list("100"),
    posts: await memory.outbox.open(9),
    gateway: await memory.gatewaySessions.get(0),
  };
}

test("every column of bytes is in the list of the sealed ones, or is known not to be sealed", () => {
  using at = folder();
  at.open()[Symbol.dispose]();
  using sqlite = new Database(at.path);
  const columns = sqlite
    .query<{ name: string }, []>(
      `SELECT t.name || '.' || c.name AS name FROM pragma_table_list t, pragma_table_info(t.name) c
       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND c.type = 'BLOB' ORDER BY 1`,
    )
    .all()
    .map(({ name }) => name);
  const sealed = sealedTables.flatMap(({ table, columns: names }) => names.map((name) => `${table}.${name}`));
  expect([...sealed, ...Object.keys(notSealed)].sort()).toEqual(columns);
});

test("no word of what is sealed is readable in the files, whatever column it is in", async () => {
  using at = folder();
  using memory = at.open();
  await fillEverything(memory, (what) => `PLANTED-${what}-SECRET`);
  for (const [column, keys] of sealedWith(at.path)) expect([column, keys.size]).toEqual([column, 1]);
  for (const end of ["", "-wal", "-shm"])
    expect(readFileSync(`${at.path}${end}`).includes("PLANTED-")).toBe(false);
});

describe("a change of the data key", () => {
  test("seals everything anew, and destroys the old key", async () => {
    using at = folder();
    let filled: Filled;
    let before: Stored;
    {
      using memory = at.open({ cacheBytes: 0 });
      filled = await fillEverything(memory);
      for (const [column, keys] of sealedWith(at.path))
        expect([column, [...keys.keys()]]).toEqual([column, [1]]);
      before = await everything(memory, filled);
      expect(await rotate(memory)).toBe(2);
      expect(await everything(memory, filled)).toEqual(before);
    }
    expect([...keysIn(at.path)]).toEqual([2]);
    expect(keyIds(at.path)).toEqual([0, 2]);
    using memory = at.open({ cacheBytes: 0 });
    expect(await everything(memory, filled)).toEqual(before);
  });

  test("leaves values bound to their rows and columns", async () => {
    using at = folder();
    using memory = at.open();
    const filled = await fillEverything(memory);
    await rotate(memory);
    using sqlite = new Database(at.path);
    sqlite.run("UPDATE turns SET text = preamble WHERE id = ?", [filled.endedTurnId]);
    await expect(memory.turns.get(filled.endedTurnId)).rejects.toThrow();
  });

  test("leaves nothing of the old key in the files", async () => {
    using at = folder();
    using memory = at.open();
    await fillEverything(memory);
    const wrapped = () => {
      using sqlite = new Database(at.path, { readonly: true });
      const row = sqlite
        .query<{ wrapped: Uint8Array }, []>("SELECT wrapped FROM data_keys ORDER BY id DESC")
        .get();
      return Buffer.from(row?.wrapped ?? []);
    };
    const old = wrapped();
    const isThere = (bytes: Buffer) =>
      ["", "-wal"].some((end) => readFileSync(`${at.path}${end}`).includes(bytes));
    expect(isThere(old)).toBe(true);
    await rotate(memory);
    expect(isThere(wrapped())).toBe(true);
    expect(isThere(old)).toBe(false);
  });

  test("is not finished before the old key is out of the log, which a backup may be reading", async () => {
    using at = folder();
    using memory = at.open();
    await fillEverything(memory);
    using backup = new Database(at.path, { readonly: true });
    const row = backup.query<{ wrapped: Uint8Array }, []>("SELECT wrapped FROM data_keys").get();
    const old = Buffer.from(row?.wrapped ?? []);
    const isThere = () => ["", "-wal"].some((end) => readFileSync(`${at.path}${end}`).includes(old));
    backup.run("BEGIN");
    backup.query("SELECT count(*) FROM turns").get();
    let last = await memory.keys.rotate(null, 0);
    while (last.table !== "the log, which another process reads") last = await memory.keys.rotate(2, 0);
    expect(await memory.keys.rotate(2, 0)).toMatchObject({ finished: false });
    expect(isThere()).toBe(true);
    backup.run("COMMIT");
    expect(await memory.keys.rotate(2, 0)).toMatchObject({ finished: true, key: 2 });
    expect(isThere()).toBe(false);
    expect(keyIds(at.path)).toEqual([0, 2]);
  });

  test("recognises what came before, however often the key was changed, in each process", async () => {
    using at = folder();
    let id: string;
    {
      using memory = at.open();
      id = (await accept(memory, { idempotencyKey: "k" })).id;
      await rotate(memory);
      await rotate(memory);
    }
    for (let opened = 0; opened < 2; opened++) {
      using memory = at.open();
      const again = await memory.turns.accept(newTurn({ idempotencyKey: "k" }), 8);
      expect(again).toMatchObject({ status: "duplicate", turn: { id } });
      await rotate(memory);
    }
    expect(keyIds(at.path)).toEqual([0, 5]);
  });

  test("is gone on with after a kill at any point, with everything readable in between", async () => {
    using at = folder();
    let filled: Filled;
    let before: Stored;
    {
      using memory = at.open();
      filled = await fillEverything(memory);
      for (let n = 0; n < 40; n++) await converse(memory, `answer ${n} ${"x".repeat(2000)}`);
      before = await everything(memory, filled);
    }
    const child = () =>
      Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), "rotate", at.path], {
        stdout: "pipe",
        stderr: "inherit",
      });
    for (let batches = 1; ; batches++) {
      const process = child();
      const reader = process.stdout.getReader();
      for (let read = 0; read < batches; read++) if ((await reader.read()).done) break;
      process.kill("SIGKILL");
      await process.exited;
      using memory = at.open({ cacheBytes: 0 });
      expect(await everything(memory, filled)).toEqual(before);
      if (keyIds(at.path)[0] === 0) break;
      expect(keyIds(at.path).filter((key) => key > 2)).toEqual([]);
    }
    expect([...keysIn(at.path)]).toEqual([2]);
  }, 60_000);

  test("lets others write meanwhile: what they write is sealed with the new key", async () => {
    using at = folder();
    using memory = at.open();
    const { conversationId } = await converse(memory, "the first");
    for (let n = 0; n < 30; n++) await converse(memory, "x".repeat(5000), { channelId: `c${n}` });
    let writes = 0;
    let at_: number | null = null;
    for (;;) {
      const step = memory.keys.rotate(at_, 0);
      await converse(memory, `between ${writes++}`);
      await memory.preferences.set("100", { tone: `${writes}` });
      const { finished, key } = await step;
      at_ = key;
      if (finished) break;
    }
    expect(writes).toBeGreaterThan(10);
    expect([...keysIn(at.path)]).toEqual([2]);
    expect((await memory.history.load(conversationId, 0)).turns).toHaveLength(writes + 1);
  }, 30_000);

  test("that is finished is not begun again by whoever asks how far it is", async () => {
    using at = folder();
    using memory = at.open();
    await rotate(memory);
    expect(await memory.keys.rotate(2, 0)).toMatchObject({ finished: true, key: 2 });
    await expect(memory.keys.rotate(7, 0)).rejects.toMatchObject({ code: "invalid_data" });
    expect(keyIds(at.path)).toEqual([0, 2]);
  });

  test("stops at a value that was changed from outside, says which, and keeps the old key", async () => {
    using at = folder();
    using memory = at.open();
    const { endedTurnId } = await fillEverything(memory);
    using sqlite = new Database(at.path);
    sqlite.run("UPDATE turns SET preamble = text WHERE id = ?", [endedTurnId]);
    await expect(rotate(memory)).rejects.toThrow(`turns.preamble of row ${endedTurnId}`);
    expect(keyIds(at.path)).toEqual([1, 2]);
    sqlite.run("DELETE FROM turns WHERE id = ?", [endedTurnId]);
    expect(await rotate(memory)).toBe(2);
  });

  test("goes together with a change of SECRET_KEY, also half-way", async () => {
    using at = folder();
    let filled: Filled;
    {
      using memory = at.open();
      filled = await fillEverything(memory);
      await memory.keys.rotate(null, 0);
    }
    using memory = at.open({ secretKey: "the new one", secretKeyPrevious: secretKey });
    expect((await memory.turns.get(filled.endedTurnId))?.text).toBe("text");
    expect(await rotate(memory)).toBe(2);
    expect((await memory.turns.get(filled.endedTurnId))?.text).toBe("text");
  });
});

test("places are made of a row's key as those who seal make them", () => {
  const row: RawRow = { turn_seq: 3, step: 1, tool_use_id: "x" };
  const [calls] = sealedTables.filter(({ table }) => table === "tool_calls");
  if (calls === undefined) throw new Error("not in the list");
  expect(placeOf(calls, "result", row)).toEqual({ table: "tool_calls", column: "result", row: "3.1.x" });
});
