import { and, desc, eq, lt } from "drizzle-orm";
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
  return {
    append: (row) =>
      store.group.add((tx) => {
        tx.insert(audit).values(row).run();
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
