/** Plants a person in every table and column that can name them or hold their words, beside others who must stay. */
import { Database } from "bun:sqlite";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "../../src/memory/connection.ts";
import { loadDataKeys } from "../../src/memory/data-keys.ts";
import type { Memory } from "../../src/memory/memory.ts";
import { placeOf, type RawRow, sealedTables } from "../../src/memory/sealed-columns.ts";
import type { AuditRow } from "../../src/tools/ports.ts";
import { accept, approval, converse, done, post, secretKey, usage } from "./helpers.ts";

export const ana = "100000000000000777";
export const ben = "100000000000000888";
export const guild = "300000000000000001";
export const general = "200000000000000001";
export const direct = "400000000000000777";
/** Stands in every text of hers. */
export const mark = "Anas-words";

const far = Date.UTC(2100, 0);
const says = (what: string) => `${mark} ${what} ${ana}`;
const actor = (userId: string, channelId: string, guildId: string | null) =>
  ({ kind: "user", userId, channelId, guildId }) as const;

const auditRow = (more: Partial<AuditRow>): AuditRow => ({
  at: 1,
  actorKind: "user",
  actorUserId: ana,
  guildId: guild,
  channelId: general,
  sessionId: "s_ana",
  turnId: "turn",
  tokenId: "t_ana",
  toolName: "tool",
  targets: "",
  verdict: "done",
  reason: null,
  durationMs: 1,
  approvalId: null,
  approvedBy: null,
  ...more,
});

const token = (
  id: string,
  userId: string | null,
  name: string,
  guildIds: readonly string[] | null = null,
) => ({
  ...{ id, name, userId, guildIds, secretHash: new Uint8Array(32), scopes: ["tools"] as const },
  ...{ createdAt: 1, expiresAt: null, revokedAt: null, lastUsedAt: null },
});

/** A whole turn with a tool call whose arguments and result are given. */
async function useTool(
  memory: Memory,
  words: string,
  sources: readonly string[],
  over: Parameters<typeof accept>[1],
) {
  const turn = await accept(memory, over);
  await memory.turns.begin(turn.id);
  const call = { type: "tool_use" as const, id: "call", name: "tool", input: { user_id: ana, why: words } };
  await memory.turns.saveStep(turn.id, {
    ...{ step: 1, content: [{ type: "text", text: words }, call], stopReason: "tool_use", usage },
    ...{ model: "model", sources },
  });
  await memory.turns.toolRunning(turn.id, 1, "call");
  const result = { type: "tool_result" as const, tool_use_id: "call", content: words };
  await memory.turns.toolEnded(turn.id, 1, "call", { state: "done", result, sources });
  await memory.turns.end(turn.id, done({ answer: words, closingText: words }));
  return turn;
}

export async function plantAna(memory: Memory): Promise<{ readonly ended: string; readonly notice: string }> {
  const sources = [`self:${ana}`, `channel:${direct}`];
  const ended = await useTool(memory, says("in the channel"), sources, {
    ...{ userId: ana, channelId: general, guildId: guild, origin: "discord", sessionId: "s_ana" },
    ...{ text: says("asked"), preamble: says("preamble"), idempotencyKey: says("key") },
    ...{ discordMessageId: "9001", replyTo: { channelId: general, messageId: "9001" } },
  });
  await useTool(memory, says("directly"), sources, {
    ...{ userId: ana, channelId: direct, guildId: null, origin: "discord", sessionId: "s_direct" },
    ...{ text: says("asked"), discordMessageId: "9002", replyTo: { channelId: direct, messageId: "9002" } },
  });
  const at = { userId: ana, channelId: general, guildId: guild };
  await memory.sessions.open({ sessionId: "s_ana", ...at, tokenId: "t_ana" }, 1, far);
  await memory.sessions.setActiveTools("s_ana", ["tool"]);
  await memory.sessions.open(
    { sessionId: "s_direct", userId: ana, channelId: direct, guildId: null, tokenId: null },
    1,
    far,
  );
  await memory.history.saveSummary(ended.conversationId, 0, {
    ...{ text: says("summary"), uptoTurnId: ended.id, sources },
  });
  await memory.outbox.planAnswer(ended.id, [
    post("n1", {
      subject: ended.id,
      channelId: general,
      content: says("post"),
      allowedMentionUserIds: [ana],
    }),
  ]);
  const notice = { purpose: "notice", subject: "9003", channelId: general } as const;
  await memory.outbox.planNotice("9003", general, [
    post("n2", { ...notice, allowedMentionUserIds: [ana], content: says("notice") }),
    post("n3", { ...notice, ordinal: 1, allowedMentionUserIds: [], content: `${mark} goes on` }),
  ]);
  await memory.outbox.planNotice("9004", direct, [post("n4", { purpose: "notice", channelId: direct })]);
  await memory.preferences.set(ana, { instructions: says("preferences") });
  await memory.memories.add(ana, says("memory"), sources);
  await memory.sent.record({ messageId: "9100", channelId: general, userId: ana, at: 1 });
  await memory.marks.advance(new Map([[direct, "9002"]]));
  await memory.tokens.insert(token("t_ana", ana, says("token")));
  const mine = { actor: actor(ana, general, guild), conversationId: ended.conversationId };
  const question = { text: says("question"), publicText: says("public"), fingerprint: "f" };
  await memory.approvals.add(approval({ ...mine, sessionId: "s_ana", input: { id: ana }, question }));
  await suspend(memory, { userId: ana, channelId: "200000000000000003", guildId: guild }, says("waiting"));
  await accept(memory, { ...at, text: says("waits"), discordMessageId: "9005" });
  memory.audit.collect(auditRow({ targets: `member:${guild}:${ana} channel:${direct}`, channelId: direct }));
  memory.audit.collect(auditRow({ toolName: `made_up_${ana}`, reason: `about ${ana}`, approvedBy: ana }));
  return { ended: ended.id, notice: "9003" };
}

/** A turn of somebody's that waits for a yes. */
export async function suspend(memory: Memory, at: Parameters<typeof accept>[1], words: string) {
  const turn = await accept(memory, { ...at, text: words });
  await memory.turns.begin(turn.id);
  const call = { type: "tool_use" as const, id: "ask", name: "tool", input: { why: words } };
  await memory.turns.saveStep(turn.id, {
    ...{ step: 1, content: [call], stopReason: "tool_use", usage, model: "model", sources: [] },
  });
  const { userId, channelId, guildId } = turn.actor;
  await memory.turns.suspend(turn.id, [
    approval({
      ...{ turnId: turn.id, conversationId: turn.conversationId, step: 1, toolUseId: "ask" },
      ...{ actor: actor(userId, channelId, guildId), input: { why: words } },
      question: { text: words, publicText: words, fingerprint: "f" },
    }),
  ]);
  return turn;
}

/** What Ben has and says: of Ana by her id, and of other things. */
export async function plantBen(memory: Memory) {
  const at = { userId: ben, channelId: general, guildId: guild };
  const other = await converse(memory, "The harbour opens at six.", { ...at, text: "When does it open?" });
  const about = await useTool(memory, says("told Ben"), [`user:${ana}`, `self:${ana}`, `guild:${guild}`], {
    ...{ ...at, text: says("Ben asked of"), preamble: says("Ben's preamble"), idempotencyKey: says("Ben's") },
  });
  await memory.history.saveSummary(other.conversationId, 0, {
    ...{ text: says("Ben's summary"), uptoTurnId: other.id, sources: [`user:${ana}`] },
  });
  await memory.preferences.set(ben, { instructions: says("Ben's wish"), tone: "dry" });
  await memory.memories.add(ben, says("Ben was to remember"), [`user:${ana}`]);
  await memory.memories.add(ben, "Likes tea", []);
  const asked = await memory.approvals.add(
    approval({
      ...{ actor: actor(ben, general, guild), conversationId: other.conversationId, sessionId: "s_ben" },
      ...{
        input: { user_id: ana },
        question: { text: says("Ban"), publicText: says("public"), fingerprint: "f" },
      },
    }),
  );
  await memory.approvals.decide(asked.id, { approved: false, by: ana }, 1);
  await memory.tokens.insert(token("t_ben", ben, `For ${ana} and Ben`));
  await memory.tokens.insert(token("t_operator", null, "operator"));
  const rows = { actorUserId: ben, sessionId: "s_ben", turnId: about.id, tokenId: "t_ben" };
  memory.audit.collect(auditRow({ ...rows, targets: `member:${guild}:${ana}`, approvedBy: ana }));
  memory.audit.collect(auditRow({ ...rows, targets: `member:${guild}:${ben}` }));
  return { conversationId: other.conversationId, about: about.id, asked: asked.id };
}

export type Found = ReadonlyMap<string, readonly string[]>;

/** Columns in which one of the words stands, by `table.column`, opened where they are sealed. */
export function columnsWith(path: string, words: readonly string[]): Found {
  const { sqlite, db } = connect(path);
  const { keyring } = loadDataKeys(db, secretKey, null, Date.now);
  const found = new Map<string, string[]>();
  try {
    for (const table of tablesOf(sqlite)) {
      const sealed = sealedTables.find((one) => one.table === table);
      for (const row of sqlite.query<RawRow, []>(`SELECT * FROM ${table}`).all())
        for (const [column, value] of Object.entries(row)) {
          const isSealed = sealed?.columns.some((name) => name === column) === true;
          const text =
            sealed !== undefined && isSealed && value instanceof Uint8Array
              ? keyring.open(placeOf(sealed, column, row), value)
              : value instanceof Uint8Array
                ? Buffer.from(value).toString("latin1")
                : String(value);
          if (!words.some((word) => text.includes(word))) continue;
          const place = `${table}.${column}`;
          found.set(place, [...(found.get(place) ?? []), text]);
        }
    }
  } finally {
    sqlite.close();
  }
  return found;
}

export function tablesOf(sqlite: Database): readonly string[] {
  return sqlite
    .query<{ name: string }, []>("PRAGMA table_list")
    .all()
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("sqlite_"));
}

/** Each column that can hold more than numbers, as `table.column`. */
export function wordColumns(path: string): readonly string[] {
  using sqlite = new Database(path);
  return tablesOf(sqlite).flatMap((table) =>
    sqlite
      .query<{ name: string; type: string }, []>(`PRAGMA table_info(${table})`)
      .all()
      .filter(({ type }) => type !== "INTEGER")
      .map(({ name }) => `${table}.${name}`),
  );
}

/** The sealed values of a table's rows. */
export function sealedValues(
  path: string,
  table: string,
  column: string,
  where: string,
): readonly Uint8Array[] {
  using sqlite = new Database(path);
  return sqlite
    .query<{ value: Uint8Array | null }, []>(`SELECT ${column} AS value FROM ${table} WHERE ${where}`)
    .all()
    .flatMap(({ value }) => (value === null ? [] : [value]));
}

/** Whether the bytes stand in the database file or beside it. */
export function inFiles(path: string, bytes: Uint8Array | string): readonly string[] {
  return [path, `${path}-wal`, `${path}-shm`].filter(
    (file) => existsSync(file) && readFileSync(file).includes(bytes),
  );
}
