import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createErasing, type LiveParts } from "../../src/erasing/erasing.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { withheldQuote } from "../../src/memory/quotes.ts";
import { snowflakeAt } from "../../src/snowflake.ts";
import { utcDay } from "../../src/utc-day.ts";
import { accept, converse, done, folder, newTurn, usage } from "./helpers.ts";
import {
  ana,
  ben,
  columnsWith,
  direct,
  general,
  guild,
  inFiles,
  mark,
  plantAna,
  plantBen,
  sealedValues,
  suspend,
  tablesOf,
  wordColumns,
} from "./person.ts";

const erasingOf = (memory: Memory, now: () => number = Date.now, live: LiveParts | null = null) =>
  createErasing({ erasures: memory.erasures, eraser: memory.eraser, live, logs: [], now });

/** What becomes of each table; docs/privacy.md says the same in words. */
const plan: Readonly<Record<string, string>> = {
  data_keys: "of nobody",
  conversations: "deleted",
  turns: "deleted; quotes in others' withheld",
  messages: "deleted; quotes in others' withheld",
  tool_calls: "deleted; quotes in others' withheld",
  approvals: "deleted; quotes in others' withheld, and who decided",
  summaries: "deleted; quotes in others' withheld",
  preferences: "deleted; quotes in others' withheld",
  sessions: "deleted",
  api_tokens: "deleted; names of others' changed",
  posts: "deleted",
  sent_messages: "deleted",
  memories: "deleted; quotes in others' withheld",
  seen_messages: "kept as tombstones, without the direct channel",
  idempotency_keys: "kept as tombstones: an HMAC",
  channel_marks: "of direct channels deleted",
  gateway_sessions: "of nobody",
  identifies: "of nobody",
  token_usage: "deleted; the present day's under an HMAC, until it is over",
  audit: "kept without the person",
  erasures: "deleted when it is done",
  forgotten_people: "kept: an HMAC",
};

/** Columns that cannot name a person or hold their words: ids that we make, words of closed lists, keys. */
const nameless = [
  "data_keys.salt",
  "data_keys.wrapped",
  "conversations.id",
  "conversations.guild_id",
  ...["id", "conversation_id", "session_id", "actor_kind", "guild_id", "origin", "discord_message_id"].map(
    (name) => `turns.${name}`,
  ),
  ...["reply_message_id", "state", "answer_to", "stop_reason", "error_code", "delivery"].map(
    (name) => `turns.${name}`,
  ),
  ...["role", "stop_reason", "model"].map((name) => `messages.${name}`),
  ...["tool_use_id", "tool_name", "state"].map((name) => `tool_calls.${name}`),
  ...["id", "kind", "turn_id", "conversation_id", "session_id", "actor_kind", "guild_id", "channel_id"].map(
    (name) => `approvals.${name}`,
  ),
  ...["tool_use_id", "tool_name", "fingerprint", "ask_in", "state", "delivery", "post_nonce"].map(
    (name) => `approvals.${name}`,
  ),
  ...["conversation_id", "upto_turn_id"].map((name) => `summaries.${name}`),
  ...["id", "guild_id", "conversation_id", "active_tools", "token_id"].map((name) => `sessions.${name}`),
  ...["id", "secret_hash", "scopes", "guild_ids"].map((name) => `api_tokens.${name}`),
  ...["nonce", "purpose", "subject", "reply_to_message_id", "state", "message_id", "failure"].map(
    (name) => `posts.${name}`,
  ),
  ...["message_id", "channel_id"].map((name) => `sent_messages.${name}`),
  "memories.id",
  "seen_messages.message_id",
  "forgotten_people.hash",
  "idempotency_keys.hash",
  "idempotency_keys.turn_id",
  "channel_marks.message_id",
  "gateway_sessions.session_id",
  "gateway_sessions.resume_url",
  "token_usage.day",
  ...["actor_kind", "guild_id", "session_id", "turn_id", "token_id", "verdict", "approval_id"].map(
    (name) => `audit.${name}`,
  ),
  ...["kind", "stage", "reply_message_id"].map((name) => `erasures.${name}`),
];

const names = [ana, mark, direct];

const idle: LiveParts = {
  shut: () => ({ settled: async () => true, open: () => undefined }),
  discordNow: () => null,
  flush: async () => undefined,
  stop: async () => undefined,
  revoke: async () => undefined,
  forget: async () => undefined,
  isIn: async () => false,
  tell: async () => undefined,
};

describe("a person who is forgotten", () => {
  test("has a plan for every table: add a new one to it, to eraser and export, and to docs/privacy.md", async () => {
    using at = folder();
    at.open()[Symbol.dispose]();
    using sqlite = new Database(at.path);
    expect(Object.keys(plan).sort()).toEqual([...tablesOf(sqlite)].sort());
    const privacy = await Bun.file(join(import.meta.dir, "../../docs/privacy.md")).text();
    for (const table of Object.keys(plan)) expect(privacy).toContain(`\`${table}\``);
  });

  test("was in every column that can hold them, and is in none, nor in the bytes of the files", async () => {
    using at = folder();
    {
      using memory = at.open();
      await plantAna(memory);
      await plantBen(memory);
      await memory.erasures.requestByMessage(ana, { id: "9006", channelId: direct, isDirect: false });
    }
    const planted = columnsWith(at.path, names);
    expect([...planted.keys(), ...nameless].sort()).toEqual([...wordColumns(at.path)].sort());
    const hers = `turn_seq IN (SELECT seq FROM turns WHERE user_id = '${ana}')`;
    const sealed = [
      ...sealedValues(at.path, "turns", "text", `user_id = '${ana}'`),
      ...sealedValues(at.path, "memories", "text", `user_id = '${ana}'`),
      ...sealedValues(at.path, "messages", "content", hers),
      ...sealedValues(at.path, "tool_calls", "result", hers),
      ...sealedValues(at.path, "posts", "content", "1"),
    ];
    expect(sealed.length).toBeGreaterThan(10);
    expect(inFiles(at.path, ana)).not.toEqual([]);
    {
      using memory = at.open();
      expect(await erasingOf(memory).erase(ana)).toEqual({ left: false });
      // While it runs, too: nothing waits for the service to end.
      for (const name of names) expect(inFiles(at.path, name)).toEqual([]);
    }
    expect([...columnsWith(at.path, names)]).toEqual([]);
    for (const name of names) expect(inFiles(at.path, name)).toEqual([]);
    for (const value of sealed) expect(inFiles(at.path, value)).toEqual([]);
    using sqlite = new Database(at.path);
    expect(sqlite.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(sqlite.query("PRAGMA foreign_key_check").all()).toEqual([]);
    expect(sqlite.query("SELECT * FROM erasures").all()).toEqual([]);
  });

  test("leaves others what is theirs: what names her is withheld, and the rest stays as it was", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    const { conversationId, about, asked } = await plantBen(memory);
    await erasingOf(memory).erase(ana);
    const { summary, turns } = await memory.history.load(conversationId, 0);
    expect(summary).toMatchObject({ text: withheldQuote, sources: [] });
    expect(turns.map(({ turnId }) => turnId)).toEqual([about]);
    expect(turns[0]?.messages).toMatchObject([
      { role: "user", content: [{ text: withheldQuote }, { text: withheldQuote }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: withheldQuote },
          { type: "tool_use", id: "call", name: "tool", input: { user_id: "forgotten", why: withheldQuote } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "call", content: withheldQuote }] },
      { role: "assistant", content: [{ type: "text", text: withheldQuote }] },
    ]);
    // What only she could read is a source that nobody knows, and so is read to nobody.
    expect(turns[0]?.sources).toEqual(["forgotten", `guild:${guild}`]);
    const said = (await memory.transcript.recent(conversationId, 10)).map(({ content }) => content);
    expect(said.slice(0, 2)).toEqual(["When does it open?", "The harbour opens at six."]);
    expect(await memory.preferences.get(ben)).toEqual({ instructions: withheldQuote, tone: "dry" });
    expect((await memory.memories.list(ben)).map(({ text }) => text)).toEqual(["Likes tea", withheldQuote]);
    expect(await memory.approvals.get(asked)).toMatchObject({
      ...{ input: { user_id: "forgotten" }, state: "denied", decidedBy: "forgotten" },
      question: { text: withheldQuote, publicText: withheldQuote },
    });
    expect((await memory.tokens.list()).map(({ name }) => name)).toEqual([
      "For forgotten and Ben",
      "operator",
    ]);
    const log = (await memory.audit.list({ limit: 10 })).toReversed();
    expect(log).toMatchObject([
      {
        ...{ actorUserId: "forgotten", channelId: "forgotten", sessionId: null, turnId: null, tokenId: null },
        targets: `member:${guild}:forgotten channel:forgotten`,
      },
      { toolName: "made_up_forgotten", reason: "about forgotten", approvedBy: "forgotten" },
      { actorUserId: ben, sessionId: "s_ben", targets: `member:${guild}:forgotten`, approvedBy: "forgotten" },
      { actorUserId: ben, targets: `member:${guild}:${ben}` },
    ]);
  });

  test("is not found in a longer number", async () => {
    using at = folder();
    using memory = at.open();
    const { conversationId } = await converse(memory, `See 9${ana} and ${ana}9.`, { userId: ben });
    await erasingOf(memory).erase(ana);
    const said = (await memory.transcript.recent(conversationId, 10)).map(({ content }) => content);
    expect(said.at(-1)).toBe(`See 9${ana} and ${ana}9.`);
  });

  test.each([ana, "4503599627370497"])("is found as a number, too: %s", async (id) => {
    using at = folder();
    using memory = at.open();
    const turn = await accept(memory, { userId: ben });
    await memory.turns.begin(turn.id);
    const input = { user_id: Number(id), count: 7, seen: `${Number(id)}` };
    await memory.turns.saveStep(turn.id, {
      ...{
        step: 1,
        content: [{ type: "tool_use", id: "call", name: "tool", input }],
        stopReason: "tool_use",
      },
      ...{ usage, model: "model", sources: [] },
    });
    await memory.turns.end(turn.id, done());
    await erasingOf(memory).erase(id);
    const [step] = await memory.turns.steps(turn.id);
    const seen = id === ana ? input.seen : "forgotten";
    expect(step?.content).toMatchObject([{ input: { user_id: "forgotten", count: 7, seen } }]);
  });

  test("stays named in what others work with until that has ended", async () => {
    using at = folder();
    let now = Date.now();
    using memory = at.open({ now: () => now });
    const erasing = erasingOf(memory, () => now);
    const turn = await suspend(memory, { userId: ben, channelId: general, guildId: guild }, `Ban ${ana}?`);
    expect(await erasing.erase(ana)).toEqual({ left: true });
    const asked = (await memory.approvals.pending(turn.conversationId))[0];
    expect(asked?.question.text).toBe(`Ban ${ana}?`);
    expect(await memory.erasures.get("user", ana)).toMatchObject({ stage: "quotes" });
    // What she writes after that is not taken from her.
    const again = await converse(memory, "Hello again.", { userId: ana });
    await memory.turns.endSuspended(turn.conversationId, turn.id, done({ answer: `Not ${ana}` }));
    await erasing.runDue();
    expect(await memory.erasures.get("user", ana)).not.toBeNull();
    now += 11 * 60_000;
    await erasing.runDue();
    expect(await memory.erasures.get("user", ana)).toBeNull();
    expect((await memory.turns.get(turn.id))?.text).toBe(withheldQuote);
    expect((await memory.approvals.get(asked?.id ?? ""))?.question.text).toBe(withheldQuote);
    expect((await memory.turns.get(again.id))?.answer).toBe("Hello again.");
  });

  test("is told from a redelivery: tombstones stay", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    await erasingOf(memory).erase(ana);
    for (const discordMessageId of ["9001", "9002", "9003", "9004", "9005"])
      expect(await memory.turns.accept(newTurn({ discordMessageId, userId: ana }), 8)).toEqual({
        status: "duplicate",
        turn: null,
      });
  });

  test("is not taken at a word of before that comes late, from the wish on and for good", async () => {
    using at = folder();
    const yes = snowflakeAt(Date.now() - 60_000);
    const before = String(BigInt(yes) - 1n);
    const after = snowflakeAt(Date.now());
    const late = async (memory: Memory) => {
      const ids = [before, yes, after];
      return Promise.all(ids.map((id) => memory.seen.isOfForgotten(id, ana)));
    };
    {
      using memory = at.open();
      expect(await late(memory)).toEqual([false, false, false]);
      await memory.erasures.requestByMessage(ana, { id: yes, channelId: direct, isDirect: true });
      expect(await late(memory)).toEqual([true, false, false]);
      await erasingOf(memory).runDue();
    }
    using memory = at.open();
    expect(await late(memory)).toEqual([true, false, false]);
    expect(await memory.seen.isOfForgotten(before, ben)).toBe(false);
  });

  test("has asked by Discord's clock, when it is known", async () => {
    using at = folder();
    const machine = Date.now();
    using memory = at.open({ now: () => machine });
    const said = (time: number, id = ana) => memory.seen.isOfForgotten(snowflakeAt(time), id);
    const wish = { kind: "user", subject: ana, dueAt: 0 } as const;
    await memory.erasures.request({ ...wish, discordNow: machine - 600_000 });
    expect([await said(machine - 600_001), await said(machine - 600_000)]).toEqual([true, false]);
    // Asked again, it is another wish, and not an earlier one.
    await memory.erasures.request({ ...wish, discordNow: machine - 900_000 });
    expect([await said(machine - 600_000), await said(machine - 599_998)]).toEqual([true, false]);
  });

  test("has asked after what Discord has told of, by a clock that is far behind, and before it is known", async () => {
    using at = folder();
    const told = Date.now();
    using memory = at.open({ now: () => told - 600_000 });
    await memory.marks.advance(new Map([[general, snowflakeAt(told)]]));
    await memory.erasures.request({ kind: "user", subject: ana, dueAt: 0 });
    expect(await memory.seen.isOfForgotten(snowflakeAt(told - 1), ana)).toBe(true);
    expect(await memory.seen.isOfForgotten(snowflakeAt(told + 1), ana)).toBe(false);
  });

  test("has not asked later than it is in Discord, once that is known: before it is done, and after", async () => {
    using at = folder();
    const discord = Date.now();
    using memory = at.open({ now: () => discord + 600_000 });
    await memory.erasures.request({ kind: "user", subject: ben, dueAt: 0 });
    await erasingOf(memory).erase(ben);
    await memory.erasures.request({ kind: "user", subject: ana, dueAt: 0 });
    await memory.erasures.notAfter(discord);
    for (const id of [ana, ben]) {
      expect(await memory.seen.isOfForgotten(snowflakeAt(discord - 1), id)).toBe(true);
      expect(await memory.seen.isOfForgotten(snowflakeAt(discord), id)).toBe(false);
    }
  });

  test("is not named either by calls of others that were under way and end later", async () => {
    using at = folder();
    let now = 1000;
    using memory = at.open({ now: () => now });
    await plantAna(memory);
    for (let time = 0; time < 2; time++) await erasingOf(memory, () => now).erase(ana);
    const call = {
      ...({ actorKind: "user", verdict: "done" } as const),
      ...{
        guildId: guild,
        channelId: direct,
        sessionId: "s_1",
        turnId: null,
        tokenId: "t_1",
        toolName: "tool",
      },
      ...{ reason: null, durationMs: 900, approvalId: null, approvedBy: null },
    };
    const targets = `member:${guild}:${ana}`;
    memory.audit.collect({ ...call, at: 1000, actorUserId: ana, targets });
    await memory.audit.append({ ...call, at: 999, actorUserId: ben, targets });
    now += 1000;
    memory.audit.flush();
    expect([...columnsWith(at.path, names)]).toEqual([]);
    memory.audit.collect({ ...call, at: now, actorUserId: ana, targets });
    now += 60_000;
    const [again, ofBen, ofAna] = await memory.audit.list({ limit: 3 });
    expect(again).toMatchObject({ actorUserId: ana, sessionId: "s_1", targets });
    expect(ofBen).toMatchObject({ actorUserId: ben, sessionId: "s_1", targets: `member:${guild}:forgotten` });
    expect(ofAna).toMatchObject({ actorUserId: "forgotten", sessionId: null, channelId: "forgotten" });
  });

  test("is posted nothing more: not what was planned, and not what was about to be", async () => {
    using at = folder();
    using memory = at.open();
    const { ended } = await plantAna(memory);
    const [planned] = await memory.outbox.open(10);
    await memory.erasures.request({ kind: "user", subject: ana, dueAt: 1 });
    memory.eraser.silence({ kind: "user", id: ana });
    expect(await memory.outbox.undelivered(10)).toEqual([]);
    expect(await memory.outbox.unasked(10)).toEqual([]);
    await memory.outbox.planAnswer(ended, [{ ...(planned ?? fail()), nonce: "late", ordinal: 5 }]);
    await erasingOf(memory).runDue();
    expect(await memory.outbox.open(10)).toEqual([]);
    expect(await memory.outbox.markSending(planned?.nonce ?? "", 1)).toBe(false);
  });

  test("has spent what was spent until the day is over, under nobody's name", async () => {
    using at = folder();
    let now = Date.UTC(2026, 10, 22, 12);
    using memory = at.open({ now: () => now });
    await converse(memory, "yes", { userId: ana });
    const subject = `user:${ana}`;
    const before = await memory.budgets.spent(subject, utcDay(now));
    expect(before).toBeGreaterThan(0);
    for (let time = 0; time < 2; time++) await erasingOf(memory, () => now).erase(ana);
    expect(await memory.budgets.spent(subject, utcDay(now))).toBe(before);
    await converse(memory, "yes", { userId: ana });
    expect(await memory.budgets.spent(subject, utcDay(now))).toBe(2 * before);
    await erasingOf(memory, () => now).erase(ana);
    now += 24 * 3_600_000;
    await memory.removeOlderThan(1, 1);
    expect(columnsWith(at.path, ["forgotten:"]).size).toBe(0);
  });

  test.each([1, 4, 9, 13, 17, 20, 22])(
    "is gone in the end when it was killed at breath %d",
    async (breaths) => {
      using at = folder();
      {
        using memory = at.open();
        await plantAna(memory);
        await plantBen(memory);
        for (let turn = 0; turn < 25; turn++) await converse(memory, `${mark} ${turn}`, { userId: ana });
      }
      const child = [process.execPath, join(import.meta.dir, "forget-child.ts"), at.path, String(breaths)];
      const killed = Bun.spawn(child, { stdout: "pipe", stderr: "inherit" });
      await killed.exited;
      expect(killed.signalCode).toBe("SIGKILL");
      expect(columnsWith(at.path, names).size).toBeGreaterThan(0);
      using memory = at.open();
      expect(await memory.erasures.nextDue(Date.now())).toMatchObject({ kind: "user", subject: ana });
      await erasingOf(memory).runDue();
      expect([...columnsWith(at.path, names)]).toEqual([]);
      for (const name of names) expect(inFiles(at.path, name)).toEqual([]);
    },
  );

  test("is forgotten though something of somebody else's is damaged", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    const { conversationId } = await plantBen(memory);
    using sqlite = new Database(at.path);
    const harbour = `turn_seq = (SELECT min(seq) FROM turns WHERE conversation_id = '${conversationId}')`;
    sqlite.run(`UPDATE messages SET content = zeroblob(60) WHERE ordinal = 0 AND ${harbour}`);
    sqlite.run(`UPDATE messages SET sources = 'no list' WHERE ordinal = 1 AND ${harbour}`);
    sqlite.run(
      "INSERT INTO posts SELECT NULL, 'n9', purpose, 'x', 0, channel_id, NULL, NULL, '[', 'sent', NULL, NULL, NULL, 1 FROM posts LIMIT 1",
    );
    expect(await erasingOf(memory).erase(ana)).toEqual({ left: false });
    sqlite.run(`DELETE FROM messages WHERE ordinal = 0 AND ${harbour}`);
    expect([...columnsWith(at.path, names)]).toEqual([]);
  });

  test("is not in the log any more, once the backup that was reading it has ended", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    using backup = new Database(at.path, { readonly: true });
    backup.run("BEGIN");
    backup.query("SELECT count(*) FROM turns").get();
    const erasing = erasingOf(memory);
    expect(await erasing.erase(ana)).toEqual({ left: false });
    expect(inFiles(at.path, ana)).not.toEqual([]);
    backup.run("COMMIT");
    await erasing.runDue();
    for (const name of names) expect(inFiles(at.path, name)).toEqual([]);
  });

  test("is not held up by somebody else who cannot be forgotten just now", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    await memory.erasures.requestByMessage(ben, { id: "9007", channelId: general, isDirect: false });
    const live: LiveParts = {
      ...idle,
      async tell() {
        throw new Error("not now");
      },
    };
    const erasing = erasingOf(memory, Date.now, live);
    expect(await erasing.erase(ana)).toEqual({ left: false });
    expect([...columnsWith(at.path, names)]).toEqual([]);
    await expect(erasing.runDue()).rejects.toThrow("not now");
    await expect(erasing.erase(ben)).rejects.toThrow("not now");
    expect(await memory.erasures.get("user", ben)).not.toBeNull();
  });

  test("is forgotten at once, also when the clock is set back meanwhile", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    let now = Date.now();
    expect(await erasingOf(memory, () => (now -= 1000)).erase(ana)).toEqual({ left: false });
  });

  test("who goes on writing meanwhile is forgotten in another round", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    let writes = 2;
    const calls: string[] = [];
    const live: LiveParts = {
      ...idle,
      stop: async () => void calls.push("stop"),
      revoke: async (id) => void calls.push(`revoke ${id}`),
      async forget() {
        calls.push("forget");
        if (writes-- > 0) await accept(memory, { userId: ana, text: `${mark} once more` });
      },
      tell: async ({ messageId }) => void calls.push(`tell ${messageId}`),
    };
    await memory.erasures.requestByMessage(ana, { id: "9006", channelId: general, isDirect: false });
    await erasingOf(memory, Date.now, live).runDue();
    expect(calls).toEqual([
      // Twice each time: what ends meanwhile may leave something behind.
      ...["revoke t_ana", "stop", "stop", "stop", "revoke t_ana", "stop", "stop", "stop", "forget"],
      ...["stop", "stop", "forget", "stop", "stop", "forget", "tell 9006"],
    ]);
    expect([...columnsWith(at.path, names)]).toEqual([]);
  });
});

describe("a server that is cleaned up", () => {
  test("is in no table; its people's other places stay", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    await plantBen(memory);
    const limited = { secretHash: new Uint8Array(32), userId: null, scopes: [], createdAt: 1 };
    const ends = { expiresAt: null, revokedAt: null, lastUsedAt: null };
    await memory.tokens.insert({ ...limited, ...ends, id: "t_one", name: "one", guildIds: [guild] });
    await memory.tokens.insert({ ...limited, ...ends, id: "t_two", name: "two", guildIds: [guild, "301"] });
    const direct = await memory.turns.conversationId(ana, "400000000000000777", null);
    expect(memory.eraser.holdings({ kind: "guild", id: guild }).tokenIds).toEqual(["t_one"]);
    await memory.erasures.request({ kind: "guild", subject: guild, dueAt: 0 });
    await erasingOf(memory, Date.now, idle).runDue();
    const kept = columnsWith(at.path, [guild]);
    // Ana's and Ben's own: where it was read stands there, and keeps it from everybody.
    expect([...kept.keys()].filter((column) => !column.endsWith(".sources"))).toEqual([]);
    expect((await memory.history.load(direct ?? "", 0)).turns).toHaveLength(1);
    expect(await memory.memories.list(ana)).toHaveLength(1);
    const tokens = (await memory.tokens.list()).map(({ id, guildIds }) => [id, guildIds]);
    expect(tokens).toContainEqual(["t_two", ["301"]]);
    expect(tokens).not.toContainEqual(["t_one", [guild]]);
    expect(await memory.audit.list({ limit: 10, guildId: guild })).toEqual([]);
  });
});

function fail(): never {
  throw new Error("nothing was planned");
}
