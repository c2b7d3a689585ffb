import { getLogger } from "@logtape/logtape";
import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import type { AuditRow, AuditSink } from "../tools/ports.ts";
import type { LateRows } from "./late-rows.ts";
import { audit } from "./schema.ts";
import type { Store } from "./store.ts";

const log = getLogger(["discord-mcp", "memory"]);

/**
 * A collected row is on disk after so many milliseconds at the latest, or as soon as there are so many. A commit stops
 * the event loop until the disk has it, for a millisecond or two: at thousands of calls a second there must be few.
 */
const windowMs = 50;
const maxCollected = 2000;
/** Rows of one statement: half the time of as many statements, and more of them gain nothing. */
const rowsAtOnce = 50;

export interface AuditEntry extends AuditRow {
  /** Rises with each row: give the smallest one as `beforeId` to read on. */
  readonly id: number;
}

export interface AuditFilter {
  readonly limit: number;
  readonly beforeId?: number;
  readonly actorUserId?: string;
  /** Null: outside of servers. */
  readonly guildId?: string | null;
  readonly toolName?: string;
  readonly verdict?: AuditRow["verdict"];
  /** Calls from this time on, in milliseconds since 1970. */
  readonly since?: number;
  /** Calls before this time. */
  readonly until?: number;
}

export interface AuditLog extends AuditSink {
  /** Newest first, at most `limit`. */
  list(filter: AuditFilter): Promise<readonly AuditEntry[]>;
  /** Writes what has been collected. Must be called before the database is closed. */
  flush(): void;
}

export function createAuditLog(store: Store, late: Pick<LateRows, "clean">): AuditLog {
  const insert = prepareInsert(store);
  let collected: AuditRow[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;

  function takeCollected(): readonly AuditRow[] {
    const rows = collected;
    collected = [];
    if (timer !== null) clearTimeout(timer);
    timer = null;
    return rows;
  }

  function flush(): void {
    const rows = takeCollected();
    if (rows.length === 0) return;
    try {
      store.writeUnsynced(() => insert(rows.map(late.clean)));
    } catch (error) {
      log.error("rows of the audit log could not be written", { rows: rows.length, error });
    }
  }

  return {
    append(row) {
      // In the order in which they came.
      flush();
      return store.group.add(() => insert([late.clean(row)]));
    },
    collect(row) {
      collected.push(row);
      if (collected.length >= maxCollected) flush();
      else timer ??= setTimeout(flush, windowMs);
    },
    flush,
    async list(filter) {
      flush();
      return store.db
        .select()
        .from(audit)
        .where(matching(filter))
        .orderBy(desc(audit.id))
        .limit(filter.limit)
        .all();
    },
  };
}

/** Time is compared without its index: rows are read from the newest on and the limit ends that, where the index would have to be sorted. */
function matching(filter: AuditFilter) {
  const { beforeId, actorUserId, guildId, toolName, verdict, since, until } = filter;
  const at = sql`+${audit.at}`;
  return and(
    beforeId === undefined ? undefined : lt(audit.id, beforeId),
    actorUserId === undefined ? undefined : eq(audit.actorUserId, actorUserId),
    guildId === undefined ? undefined : sql`${audit.guildId} is ${guildId}`,
    toolName === undefined ? undefined : eq(audit.toolName, toolName),
    verdict === undefined ? undefined : eq(audit.verdict, verdict),
    since === undefined ? undefined : gte(at, since),
    until === undefined ? undefined : lt(at, until),
  );
}

/** The statements are Drizzle's, run without it: that takes a tenth of the time, and every tool call has a row. */
function prepareInsert({ db, sqlite }: Store): (rows: readonly AuditRow[]) => void {
  const statement = (rows: number) => {
    const values = Array.from({ length: rows }, () => placeholders);
    return sqlite.prepare(db.insert(audit).values(values).toSQL().sql);
  };
  const one = statement(1);
  const many = statement(rowsAtOnce);
  return (rows) => {
    const whole = rows.length - (rows.length % rowsAtOnce);
    for (let at = 0; at < whole; at += rowsAtOnce) many.run(...valuesOf(rows, at, at + rowsAtOnce));
    for (let at = whole; at < rows.length; at++) one.run(...valuesOf(rows, at, at + 1));
  };
}

const placeholder = sql.placeholder("value");
const placeholders = {
  at: placeholder,
  actorKind: placeholder,
  actorUserId: placeholder,
  guildId: placeholder,
  channelId: placeholder,
  sessionId: placeholder,
  turnId: placeholder,
  tokenId: placeholder,
  toolName: placeholder,
  targets: placeholder,
  verdict: placeholder,
  reason: placeholder,
  durationMs: placeholder,
  approvalId: placeholder,
  approvedBy: placeholder,
} satisfies Record<keyof AuditRow, typeof placeholder>;

/** In the order of the table's columns, which is that of the statement. */
function valuesOf(rows: readonly AuditRow[], from: number, to: number): (string | number | null)[] {
  const values: (string | number | null)[] = [];
  for (const row of rows.slice(from, to)) {
    values.push(row.at, row.actorKind, row.actorUserId, row.guildId, row.channelId, row.sessionId);
    values.push(row.turnId, row.tokenId, row.toolName, row.targets, row.verdict, row.reason, row.durationMs);
    values.push(row.approvalId, row.approvedBy);
  }
  return values;
}
