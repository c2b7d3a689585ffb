import { and, eq, sql } from "drizzle-orm";
import type { SeenMessages } from "../discord/ports.ts";
import { snowflakeTime } from "../snowflake.ts";
import type { Tx } from "./connection.ts";
import { forgottenAt } from "./forgotten-people.ts";
import { erasures, seenMessages } from "./schema.ts";
import type { Store } from "./store.ts";

/** False when it was there before. */
export function tombstone(tx: Tx, messageId: string, channelId: string, seenAt: number): boolean {
  const added = tx
    .insert(seenMessages)
    .values({ messageId, channelId, seenAt })
    .onConflictDoNothing()
    .returning({ messageId: seenMessages.messageId })
    .get();
  return added !== undefined;
}

export function createSeenMessages(store: Store): SeenMessages {
  const byId = store.db
    .select({ one: sql<number>`1` })
    .from(seenMessages)
    .where(eq(seenMessages.messageId, sql.placeholder("id")))
    .prepare();
  const wishOf = store.db
    .select({ at: erasures.requestedAt })
    .from(erasures)
    .where(and(eq(erasures.kind, "user"), eq(erasures.subject, sql.placeholder("id"))))
    .prepare();
  return {
    has: async (messageId) => byId.get({ id: messageId }) !== undefined,
    async isOfForgotten(messageId, authorId) {
      const pending = wishOf.get({ id: authorId })?.at ?? 0;
      return snowflakeTime(messageId) < Math.max(pending, forgottenAt(store, authorId) ?? 0);
    },
    add: async (messageId, channelId) =>
      store.write((tx) => tombstone(tx, messageId, channelId, store.now())),
  };
}
