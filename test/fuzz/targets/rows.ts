import { Database } from "bun:sqlite";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { createBudgets } from "../../../src/agent/budgets.ts";
import { createTurnService } from "../../../src/agent/turns.ts";
import { readConfig } from "../../../src/config.ts";
import { AppError } from "../../../src/errors.ts";
import { DatabaseOpenError } from "../../../src/memory/errors.ts";
import type { ExportPage } from "../../../src/memory/export.ts";
import type { Memory } from "../../../src/memory/memory.ts";
import { fillEverything } from "../../memory/everything.ts";
import { accept, done, folder, newTurn } from "../../memory/helpers.ts";
import { equal, holds } from "../holds.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const stranger = { userId: "999", channelId: "900", guildId: null, sessionId: "other" } as const;
const usage = { inputTokens: 1, outputTokens: 1, cacheCreationInputTokens: 0, cacheReadInputTokens: 0 };

/** What stands in a cell instead: something else, or a part of what was there. */
const damage = fc.oneof(
  fc.constantFrom<(before: unknown) => string | number | null | Uint8Array>(
    () => null,
    () => "",
    () => "no such word",
    () => "{}",
    () => "[",
    () => '{"a":[1]}',
    () => -1,
    () => 1e15,
    () => new Uint8Array(0),
    () => new Uint8Array([1, 0, 1]),
    () => new Uint8Array(64),
    (before) => (before instanceof Uint8Array ? before.subarray(0, before.length / 2) : "half"),
    (before) =>
      before instanceof Uint8Array
        ? before.map((byte, at) => (at === before.length - 1 ? byte ^ 1 : byte))
        : `${before}x`,
    (before) => (before instanceof Uint8Array ? before.map((byte, at) => (at === 2 ? 99 : byte)) : 7),
  ),
);
const edit = fc.record({ place: fc.nat(100_000), damage });

interface Cell {
  readonly table: string;
  readonly column: string;
  readonly rowid: number;
}

/** Each cell of each table but SQLite's and the migrations' own. */
function cellsOf(db: Database): Cell[] {
  const tables = db
    .query(
      "select name from sqlite_schema where type = 'table' and name not like '\\_\\_%' escape '\\' and name not like 'sqlite%'",
    )
    .values()
    .flat();
  return tables.flatMap((table) => {
    const columns = db
      .query(`pragma table_info("${table}")`)
      .values()
      .map(([, name]) => String(name));
    try {
      const rows = db.query(`select rowid from "${table}"`).values().flat();
      return rows.flatMap((rowid) =>
        columns.map((column) => ({ table: String(table), column, rowid: Number(rowid) })),
      );
    } catch {
      // Without row ids there is no place to name.
      return [];
    }
  });
}

function cellsIn(path: string): readonly Cell[] {
  using db = new Database(path);
  return cellsOf(db);
}

function spoil(
  path: string,
  cells: readonly Cell[],
  edits: readonly {
    readonly place: number;
    readonly damage: (before: unknown) => string | number | null | Uint8Array;
  }[],
): void {
  using db = new Database(path);
  for (const { place, damage: change } of edits) {
    const cell = cells[place % cells.length];
    // A turn that is marked as ended, and is not, is of no damage's making: nobody would hear of its end.
    if (cell === undefined || (cell.table === "turns" && cell.column === "ended_at")) continue;
    const { table, column, rowid } = cell;
    const row = db.query(`select "${column}" from "${table}" where rowid = ?`).values(rowid)[0];
    // An edit before this one moved the row: a column that is the row id was spoilt.
    if (row === undefined) continue;
    const [before] = row;
    try {
      db.query(`update "${table}" set "${column}" = ? where rowid = ?`).run(change(before), rowid);
    } catch {
      // The schema itself refuses it: types, keys, what must not be null.
    }
  }
}

const strangersSession = { ...stranger, tokenId: null };
const far = Number.MAX_SAFE_INTEGER;

/** Something of somebody whose rows stay whole. Gives the turn. */
async function fillStrangers(memory: Memory): Promise<string> {
  const own = await accept(memory, stranger);
  await memory.turns.begin(own.id);
  await memory.turns.end(own.id, done({ answer: "mine" }));
  await memory.sessions.open(strangersSession, 1, far);
  await memory.preferences.set(stranger.userId, { instructions: "be brief" });
  await memory.memories.add(stranger.userId, "likes tea", []);
  return own.id;
}

/** Everything of theirs, as they are told it. */
async function strangers(memory: Memory, turnId: string) {
  const { userId, channelId, guildId, sessionId } = stranger;
  const session = await memory.sessions.get(sessionId);
  const turn = await memory.turns.get(turnId);
  return {
    ...{ session, turn, chat: await memory.sessions.findChat(userId, channelId, guildId) },
    said: await memory.transcript.recent(turn?.conversationId ?? "", 50),
    conversations: await memory.transcript.conversations(userId, 50),
    preferences: await memory.preferences.get(userId),
    memories: await memory.memories.list(userId),
    exported: exported(memory, userId),
  };
}

function exported(memory: Memory, userId: string): number {
  let records = 0;
  let cursor: string | null = null;
  do {
    const page: ExportPage = memory.exporter.page(userId, cursor);
    records += page.records.length;
    cursor = page.next;
  } while (cursor !== null);
  return records;
}

/** What an operator, or the one whose rows are damaged, may want then. Each goes to its end, or says why it does not. */
const wishes = {
  nothing: async () => {},
  export: async (memory: Memory) => void exported(memory, "100"),
  async forget(memory: Memory) {
    await memory.eraser.erase({ kind: "user", id: "100" });
    const left = memory.eraser.footprint({ kind: "user", id: "100" });
    equal(
      Object.values(left).filter((count) => count > 0),
      [],
      "what is left of somebody who is forgotten",
    );
  },
  async rotate(memory: Memory) {
    try {
      let progress = await memory.keys.rotate(null, 1000);
      while (!progress.finished) progress = await memory.keys.rotate(progress.key, 1000);
    } catch (error) {
      // What cannot be opened cannot be sealed anew, and the older key is kept for the rest.
      if (!(error instanceof AppError)) throw error;
    }
  },
  async retain(memory: Memory) {
    await memory.removeOlderThan(2, 2);
    await memory.sessions.removeExpired(2);
  },
  async list(memory: Memory) {
    await memory.tokens.list();
    await memory.audit.list({ limit: 100 });
    await memory.sessions.countActive(1);
  },
};
type Wish = keyof typeof wishes;
const wish: fc.Arbitrary<Wish> = fc.constantFrom("nothing", "export", "forget", "rotate", "retain", "list");

function serve(memory: Memory) {
  const { model, turn } = readConfig({ USER_TOKENS_PER_DAY: "0", GUILD_TOKENS_PER_DAY: "0" });
  return createTurnService({
    journal: memory.turns,
    history: memory.history,
    approvals: memory.approvals,
    flow: { restricted: async () => [], policy: () => "ask" },
    model: {
      stream: async () => ({
        content: [{ type: "text", text: "Yes.", citations: null }],
        stopReason: "end_turn",
        usage,
        model: "m",
      }),
    },
    tools: {
      definitions: () => [],
      isRepeatable: () => true,
      call: async () => ({ kind: "done", text: "", isError: false, sources: [] }),
      assertMayApprove: async () => {},
    },
    context: { read: async () => ({ preferences: {}, activeTools: [] }) },
    budgets: createBudgets(memory.budgets, turn, Date.now),
    config: { model, turn },
    emit: () => {},
    now: Date.now,
  });
}

export const rows = target(
  "rows",
  "whatever stands in a cell of the database, the service starts and everybody else is served, or it says why not",
  30,
  async () => {
    const at = folder();
    const filled = at.open();
    const { runningTurnId, queuedTurnId } = await fillEverything(filled);
    const cells = cellsIn(at.path);
    const strangersTurn = await fillStrangers(filled);
    const before = await strangers(filled, strangersTurn);
    filled[Symbol.dispose]();
    const rejections = new Rejections();
    let n = 0;
    return {
      inputs: fc.record({ edits: fc.array(edit, { minLength: 1, maxLength: 2 }), wish }),
      async check({ edits, wish: wanted }) {
        n += 1;
        const path = join(at.dir, `${n}.db`);
        copyFileSync(at.path, path);
        spoil(path, cells, edits);
        let memory: Memory;
        try {
          memory = at.open({ path });
        } catch (error) {
          if (error instanceof DatabaseOpenError) return "says why not";
          throw error;
        }
        try {
          equal(await strangers(memory, strangersTurn), before, "what somebody else is told");
          const service = serve(memory);
          try {
            await service.resume();
            const turn = await service.submit(newTurn({ ...stranger, text: "and me?" }));
            if (turn.status !== "accepted") throw new Error(turn.status);
            const outcome = await service.wait(turn.turn.id);
            const isOwn = outcome.turn.errorCode === "internal_error";
            holds(
              outcome.turn.state === "done" || isOwn,
              `a stranger's turn is ${outcome.turn.state}: ${outcome.turn.errorCode}`,
            );
            // What was under way ends, however it does.
            for (const id of [runningTurnId, queuedTurnId]) await service.wait(id).catch(() => null);
            await memory.outbox.open(100);
            await memory.outbox.unasked(100);
            await memory.outbox.unshownVerdicts(100);
            await memory.outbox.nextOfEach(100);
            await memory.outbox.undelivered(100);
            await memory.gatewaySessions.get(0).catch(() => null);
            await memory.marks.all(100);
            await wishes[wanted](memory);
            const { preferences, memories } = await strangers(memory, strangersTurn);
            equal(
              { preferences, memories },
              { preferences: before.preferences, memories: before.memories },
              wanted,
            );
          } finally {
            await service[Symbol.asyncDispose]();
          }
        } finally {
          memory[Symbol.dispose]();
          for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
        }
        rejections.check();
        return wanted;
      },
      async [Symbol.asyncDispose]() {
        at[Symbol.dispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
