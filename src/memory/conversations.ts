import { and, eq, sql } from "drizzle-orm";
import { prepared } from "./prepared.ts";
import { conversations } from "./schema.ts";
import type { Store } from "./store.ts";

interface Place {
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
}

const byPlace = prepared((db) =>
  db
    .select({ id: conversations.id, epoch: conversations.epoch })
    .from(conversations)
    .where(
      and(
        eq(conversations.userId, sql.placeholder("userId")),
        eq(conversations.channelId, sql.placeholder("channelId")),
        sql`${conversations.guildId} is ${sql.placeholder("guildId")}`,
      ),
    )
    .prepare(),
);
const insert = prepared((db) =>
  db
    .insert(conversations)
    .values({
      id: sql.placeholder("id"),
      userId: sql.placeholder("userId"),
      channelId: sql.placeholder("channelId"),
      guildId: sql.placeholder("guildId"),
      createdAt: sql.placeholder("createdAt"),
    })
    .prepare(),
);
const countEnded = prepared((db) =>
  db
    .update(conversations)
    .set({ endedCount: sql`${conversations.endedCount} + 1` })
    .where(eq(conversations.id, sql.placeholder("id")))
    .returning({ order: conversations.endedCount })
    .prepare(),
);

/**
 * The conversation of (user, channel), made when there is none. The guild is part of the place, though Discord's
 * channels belong to one: a program says which, and a token that is limited to some guilds must not come to a
 * conversation of another one by naming its channel together with a guild that it may enter.
 */
export function ensureConversation(
  store: Pick<Store, "db">,
  place: Place,
  now: number,
): { readonly id: string; readonly epoch: number } {
  const { userId, channelId, guildId } = place;
  const found = byPlace(store).get({ userId, channelId, guildId });
  if (found !== undefined) return found;
  const id = Bun.randomUUIDv7();
  insert(store).run({ id, userId, channelId, guildId, createdAt: now });
  return { id, epoch: 0 };
}

export function findConversation(store: Store) {
  return ({ userId, channelId, guildId }: Place): string | null =>
    byPlace(store).get({ userId, channelId, guildId })?.id ?? null;
}

export function raiseEpoch(store: Store, place: Place): number {
  return store.write((tx) => {
    const { id, epoch } = ensureConversation(store, place, store.now());
    tx.update(conversations)
      .set({ epoch: epoch + 1 })
      .where(eq(conversations.id, id))
      .run();
    return epoch + 1;
  });
}

/** The next place in the conversation's history; null when its row is lost, so that its turns end all the same. */
export function takeOrder(store: Pick<Store, "db">, conversationId: string): number | null {
  return countEnded(store).all({ id: conversationId })[0]?.order ?? null;
}
