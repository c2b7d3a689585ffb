import { and, desc, eq, lt, sql } from "drizzle-orm";
import type { AuditRow, AuditSink } from "../tools/ports.ts";
import { audit } from "./schema.ts";
import type { Store } from "./store.ts";

export interface AuditEntry extends AuditRow {
  /** Rises with each row: give the smallest one as `beforeId` to read on. */
  readonly id: number;
}

export interface AuditLog extends AuditSink {
  /** Newest first, at most `limit`. */
  list(filter: {
    readonly limit: number;
    readonly beforeId?: number;
    readonly actorUserId?: string;
  }): Promise<readonly AuditEntry[]>;
}

export function createAuditLog(store: Store): AuditLog {
  const insert = prepareInsert(store);
  return {
    append: (row) =>
      store.group.add(() => {
        insert.run({ ...row });
      }),
    list: async ({ limit, beforeId, actorUserId }) =>
      store.db
        .select()
        .from(audit)
        .where(
          and(
            beforeId === undefined ? undefined : lt(audit.id, beforeId),
            actorUserId === undefined ? undefined : eq(audit.actorUserId, actorUserId),
          ),
        )
        .orderBy(desc(audit.id))
        .limit(limit)
        .all(),
  };
}

/** Prepared once: putting the statement together takes ten times as long as running it, and each tool call is a row. */
function prepareInsert({ db }: Store) {
  return db
    .insert(audit)
    .values({
      at: sql.placeholder("at"),
      actorKind: sql.placeholder("actorKind"),
      actorUserId: sql.placeholder("actorUserId"),
      guildId: sql.placeholder("guildId"),
      channelId: sql.placeholder("channelId"),
      sessionId: sql.placeholder("sessionId"),
      turnId: sql.placeholder("turnId"),
      tokenId: sql.placeholder("tokenId"),
      toolName: sql.placeholder("toolName"),
      targets: sql.placeholder("targets"),
      verdict: sql.placeholder("verdict"),
      reason: sql.placeholder("reason"),
      durationMs: sql.placeholder("durationMs"),
    })
    .prepare();
}
