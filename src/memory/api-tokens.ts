import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { ApiTokenStore } from "../auth/ports.ts";
import { apiTokens } from "./schema.ts";
import type { Store } from "./store.ts";

const touchEveryMs = 60_000;

export function createApiTokenStore(store: Store): ApiTokenStore {
  const byId = store.db
    .select()
    .from(apiTokens)
    .where(eq(apiTokens.id, sql.placeholder("id")))
    .prepare();
  return {
    async insert(token) {
      store.write((tx) => tx.insert(apiTokens).values(token).run());
    },
    get: async (id) => byId.get({ id }) ?? null,
    list: async () =>
      store.db.select().from(apiTokens).orderBy(asc(apiTokens.createdAt), asc(apiTokens.id)).all(),
    revoke: async (id, now) =>
      store.write((tx) => {
        const revoked = tx
          .update(apiTokens)
          .set({ revokedAt: now })
          .where(and(eq(apiTokens.id, id), isNull(apiTokens.revokedAt)))
          .returning({ id: apiTokens.id })
          .get();
        return revoked !== undefined;
      }),
    async touch(id, now) {
      const token = byId.get({ id });
      if (token === undefined || (token.lastUsedAt !== null && now - token.lastUsedAt < touchEveryMs)) return;
      await store.group.add((tx) => {
        tx.update(apiTokens).set({ lastUsedAt: now }).where(eq(apiTokens.id, id)).run();
      });
    },
  };
}
