import { and, asc, count, eq, gt, type InferSelectModel, inArray, isNull, lte, sql } from "drizzle-orm";
import { AppError } from "../errors.ts";
import type { Session, SessionStore } from "../sessions/ports.ts";
import type { Tx } from "./connection.ts";
import { ensureConversation } from "./conversations.ts";
import { sessions } from "./schema.ts";
import type { Store } from "./store.ts";

const maxRemoved = 500;

function toSession(row: InferSelectModel<typeof sessions>): Session {
  return row;
}

export function createSessionStore(store: Store): SessionStore {
  const { db } = store;
  const byId = db
    .select()
    .from(sessions)
    .where(eq(sessions.id, sql.placeholder("id")))
    .prepare();
  const chat = db
    .select()
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, sql.placeholder("userId")),
        eq(sessions.channelId, sql.placeholder("channelId")),
        sql`${sessions.guildId} is ${sql.placeholder("guildId")}`,
        isNull(sessions.tokenId),
        gt(sessions.expiresAt, sql.placeholder("now")),
      ),
    )
    .orderBy(asc(sessions.createdAt))
    .limit(1)
    .prepare();
  const active = db
    .select({ n: count() })
    .from(sessions)
    .where(gt(sessions.expiresAt, sql.placeholder("now")))
    .prepare();
  const activeOf = db
    .select({ n: count() })
    .from(sessions)
    .where(
      and(eq(sessions.userId, sql.placeholder("userId")), gt(sessions.expiresAt, sql.placeholder("now"))),
    )
    .prepare();
  return {
    open: async (session, now, expiresAt) => store.write((tx) => open(store, tx, session, now, expiresAt)),
    async get(sessionId) {
      const row = byId.get({ id: sessionId });
      return row === undefined ? null : toSession(row);
    },
    async findChat(userId, channelId, guildId) {
      const row = chat.get({ userId, channelId, guildId, now: store.now() });
      return row === undefined ? null : toSession(row);
    },
    touch: (sessionId, now, expiresAt) =>
      store.group.add((tx) => {
        tx.update(sessions).set({ lastUsedAt: now, expiresAt }).where(eq(sessions.id, sessionId)).run();
      }),
    count: (sessionId, what, by = 1) =>
      store.group.add((tx) => {
        const sum =
          what === "message"
            ? { messageCount: sql`${sessions.messageCount} + ${by}` }
            : { toolCallCount: sql`${sessions.toolCallCount} + ${by}` };
        tx.update(sessions).set(sum).where(eq(sessions.id, sessionId)).run();
      }),
    async setActiveTools(sessionId, activeTools) {
      store.write((tx) => tx.update(sessions).set({ activeTools }).where(eq(sessions.id, sessionId)).run());
    },
    removeExpired: async (now) =>
      store.write((tx) => {
        const expired = tx
          .select({ id: sessions.id })
          .from(sessions)
          .where(lte(sessions.expiresAt, now))
          .limit(maxRemoved);
        return tx.delete(sessions).where(inArray(sessions.id, expired)).returning().all().map(toSession);
      }),
    countActive: async (now) => active.get({ now })?.n ?? 0,
    countActiveOf: async (userId, now) => activeOf.get({ userId, now })?.n ?? 0,
  };
}

/** An expired session of the same owner is begun anew; one of somebody else keeps its id until it is removed. */
function open(
  store: Store,
  tx: Tx,
  session: Parameters<SessionStore["open"]>[0],
  now: number,
  expiresAt: number,
): { session: Session; created: boolean } {
  const { sessionId: id, userId, channelId, guildId, tokenId } = session;
  const found = tx.select().from(sessions).where(eq(sessions.id, id)).get();
  if (found !== undefined) {
    if (found.userId !== userId || found.channelId !== channelId)
      throw new AppError(
        "session_conflict",
        "This session id belongs to another user or channel; choose another one, or leave it out.",
      );
    if (found.expiresAt > now) {
      const row = tx
        .update(sessions)
        .set({ lastUsedAt: now, expiresAt })
        .where(eq(sessions.id, id))
        .returning()
        .get();
      return { session: toSession(row), created: false };
    }
    tx.delete(sessions).where(eq(sessions.id, id)).run();
  }
  const conversation = ensureConversation(store, { userId, channelId, guildId }, now);
  const row = tx
    .insert(sessions)
    .values({
      id,
      userId,
      channelId,
      guildId,
      tokenId,
      conversationId: conversation.id,
      activeTools: [],
      createdAt: now,
      lastUsedAt: now,
      expiresAt,
    })
    .returning()
    .get();
  return { session: toSession(row), created: true };
}
