import { and, eq, sql } from "drizzle-orm";
import type { Tx } from "./connection.ts";
import { conversations } from "./schema.ts";
import type { Store } from "./store.ts";

interface Place {
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
}

/** The conversation of (user, channel), made when there is none. */
export function ensureConversation(
  tx: Tx,
  place: Place,
  now: number,
): { readonly id: string; readonly epoch: number } {
  const where = and(eq(conversations.userId, place.userId), eq(conversations.channelId, place.channelId));
  const found = tx
    .select({ id: conversations.id, epoch: conversations.epoch })
    .from(conversations)
    .where(where)
    .get();
  if (found !== undefined) return found;
  const id = Bun.randomUUIDv7();
  tx.insert(conversations)
    .values({ id, userId: place.userId, channelId: place.channelId, guildId: place.guildId, createdAt: now })
    .run();
  return { id, epoch: 0 };
}

export function findConversation(store: Store) {
  const query = store.db
    .select({ id: conversations.id })
    .from(conversations)
    .where(
      and(
        eq(conversations.userId, sql.placeholder("userId")),
        eq(conversations.channelId, sql.placeholder("channelId")),
      ),
    )
    .prepare();
  return (userId: string, channelId: string): string | null => query.get({ userId, channelId })?.id ?? null;
}

export function raiseEpoch(store: Store, place: Place): number {
  return store.write((tx) => {
    const { id, epoch } = ensureConversation(tx, place, store.now());
    tx.update(conversations)
      .set({ epoch: epoch + 1 })
      .where(eq(conversations.id, id))
      .run();
    return epoch + 1;
  });
}

/** The next place in the conversation's history. */
export function takeOrder(tx: Tx, conversationId: string): number {
  const row = tx
    .update(conversations)
    .set({ endedCount: sql`${conversations.endedCount} + 1` })
    .where(eq(conversations.id, conversationId))
    .returning({ order: conversations.endedCount })
    .get();
  return row.order;
}
