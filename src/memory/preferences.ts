import { eq, sql } from "drizzle-orm";
import type { Preferences } from "../agent/ports.ts";
import type { PreferenceStore } from "../sessions/ports.ts";
import { deepFreeze } from "./cache.ts";
import { fromOwnJson } from "./json.ts";
import { preferences } from "./schema.ts";
import type { Store } from "./store.ts";

const place = (userId: string) => ({ table: "preferences", column: "value", row: userId });

export function createPreferenceStore(store: Store): PreferenceStore {
  const byUser = store.db
    .select({ value: preferences.value })
    .from(preferences)
    .where(eq(preferences.userId, sql.placeholder("userId")))
    .prepare();
  const keep = (userId: string, value: Preferences, json: string): Preferences => {
    const frozen = deepFreeze(value);
    store.caches().preferences.set(userId, frozen, 200 + json.length * 3);
    return frozen;
  };
  return {
    async get(userId) {
      const cached = store.caches().preferences.get(userId);
      if (cached !== undefined) return cached;
      const row = byUser.get({ userId });
      const json = row === undefined ? "{}" : store.encryption.open(place(userId), row.value);
      return keep(userId, fromOwnJson(json), json);
    },
    async set(userId, value) {
      const json = JSON.stringify(value);
      const sealed = store.encryption.seal(place(userId), json);
      const row = { value: sealed, updatedAt: store.now() };
      store.write((tx) =>
        tx
          .insert(preferences)
          .values({ userId, ...row })
          .onConflictDoUpdate({ target: preferences.userId, set: row })
          .run(),
      );
      keep(userId, fromOwnJson(json), json);
    },
  };
}
