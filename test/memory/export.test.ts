import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { createErasing } from "../../src/erasing/erasing.ts";
import { connect } from "../../src/memory/connection.ts";
import { loadDataKeys } from "../../src/memory/data-keys.ts";
import type { ExportRecord } from "../../src/memory/export-turn.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { placeOf, type RawRow, sealedTables } from "../../src/memory/sealed-columns.ts";
import { approval, converse, folder, secretKey } from "./helpers.ts";
import { ana, ben, general, guild, mark, plantAna, plantBen, tablesOf } from "./person.ts";

function exported(memory: Memory, userId = ana): readonly ExportRecord[] {
  const records: ExportRecord[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = memory.exporter.page(userId, cursor);
    records.push(...page.records);
    if (page.next === null) return records;
    cursor = page.next;
  }
}

const ofTurn = `turn_seq IN (SELECT seq FROM turns WHERE user_id = '${ana}')`;
const ofConversation = `conversation_id IN (SELECT id FROM conversations WHERE user_id = '${ana}')`;
const own = `user_id = '${ana}'`;

/** The rows of each table that are a person's; null where the table is about nobody, or docs/privacy.md says why not. */
const ownRows: Readonly<Record<string, string | null>> = {
  ...{ conversations: own, turns: own, messages: ofTurn, tool_calls: ofTurn, approvals: own },
  ...{ summaries: ofConversation, preferences: own, sessions: own, api_tokens: own, sent_messages: own },
  ...{ memories: own, posts: `allowed_mention_user_ids LIKE '%${ana}%'`, audit: `actor_user_id = '${ana}'` },
  token_usage: `subject = 'user:${ana}'`,
  ...{ seen_messages: null, idempotency_keys: null, channel_marks: null, erasures: null },
  forgotten_people: null,
  ...{ data_keys: null, gateway_sessions: null, identifies: null },
};

/** Columns that say nothing of a person: numbers of ours, how far something has come, what stands elsewhere as well. */
const left: readonly string[] = [
  ...["epoch", "ended_count", "user_id"].map((name) => `conversations.${name}`),
  ...["seq", "epoch", "actor_kind", "user_id", "reply_channel_id", "reply_message_id"].map(
    (name) => `turns.${name}`,
  ),
  ...["starts", "ended_order", "answer_to", "delivery"].map((name) => `turns.${name}`),
  // Of the person's own message, which is the turn's text, the row says nothing more.
  ...["turn_seq", "ordinal", "role", "created_at", "stop_reason"].map((name) => `messages.${name}`),
  ...["turn_seq", "position"].map((name) => `tool_calls.${name}`),
  ...["seq", "conversation_id", "session_id", "actor_kind", "user_id", "step"].map(
    (name) => `approvals.${name}`,
  ),
  ...["tool_use_id", "fingerprint", "ask_in", "expires_at", "delivery", "post_nonce"].map(
    (name) => `approvals.${name}`,
  ),
  ...["epoch", "upto_turn_id", "upto_order", "updated_at"].map((name) => `summaries.${name}`),
  "preferences.user_id",
  "sessions.user_id",
  ...["user_id", "secret_hash"].map((name) => `api_tokens.${name}`),
  // An answer's words are the turn's, a notice's were said and are not kept.
  ...["seq", "nonce", "subject", "ordinal", "content", "allowed_mention_user_ids", "sending_at"].map(
    (name) => `posts.${name}`,
  ),
  "posts.failure",
  "sent_messages.user_id",
  ...["seq", "user_id"].map((name) => `memories.${name}`),
  "token_usage.subject",
  ...["id", "actor_kind", "actor_user_id"].map((name) => `audit.${name}`),
];

/** What of a value has to be found in the export. */
function traces(column: string, value: unknown): readonly string[] {
  if (value === null) return [];
  if (typeof value === "number")
    return [/(^|_)at$/.test(column) ? new Date(value).toISOString() : `${value}`];
  const text = String(value);
  const planted = text.match(new RegExp(`${mark} [\\w ]+ ${ana}`, "g"));
  if (planted !== null) return planted;
  // Lists and what is sealed stand there in another form.
  return /^[[{]/.test(text) ? [] : [text];
}

describe("an export", () => {
  test("holds every value of every row of the person's: add a new column to it, or here with a reason", async () => {
    using at = folder();
    let text: string;
    {
      using memory = at.open();
      await plantAna(memory);
      await plantBen(memory);
      memory.audit.flush();
      text = JSON.stringify(exported(memory));
    }
    const { sqlite, db } = connect(at.path);
    using _closing = sqlite;
    const { keyring } = loadDataKeys(db, secretKey, null, Date.now);
    expect(tablesOf(sqlite).toSorted()).toEqual(Object.keys(ownRows).toSorted());
    const missing: string[] = [];
    for (const [table, where] of Object.entries(ownRows)) {
      if (where === null) continue;
      const rows = sqlite.query<RawRow, []>(`SELECT * FROM ${table} WHERE ${where}`).all();
      expect([table, rows.length > 0]).toEqual([table, true]);
      const sealed = sealedTables.find((one) => one.table === table);
      for (const row of rows)
        for (const [column, value] of Object.entries(row)) {
          if (left.includes(`${table}.${column}`)) continue;
          const opened =
            sealed !== undefined && value instanceof Uint8Array
              ? keyring.open(placeOf(sealed, column, row), value)
              : value;
          for (const trace of traces(column, opened))
            if (!text.includes(trace)) missing.push(`${table}.${column}: ${trace}`);
        }
    }
    expect(missing).toEqual([]);
  });

  test("holds the summaries of what was said before a reset, too", async () => {
    using at = folder();
    using memory = at.open();
    const { id, conversationId } = await converse(memory, "yes", {
      ...{ userId: ana, channelId: general, guildId: guild },
    });
    for (const epoch of [0])
      await memory.history.saveSummary(conversationId, epoch, {
        ...{ text: "of before", uptoTurnId: id, sources: [`channel:${general}`] },
      });
    await memory.turns.reset(ana, general, guild);
    const records = exported(memory);
    expect(records.filter(({ type }) => type === "summary")).toMatchObject([
      {
        conversation_id: conversationId,
        guild_id: guild,
        summary: "of before",
        sources: [`channel:${general}`],
      },
    ]);
    await createErasing({ ...memory, live: null, logs: [], now: Date.now }).erase(ana);
    expect(exported(memory).map(({ type }) => type)).toEqual([]);
  });

  test("says of the log what is about them, and not about a number that is longer", async () => {
    using at = folder();
    using memory = at.open();
    const row = {
      ...({ actorKind: "user", verdict: "done" } as const),
      ...{ at: 1, actorUserId: ben, guildId: guild, channelId: general, sessionId: null },
      ...{ turnId: null, tokenId: null, reason: null, durationMs: 1, approvalId: null },
    };
    for (const [toolName, targets, approvedBy] of [
      ["about", `member:${guild}:${ana}`, null],
      ["longer", `member:${guild}:9${ana}`, null],
      ["approved", "", ana],
    ] as const)
      memory.audit.collect({ ...row, toolName, targets, approvedBy });
    memory.audit.flush();
    const about = exported(memory).map(({ tool_name, approved_by_you }) => [tool_name, approved_by_you]);
    expect(about).toEqual([
      ["about", false],
      ["approved", true],
    ]);
    expect(JSON.stringify(exported(memory))).not.toContain(ben);
  });

  test("says what a question rests on, which can hold what was read before it was asked", async () => {
    using at = folder();
    using memory = at.open();
    const turn = await converse(memory, "yes", { userId: ana });
    await memory.approvals.add(
      approval({ turnId: turn.id, actor: { kind: "user", userId: ana, guildId: guild, channelId: general } }),
    );
    using sqlite = new Database(at.path);
    sqlite.run(`UPDATE messages SET sources = '["channel:5"]' WHERE role = 'assistant'`);
    expect(exported(memory).find(({ type }) => type === "approval")?.sources).toEqual(["channel:5"]);
  });

  test("gives all the rest when something of it is damaged", async () => {
    using at = folder();
    using memory = at.open();
    await plantAna(memory);
    using sqlite = new Database(at.path);
    sqlite.run(`UPDATE messages SET content = zeroblob(60) WHERE ordinal = 1 AND turn_seq = 1`);
    sqlite.run("UPDATE memories SET sources = 'no list'");
    const records = exported(memory);
    const damaged = records.filter((record) => record.damaged === true).map(({ type }) => type);
    expect(damaged).toEqual(["memory", "turn"]);
    expect(records.filter(({ type }) => type === "turn")).toHaveLength(4);
  });
});
