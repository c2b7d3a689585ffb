import { randomBytes } from "node:crypto";
import { and, count, desc, eq, sql } from "drizzle-orm";
import { AppError } from "../errors.ts";
import type { MemoryStore } from "../tools/ports.ts";
import { memories } from "./schema.ts";
import type { Store } from "./store.ts";

const maxMemories = 500;

const place = (id: string) => ({ table: "memories", column: "text", row: id });

export function createMemoryStore(store: Store): MemoryStore {
  const { encryption } = store;
  const ofUser = store.db
    .select()
    .from(memories)
    .where(eq(memories.userId, sql.placeholder("userId")))
    .orderBy(desc(memories.seq))
    .limit(maxMemories)
    .prepare();
  const countOf = store.db
    .select({ n: count(sql`*`) })
    .from(memories)
    .where(eq(memories.userId, sql.placeholder("userId")))
    .prepare();
  return {
    add: async (userId, text, sources) =>
      store.write((tx) => {
        if ((countOf.get({ userId })?.n ?? 0) >= maxMemories)
          throw new AppError(
            "invalid_arguments",
            `No more than ${maxMemories} things can be remembered for a person; forget some first.`,
          );
        const id = `m_${randomBytes(16).toString("base64url")}`;
        const createdAt = store.now();
        tx.insert(memories)
          .values({ id, userId, text: encryption.seal(place(id), text), sources, createdAt })
          .run();
        return { id, text, sources, createdAt };
      }),
    list: async (userId) =>
      ofUser.all({ userId }).map(({ id, text, sources, createdAt }) => ({
        id,
        text: encryption.open(place(id), text),
        sources,
        createdAt,
      })),
    remove: async (userId, memoryId) =>
      store.write((tx) => {
        const removed = tx
          .delete(memories)
          .where(and(eq(memories.id, memoryId), eq(memories.userId, userId)))
          .returning({ id: memories.id })
          .get();
        return removed !== undefined;
      }),
    removeAll: async (userId) =>
      store.write(
        (tx) =>
          tx.delete(memories).where(eq(memories.userId, userId)).returning({ id: memories.id }).all().length,
      ),
  };
}
