import { asc, count, eq, gte, lt, max, sql } from "drizzle-orm";
import type { ChannelMarks, GatewaySessions, IdentifyLog } from "../discord/ports.ts";
import { channelMarks, gatewaySessions, identifies } from "./schema.ts";
import type { Store } from "./store.ts";

const identifyMemoryMs = 7 * 24 * 60 * 60 * 1000;

/** Snowflakes are decimal numbers without leading zeros: a longer one is newer, else the greater text. */
const isNewer = sql`length(excluded.message_id) > length(${channelMarks.messageId})
  or (length(excluded.message_id) = length(${channelMarks.messageId}) and excluded.message_id > ${channelMarks.messageId})`;

export function createChannelMarks(store: Store): ChannelMarks {
  return {
    async get(channelId) {
      const row = store.db.select().from(channelMarks).where(eq(channelMarks.channelId, channelId)).get();
      return row?.messageId ?? null;
    },
    async advance(marks) {
      if (marks.size === 0) return;
      store.write((tx) => {
        for (const [channelId, messageId] of marks)
          tx.insert(channelMarks)
            .values({ channelId, messageId })
            .onConflictDoUpdate({
              target: channelMarks.channelId,
              set: { messageId: sql`excluded.message_id` },
              setWhere: isNewer,
            })
            .run();
      });
    },
    all: async (limit) =>
      store.db.select().from(channelMarks).orderBy(asc(channelMarks.channelId)).limit(limit).all(),
  };
}

const place = (column: "session_id" | "resume_url", shardId: number) => ({
  table: "gateway_sessions",
  column,
  row: shardId,
});

export function createGatewaySessions(store: Store): GatewaySessions {
  const { encryption } = store;
  return {
    async get(shardId) {
      const row = store.db.select().from(gatewaySessions).where(eq(gatewaySessions.shardId, shardId)).get();
      if (row === undefined) return null;
      return {
        ...row,
        sessionId: encryption.open(place("session_id", shardId), row.sessionId),
        resumeUrl: encryption.open(place("resume_url", shardId), row.resumeUrl),
      };
    },
    async set({ shardId, shardCount, sessionId, resumeUrl, sequence }) {
      const row = {
        shardCount,
        sequence,
        sessionId: encryption.seal(place("session_id", shardId), sessionId),
        resumeUrl: encryption.seal(place("resume_url", shardId), resumeUrl),
      };
      store.write((tx) =>
        tx
          .insert(gatewaySessions)
          .values({ shardId, ...row })
          .onConflictDoUpdate({ target: gatewaySessions.shardId, set: row })
          .run(),
      );
    },
    async clear(shardId) {
      store.write((tx) => tx.delete(gatewaySessions).where(eq(gatewaySessions.shardId, shardId)).run());
    },
  };
}

export function createIdentifyLog(store: Store): IdentifyLog {
  return {
    async record(now) {
      store.write((tx) => {
        tx.delete(identifies)
          .where(lt(identifies.at, now - identifyMemoryMs))
          .run();
        tx.insert(identifies).values({ at: now }).run();
      });
    },
    async since(then) {
      const row = store.db
        .select({ count: count(), latestAt: max(identifies.at) })
        .from(identifies)
        .where(gte(identifies.at, then))
        .get();
      return row ?? { count: 0, latestAt: null };
    },
  };
}
