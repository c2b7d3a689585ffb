import { and, eq, sql } from "drizzle-orm";
import type { Tx } from "./connection.ts";
import { conversations } from "./schema.ts";
import type { Store } from "./store.ts";

interface Place {
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
}

/**
 * The conversation of (user, channel), made when there is none. The guild is part of the place, though Discord's
 * channels belong to one: a program says which, and a token that is limited to some guilds must not come to a
 * conversation of another one by naming its channel together with a guild that it may enter.
 */
export function ensureConversation(
  tx: Tx,
  place: Place,
  now: number,
): { readonly id: string; readonly epoch: number } {
  const where = and(
    eq(conversations.userId, place.userId),
    eq(conversations.channelId, place.channelId),
    sql`${conversations.guildId} is ${place.guildId}`,
  );
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
        sql`${conversations.guildId} is ${sql.placeholder("guildId")}`,
      ),
    )
    .prepare();
  return ({ userId, channelId, guildId }: Place): string | null =>
    query.get({ userId, channelId, guildId })?.id ?? null;
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
