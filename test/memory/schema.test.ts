import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import journal from "../../drizzle/meta/_journal.json";
import type { Memory } from "../../src/memory/memory.ts";
import { migrations } from "../../src/memory/migrations.ts";
import { accept, approval, converse, done, folder, newTurn, post } from "./helpers.ts";

const root = join(import.meta.dir, "..", "..");

test("every generated migration is in the list, in its order, as it is on disk", async () => {
  expect(migrations.map(({ tag }) => tag)).toEqual(journal.entries.map(({ tag }) => tag));
  const files = readdirSync(join(root, "drizzle")).filter((name) => name.endsWith(".sql"));
  expect(files.sort()).toEqual(migrations.map(({ tag }) => `${tag}.sql`));
  for (const { tag, sql } of migrations)
    expect(sql).toBe(await Bun.file(join(root, "drizzle", `${tag}.sql`)).text());
});

test("schema.ts and the migrations say the same: nothing is left to generate", async () => {
  using at = folder();
  await Bun.$`cp -r ${join(root, "drizzle")} ${at.dir}/out`.quiet();
  const kit = join("node_modules", "drizzle-kit", "bin.cjs");
  const out = relative(root, join(at.dir, "out"));
  const result =
    await Bun.$`${process.execPath} ${kit} generate --dialect sqlite --schema src/memory/schema.ts --out ${out}`
      .cwd(root)
      .quiet();
  expect(result.stdout.toString()).toContain("No schema changes");
});

test("every table is STRICT: add it by hand to what drizzle-kit generates", () => {
  using at = folder();
  at.open()[Symbol.dispose]();
  using sqlite = new Database(at.path);
  const tables = sqlite
    .query<{ name: string; strict: number }, []>("PRAGMA table_list")
    .all()
    .filter(({ name }) => !name.startsWith("sqlite_"));
  expect(tables.length).toBeGreaterThan(10);
  expect(tables.filter(({ strict }) => strict !== 1)).toEqual([]);
});

/** Small by nature, a partial index of what is open, or read from one end with a limit. */
const mayScan = [
  /^SCAN (data_keys|api_tokens)\b/,
  /^SCAN \w+ USING INDEX (turns_unfinished|turns_undelivered|posts_open|approvals_unasked|approvals_asked)$/,
  /^SCAN (audit$|channel_marks USING INDEX)/,
];

test("every query at run time uses an index", async () => {
  using at = folder();
  const queries = new Set<string>();
  {
    using memory = at.open({ onQuery: (sql) => queries.add(sql), cacheBytes: 0 });
    await useEverything(memory);
  }
  using sqlite = new Database(at.path);
  const scans: string[] = [];
  for (const sql of queries) {
    if (sql.includes('from "api_tokens" order by')) continue; // all of a handful, sorted
    if (sql.startsWith("insert into") && !sql.includes("select")) continue;
    const plan = sqlite.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`).all();
    for (const { detail } of plan)
      if (/^(SCAN|USE TEMP)/.test(detail) && !mayScan.some((known) => known.test(detail)))
        scans.push(`${detail}: ${sql}`);
  }
  expect(queries.size).toBeGreaterThan(40);
  expect(scans).toEqual([]);
});

async function useEverything(memory: Memory): Promise<void> {
  const replyTo = { channelId: "200", messageId: "1" };
  const turn = await converse(memory, "yes", { discordMessageId: "1", idempotencyKey: "k", replyTo });
  await accept(memory, { discordMessageId: "2" });
  const { conversationId } = turn;
  await memory.turns.accept(newTurn({ discordMessageId: "2", idempotencyKey: "k" }), 8);
  await memory.turns.accept(newTurn({ idempotencyKey: "k" }), 8);
  await memory.turns.unfinished();
  await memory.turns.nextQueued(conversationId);
  await memory.turns.editQueued("2", "better");
  await memory.turns.yield(turn.id);
  await memory.turns.steps(turn.id);
  await memory.turns.toolRunning(turn.id, 1, "x");
  const result = { type: "tool_result" as const, tool_use_id: "x" };
  await memory.turns.toolEnded(turn.id, 1, "x", { state: "done", result, sources: [] });
  await memory.turns.removeQueued("2");
  await memory.turns.cancelQueued(conversationId);
  await memory.turns.conversationId("100", "200", "300");
  await memory.history.saveSummary(conversationId, 0, { text: "s", uptoTurnId: turn.id, sources: [] });
  await memory.history.load(conversationId, 0);
  await memory.transcript.recent(conversationId, 10);
  await memory.turns.reset("100", "200", null);
  const session = { sessionId: "s", userId: "100", channelId: "200", guildId: null, tokenId: null };
  await memory.sessions.open(session, 1, 2);
  await memory.sessions.open(session, 1, 2);
  await memory.sessions.get("s");
  await memory.sessions.findChat("100", "200", "300");
  await memory.sessions.touch("s", 1, 2);
  await memory.sessions.count("s", "message");
  await memory.sessions.count("s", "tool_call");
  await memory.sessions.setActiveTools("s", ["a"]);
  await memory.sessions.countActive(1);
  await memory.sessions.countActiveOf("100", 1);
  await memory.sessions.removeExpired(5);
  await memory.preferences.set("100", { tone: "dry" });
  await memory.preferences.get("100");
  await useApprovals(memory);
  await useDoors(memory, turn.id);
  await memory.removeOlderThan(Date.now() + 1000, Date.now() + 1000);
}

async function useApprovals(memory: Memory): Promise<void> {
  const { id, conversationId } = await accept(memory, {
    channelId: "201",
    replyTo: { channelId: "201", messageId: "3" },
  });
  await memory.turns.begin(id);
  const ask = () => memory.turns.suspend(id, [approval({ turnId: id, conversationId })]);
  const [first] = await ask();
  const approvalId = first?.id ?? "";
  await memory.turns.approvals(id);
  await memory.turns.nextQueued(conversationId);
  await memory.outbox.unasked(5);
  await memory.outbox.planQuestion(approvalId, [post("q", { purpose: "question", subject: approvalId })]);
  await memory.approvals.pending(conversationId);
  await memory.approvals.decide(approvalId, { approved: true, by: "100" }, 1);
  await memory.outbox.unshownVerdicts(5);
  await memory.outbox.markShown(approvalId);
  await memory.turns.toolAsked(id, 1, "x");
  await ask();
  await memory.turns.endSuspended(conversationId, id, done());
  await memory.approvals.add(approval());
  await memory.approvals.expire(Number.MAX_SAFE_INTEGER);
  await memory.approvals.use(approvalId, 1);
  const { id: memoryId } = await memory.memories.add("1", "text", []);
  await memory.memories.list("1");
  await memory.memories.remove("1", memoryId);
  await memory.memories.removeAll("1");
  await memory.sent.record({ messageId: "1", channelId: "2", userId: "3", at: 4 });
  await memory.sent.userOf("2");
  await memory.sent.lastAt("2", "3");
}

async function useDoors(memory: Memory, turnId: string): Promise<void> {
  await memory.outbox.undelivered(5);
  await memory.outbox.planAnswer(turnId, []);
  await memory.outbox.planNotice("9", "200", []);
  await memory.outbox.open(5);
  await memory.outbox.markSending("n", 1);
  await memory.outbox.markSent("n", "5");
  await memory.outbox.markFailed("n", "no");
  await memory.outbox.isOurs("5");
  await memory.seen.has("5");
  await memory.seen.add("5", "200");
  await memory.marks.advance(new Map([["200", "5"]]));
  await memory.marks.get("200");
  await memory.marks.all(5);
  await memory.gatewaySessions.set({
    shardId: 0,
    shardCount: 1,
    sessionId: "g",
    resumeUrl: "u",
    sequence: 1,
  });
  await memory.gatewaySessions.get(0);
  await memory.gatewaySessions.clear(0);
  await memory.identifies.record(1);
  await memory.identifies.since(0);
  const token = {
    id: "t",
    name: "n",
    secretHash: new Uint8Array(32),
    userId: null,
    scopes: [],
    guildIds: null,
  };
  await memory.tokens.insert({ ...token, createdAt: 1, expiresAt: null, revokedAt: null, lastUsedAt: null });
  await memory.tokens.touch("t", 1);
  await memory.tokens.get("t");
  await memory.tokens.list();
  await memory.tokens.revoke("t", 1);
  await memory.audit.list({ limit: 5 });
  await memory.audit.list({ limit: 5, beforeId: 7 });
  await memory.audit.list({ limit: 5, beforeId: 7, actorUserId: "1" });
  await memory.audit.list({ limit: 5, guildId: "1", toolName: "t", verdict: "done", since: 1, until: 2 });
  await memory.audit.list({ limit: 5, actorUserId: "1", since: 1 });
  await memory.budgets.spent("user:1", "2026-11-22");
}
