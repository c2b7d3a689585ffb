import { and, eq, max, sql } from "drizzle-orm";
import type { SentMessages } from "../tools/ports.ts";
import { posts, sentMessages, turns } from "./schema.ts";
import type { Store } from "./store.ts";

export function createSentMessages(store: Store): SentMessages {
  const ofTool = store.db
    .select({ userId: sentMessages.userId })
    .from(sentMessages)
    .where(eq(sentMessages.messageId, sql.placeholder("messageId")))
    .prepare();
  const ofAnswer = store.db
    .select({ userId: turns.userId })
    .from(posts)
    .innerJoin(turns, eq(turns.id, posts.subject))
    .where(and(eq(posts.messageId, sql.placeholder("messageId")), eq(posts.purpose, "answer")))
    .prepare();
  const last = store.db
    .select({ at: max(sentMessages.at) })
    .from(sentMessages)
    .where(
      and(
        eq(sentMessages.channelId, sql.placeholder("channelId")),
        eq(sentMessages.userId, sql.placeholder("userId")),
      ),
    )
    .prepare();
  return {
    async record(message) {
      store.write((tx) => tx.insert(sentMessages).values(message).onConflictDoNothing().run());
    },
    userOf: async (messageId) => (ofTool.get({ messageId }) ?? ofAnswer.get({ messageId }))?.userId ?? null,
    lastAt: async (channelId, userId) => last.get({ channelId, userId })?.at ?? null,
  };
}
