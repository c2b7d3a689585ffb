import type { SQLQueryBindings } from "bun:sqlite";
import { readOr } from "./damaged.ts";
import { type ExportRecord, exportTurn, sourcesOfTurn, time } from "./export-turn.ts";
import { listHas } from "./footprint.ts";
import { fromOwnJson } from "./json.ts";
import { namingOf } from "./quotes.ts";
import type { RawRow } from "./sealed-columns.ts";
import type { Store } from "./store.ts";

export interface ExportPage {
  readonly records: readonly ExportRecord[];
  /** Give it to read on; null at the end. */
  readonly next: string | null;
}

export interface Exporter {
  /** The first page without a cursor. Throws for a cursor that was not given by it. */
  page(userId: string, cursor: string | null): ExportPage;
}

/** Rows that a page reads, and turns, each with all that belongs to it. */
const pageRows = 200;
const pageTurns = 10;

interface Section {
  readonly name: string;
  readonly limit: number;
  /** Rows after the key `$after`, at most `$limit`, with their key as `at`. */
  readonly query: string;
  readonly record: (row: RawRow, userId: string) => ExportRecord | null;
}

/** Every section of the export, a table each, read in the order of a key so that it can be gone on with. */
export function createExporter(store: Store): Exporter {
  const sections = sectionsOf(store);
  return {
    page(userId, cursor) {
      const { at, after } = readCursor(cursor);
      const section = sections[at];
      if (section === undefined) return { records: [], next: null };
      const { limit } = section;
      const values: SQLQueryBindings = { userId, after, limit };
      const rows = store.sqlite.query<RawRow, SQLQueryBindings>(section.query).all(values);
      const records = rows.flatMap((row) => {
        const { name } = section;
        // Of no use to the person, but not to be kept silent about, and the rest is theirs all the same.
        const damaged: ExportRecord = { type: name, damaged: true };
        return readOr(damaged, { table: name, row: String(row.at) }, () => section.record(row, userId)) ?? [];
      });
      const last = rows.at(-1);
      if (last !== undefined && rows.length === limit) return { records, next: `${at}:${last.at}` };
      return { records, next: at + 1 < sections.length ? `${at + 1}:${start}` : null };
    },
  };
}

const start = -1;
const cursorForm = /^(\d{1,2}):(-1|\d{1,16})$/;

function readCursor(cursor: string | null): { readonly at: number; readonly after: number } {
  if (cursor === null) return { at: 0, after: start };
  const [, at, after] = cursorForm.exec(cursor) ?? [];
  if (at === undefined || after === undefined) throw new Error("That is no cursor of an export.");
  return { at: Number(at), after: Number(after) };
}

function sectionsOf(store: Store): readonly Section[] {
  const { encryption } = store;
  const open = (table: string, column: string, row: string, sealed: unknown): string | null =>
    sealed instanceof Uint8Array ? encryption.open({ table, column, row }, sealed) : null;
  const inOrder = (key: string) => `AND ${key} > $after ORDER BY ${key} LIMIT $limit`;
  const own = (table: string, columns: string) =>
    `SELECT rowid AS at, ${columns} FROM ${table} WHERE user_id = $userId ${inOrder("+rowid")}`;
  const section = (
    name: string,
    query: string,
    record: Section["record"] = ({ at: _, ...row }) => ({ type: name, ...times(row) }),
    limit = pageRows,
  ): Section => ({ name, limit, query, record });
  return [
    section("preferences", own("preferences", "user_id, value, updated_at"), (row) => ({
      type: "preferences",
      value: parsed(open("preferences", "value", String(row.user_id), row.value)),
      updated_at: time(row.updated_at),
    })),
    section("memory", own("memories", "id, text, sources, created_at"), (row) => ({
      type: "memory",
      id: row.id,
      text: open("memories", "text", String(row.id), row.text),
      sources: fromOwnJson<readonly string[]>(String(row.sources)),
      created_at: time(row.created_at),
    })),
    section(
      "conversation",
      `SELECT c.rowid AS at, c.id, c.channel_id, c.guild_id, c.created_at, s.epoch, s.text, s.sources
       FROM conversations AS c LEFT JOIN summaries AS s ON s.conversation_id = c.id AND s.epoch = c.epoch
       WHERE c.user_id = $userId ${inOrder("+c.rowid")}`,
      (row) => ({
        type: "conversation",
        id: row.id,
        channel_id: row.channel_id,
        guild_id: row.guild_id,
        created_at: time(row.created_at),
        summary: open("summaries", "text", `${row.id}/${row.epoch}`, row.text),
        sources: row.sources === null ? [] : fromOwnJson<readonly string[]>(String(row.sources)),
      }),
    ),
    section(
      "summary",
      `SELECT s.rowid AS at, s.conversation_id, c.guild_id, s.epoch, s.text, s.sources, s.updated_at
       FROM conversations AS c JOIN summaries AS s ON s.conversation_id = c.id AND s.epoch <> c.epoch
       WHERE c.user_id = $userId ${inOrder("+s.rowid")}`,
      ({ at: _, epoch, text, sources, ...row }) => ({
        type: "summary",
        ...times(row),
        summary: open("summaries", "text", `${row.conversation_id}/${epoch}`, text),
        sources: fromOwnJson<readonly string[]>(String(sources)),
      }),
    ),
    section(
      "turn",
      `SELECT seq AS at FROM turns WHERE conversation_id IN (SELECT id FROM conversations WHERE user_id = $userId)
       ${inOrder("seq")}`,
      ({ at }) => exportTurn(store, Number(at)),
      pageTurns,
    ),
    section(
      "approval",
      `SELECT a.seq AS at, a.*, t.seq AS turn_seq FROM approvals AS a LEFT JOIN turns AS t ON t.id = a.turn_id
       WHERE a.user_id = $userId ${inOrder("a.seq")}`,
      (row) => exportApproval(store, row, open),
    ),
    section(
      "session",
      own(
        "sessions",
        "id, channel_id, guild_id, conversation_id, active_tools, token_id, created_at, last_used_at, expires_at, message_count, tool_call_count",
      ),
    ),
    section(
      "token",
      own("api_tokens", "id, name, scopes, guild_ids, created_at, expires_at, revoked_at, last_used_at"),
    ),
    section("sent_message", own("sent_messages", "message_id, channel_id, at AS sent_at")),
    section(
      "post",
      `SELECT p.seq AS at, p.purpose, p.channel_id, p.reply_to_message_id, p.message_id, p.state, p.created_at
       FROM posts AS p WHERE (${listHas("p.allowed_mention_user_ids", "value = $userId")}
         OR EXISTS (SELECT 1 FROM turns AS t WHERE t.id = p.subject AND t.user_id = $userId)
         OR EXISTS (SELECT 1 FROM approvals AS a WHERE a.id = p.subject AND a.user_id = $userId))
       ${inOrder("p.seq")}`,
    ),
    section(
      "token_usage",
      `SELECT rowid AS at, day, tokens FROM token_usage WHERE subject = 'user:' || $userId ${inOrder("+rowid")}`,
    ),
    section(
      "tool_call_log",
      `SELECT id AS at, at AS called_at, guild_id, channel_id, session_id, turn_id, token_id, tool_name, targets,
         verdict, reason, duration_ms, approval_id, approved_by
       FROM audit WHERE actor_user_id = $userId ${inOrder("id")}`,
    ),
    section(
      "about_you_log",
      `SELECT id AS at, at AS called_at, guild_id, tool_name, targets, verdict, approved_by FROM audit
       WHERE actor_user_id <> $userId AND (instr(targets, $userId) OR approved_by = $userId) ${inOrder("id")}`,
      ({ at: _, targets, approved_by, ...row }, userId) => {
        const approved_by_you = approved_by === userId;
        // A longer number that holds the id is somebody else's.
        const isAbout = approved_by_you || namingOf(userId).test(String(targets));
        return isAbout ? { type: "about_you_log", ...times(row), approved_by_you } : null;
      },
    ),
  ];
}

function exportApproval(
  store: Store,
  row: RawRow,
  open: (table: string, column: string, row: string, sealed: unknown) => string | null,
): ExportRecord {
  const id = String(row.id);
  const { kind, turn_id, guild_id, channel_id, tool_name, state, decided_by, created_at, decided_at } = row;
  return {
    type: "approval",
    ...{ id, kind, turn_id, guild_id, channel_id, tool_name, state, decided_by },
    input: parsed(open("approvals", "input", id, row.input)),
    question: open("approvals", "question", id, row.question),
    public_text: open("approvals", "public_text", id, row.public_text),
    // What a turn asks to do can hold what it has read.
    sources: typeof row.turn_seq === "number" ? sourcesOfTurn(store, row.turn_seq) : [],
    created_at: time(created_at),
    decided_at: time(decided_at),
  };
}

const parsed = (json: string | null): unknown => (json === null ? null : fromOwnJson<unknown>(json));

/** Columns of JSON as what they hold, and times as people read them. */
function times(row: RawRow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (name.endsWith("_at")) return [name, time(value)];
      if (typeof value === "string" && (name === "scopes" || name === "guild_ids" || name === "active_tools"))
        return [name, fromOwnJson<unknown>(value)];
      return [name, value];
    }),
  );
}
