import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { accept, approval, converse, done, folder, newTurn, post, usage } from "./helpers.ts";

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
  approvalId: null,
  approvedBy: null,
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

test("audit rows are found by any part of them", async () => {
  using at = folder();
  using memory = at.open();
  const row = (over: object) => memory.audit.append({ ...auditRow, ...over });
  await row({ at: 1, guildId: "7" });
  await row({ at: 2, toolName: "other", approvalId: "a_1", approvedBy: "5" });
  await row({ at: 3, verdict: "asked", actorUserId: "101" });
  await row({ at: 4, guildId: "7", toolName: "other" });
  const found = async (filter: Omit<Parameters<typeof memory.audit.list>[0], "limit">) =>
    (await memory.audit.list({ limit: 9, ...filter })).map((entry) => entry.at);
  expect(await found({})).toEqual([4, 3, 2, 1]);
  expect(await found({ guildId: "7" })).toEqual([4, 1]);
  expect(await found({ toolName: "other" })).toEqual([4, 2]);
  expect(await found({ toolName: "other", guildId: "7" })).toEqual([4]);
  expect(await found({ verdict: "asked" })).toEqual([3]);
  expect(await found({ actorUserId: "101", verdict: "done" })).toEqual([]);
  expect(await found({ since: 2, until: 4 })).toEqual([3, 2]);
  expect(await found({ since: 2, until: 4, beforeId: 3 })).toEqual([2]);
  const [approved] = await memory.audit.list({ limit: 1, toolName: "other", until: 4 });
  expect(approved).toMatchObject({ approvalId: "a_1", approvedBy: "5" });
});

test("memories are a person's own, newest first, and bounded", async () => {
  using at = folder();
  let id: string;
  {
    using memory = at.open({ now: () => 5 });
    for (let n = 1; n <= 500; n++) await memory.memories.add("1", `thing ${n}`, ["channel:9"]);
    expect(memory.memories.add("1", "one more", [])).rejects.toMatchObject({ code: "invalid_arguments" });
    ({ id } = await memory.memories.add("2", "another person's", []));
  }
  using memory = at.open();
  const [newest, before] = await memory.memories.list("1");
  expect(newest).toEqual({
    id: newest?.id ?? "",
    text: "thing 500",
    sources: ["channel:9"],
    createdAt: 5,
  });
  expect(newest?.id).toMatch(/^m_[\w-]{22}$/);
  expect(await memory.memories.remove("1", id)).toBe(false);
  expect(await memory.memories.remove("1", newest?.id ?? "")).toBe(true);
  expect((await memory.memories.list("1"))[0]).toEqual(before);
  expect(await memory.memories.removeAll("1")).toBe(499);
  expect((await memory.memories.list("2")).map(({ text }) => text)).toEqual(["another person's"]);
});

test("it is known for whom a message was posted, by a tool or as an answer, and when a tool last did", async () => {
  using at = folder();
  using memory = at.open();
  const { sent, outbox } = memory;
  for (const [messageId, at] of [
    ["1", 50],
    ["2", 40],
  ] as const)
    await sent.record({ messageId, channelId: "200", userId: "7", at });
  await sent.record({ messageId: "1", channelId: "200", userId: "8", at: 90 });
  expect(await sent.lastAt("200", "7")).toBe(50);
  expect(await sent.lastAt("200", "8")).toBeNull();
  expect(await sent.lastAt("201", "7")).toBeNull();
  const { id } = await converse(memory, "yes", {
    discordMessageId: "5",
    replyTo: { channelId: "200", messageId: "5" },
  });
  await outbox.planAnswer(id, [post("a", { subject: id }), post("n", { subject: id, purpose: "notice" })]);
  await outbox.markSent("a", "60");
  await outbox.markSent("n", "61");
  const users = await Promise.all(["1", "2", "60", "61", "62"].map((messageId) => sent.userOf(messageId)));
  expect(users).toEqual(["7", "7", "100", null, null]);
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
  const decided = await memory.approvals.add(approval());
  const asked = await memory.approvals.add(approval());
  await memory.approvals.decide(decided.id, { approved: false, by: "100" }, 1000);
  const waiting = await accept(memory);
  const elsewhere = await converse(memory, "old", { userId: "2" });
  const summary = { text: "s", uptoTurnId: elsewhere.id, sources: [] };
  await memory.history.saveSummary(elsewhere.conversationId, 0, summary);
  now = 5000;
  const young = await converse(memory, "young");
  await memory.history.load(young.conversationId, 0);

  await memory.sent.record({ messageId: "1", channelId: "2", userId: "3", at: 4999 });
  await memory.sent.record({ messageId: "2", channelId: "2", userId: "3", at: 5000 });
  expect(await memory.removeOlderThan(5000, 1000)).toEqual({
    turns: 452,
    posts: 1,
    approvals: 1,
    sentMessages: 1,
    summaries: 1,
    auditRows: 0,
  });
  expect((await memory.removeOlderThan(0, 1001)).auditRows).toBe(1);
  expect(await memory.approvals.get(asked.id)).not.toBeNull();
  expect(await memory.sent.userOf("2")).toBe("3");
  expect(await memory.turns.get(old.id)).toBeNull();
  expect((await memory.turns.unfinished()).map(({ id }) => id)).toEqual([waiting.id]);
  const history = await memory.history.load(young.conversationId, 0);
  expect(history.turns.map(({ turnId }) => turnId)).toEqual([young.id]);
  for (const again of [newTurn({ discordMessageId: "1" }), newTurn({ idempotencyKey: "k" })])
    expect(await memory.turns.accept(again, 8)).toEqual({ status: "duplicate", turn: null });
  await memory.turns.end(waiting.id, done());
  expect((await memory.history.load(young.conversationId, 0)).turns).toHaveLength(2);
});
