import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { accept, converse, done, folder, newTurn, post, usage } from "./helpers.ts";

const auditRow = {
  at: 1,
  actorKind: "user" as const,
  actorUserId: "100",
  guildId: null,
  channelId: "200",
  sessionId: "s",
  turnId: null,
  tokenId: null,
  toolName: "tool",
  targets: "channel:1",
  verdict: "done" as const,
  reason: null,
  durationMs: 5,
};

test("audit rows are all there, in order, when their promises resolve and after closing", async () => {
  using at = folder();
  let unawaited: Promise<void>;
  {
    using memory = at.open();
    await Promise.all(Array.from({ length: 2500 }, (_, i) => memory.audit.append({ ...auditRow, at: i })));
    const newest = await memory.audit.list({ limit: 2 });
    expect(newest.map(({ at }) => at)).toEqual([2499, 2498]);
    const older = await memory.audit.list({ limit: 2, beforeId: newest[1]?.id ?? 0 });
    expect(older.map(({ at }) => at)).toEqual([2497, 2496]);
    unawaited = memory.audit.append({
      ...auditRow,
      at: 9999,
      actorUserId: "101",
      verdict: "refused",
      reason: "x",
    });
  }
  await unawaited;
  using memory = at.open();
  const [last] = await memory.audit.list({ limit: 5, actorUserId: "101" });
  expect(last).toEqual({
    ...auditRow,
    at: 9999,
    actorUserId: "101",
    verdict: "refused",
    reason: "x",
    id: 2501,
  });
  memory[Symbol.dispose]();
  expect(memory.audit.append(auditRow)).rejects.toThrow();
});

test("collected audit rows are committed in order, before later ones, within the window and at closing", async () => {
  using at = folder();
  {
    using memory = at.open();
    for (let i = 0; i < 1234; i++) memory.audit.collect({ ...auditRow, at: i });
    await memory.audit.append({ ...auditRow, at: 1234 });
    memory.audit.collect({ ...auditRow, at: 1235 });
    const rows = await memory.audit.list({ limit: 2000 });
    expect(rows.map(({ at }) => at)).toEqual(Array.from({ length: 1236 }, (_, i) => 1235 - i));
    expect(rows[0]).toEqual({ ...auditRow, at: 1235, id: 1236 });
    memory.audit.collect({ ...auditRow, at: 1236 });
  }
  using memory = at.open();
  expect(await memory.audit.list({ limit: 1 })).toMatchObject([{ at: 1236 }]);

  // Without anybody asking, another connection sees them once the window is over.
  memory.audit.collect({ ...auditRow, at: 1237 });
  using reader = new Database(at.path, { readonly: true });
  const newest = reader.prepare<{ at: number }, []>("SELECT max(at) AS at FROM audit");
  while (newest.get()?.at !== 1237) await new Promise((resolve) => setImmediate(resolve));
  memory[Symbol.dispose]();
  memory.audit.collect(auditRow);
});

test("tokens spent add up for each subject and day", async () => {
  using at = folder();
  let now = Date.UTC(2026, 10, 22, 23, 59);
  using memory = at.open({ now: () => now });
  const cost =
    usage.inputTokens + usage.outputTokens + usage.cacheCreationInputTokens + usage.cacheReadInputTokens;
  const spent = (subject: string, day = "2026-11-22") => memory.budgets.spent(subject, day);
  expect(cost).toBeGreaterThan(0);
  const first = await converse(memory, "here", { userId: "1", guildId: "2" });
  await memory.turns.end(first.id, done());
  expect([await spent("user:1"), await spent("guild:2")]).toEqual([cost, cost]);
  await converse(memory, "in a direct message", { userId: "1", guildId: null, channelId: "dm" });
  expect([await spent("user:1"), await spent("guild:2")]).toEqual([2 * cost, cost]);
  now += 120_000;
  await converse(memory, "tomorrow", { userId: "1", guildId: "2" });
  expect([await spent("user:1"), await spent("user:1", "2026-11-23")]).toEqual([2 * cost, cost]);
});

test("retention deletes what has ended before a time, and keeps tombstones, what waits and what is younger", async () => {
  using at = folder();
  let now = 1000;
  using memory = at.open({ now: () => now });
  const old = await converse(memory, "old", { discordMessageId: "1", idempotencyKey: "k" });
  for (let i = 0; i < 450; i++) await converse(memory, "old");
  await memory.history.saveSummary(old.conversationId, 0, { text: "s", uptoTurnId: old.id, sources: [] });
  await memory.outbox.planNotice("9", "200", [post("n")]);
  await memory.audit.append({ ...auditRow, at: 1000 });
  const waiting = await accept(memory);
  const elsewhere = await converse(memory, "old", { userId: "2" });
  const summary = { text: "s", uptoTurnId: elsewhere.id, sources: [] };
  await memory.history.saveSummary(elsewhere.conversationId, 0, summary);
  now = 5000;
  const young = await converse(memory, "young");
  await memory.history.load(young.conversationId, 0);

  expect(await memory.removeOlderThan(5000)).toEqual({ turns: 452, posts: 1, summaries: 1, auditRows: 1 });
  expect(await memory.turns.get(old.id)).toBeNull();
  expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([waiting.id]);
  const history = await memory.history.load(young.conversationId, 0);
  expect(history.turns.map(({ turnId }) => turnId)).toEqual([young.id]);
  for (const again of [newTurn({ discordMessageId: "1" }), newTurn({ idempotencyKey: "k" })])
    expect(await memory.turns.accept(again, 8)).toEqual({ status: "duplicate", turn: null });
  await memory.turns.end(waiting.id, done());
  expect((await memory.history.load(young.conversationId, 0)).turns).toHaveLength(2);
});
