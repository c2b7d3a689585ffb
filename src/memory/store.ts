import type { Database } from "bun:sqlite";
import type { History, Preferences } from "../agent/ports.ts";
import { ByteCache } from "./cache.ts";
import type { Connection, Db, Tx } from "./connection.ts";
import type { Keyring } from "./encryption.ts";
import { GroupCommit } from "./group-commit.ts";
import type { StorageGuard } from "./storage-watch.ts";

export interface CachedHistory {
  readonly history: History;
  readonly bytes: number;
}

/** What every file of this folder works with. */
export interface Store {
  readonly db: Db;
  /** The same connection without Drizzle, for what runs at every call. */
  readonly sqlite: Database;
  readonly encryption: Keyring;
  readonly now: () => number;
  /**
   * One transaction: committed when it returns, rolled back when it throws. Throws AppError `storage_unavailable` when
   * the disk does not take it.
   */
  readonly write: <T>(fn: (tx: Tx) => T) => T;
  /**
   * The same without waiting for the disk, for what can be lost or done again without harm: a killed process loses
   * none of it, a power cut may. The next `write` waits for it, too, since it is before it in the same log.
   * https://www.sqlite.org/pragma.html#pragma_synchronous
   */
  readonly writeUnsynced: <T>(fn: (tx: Tx) => T) => T;
  /** For small frequent writes that need not be read back at once. */
  readonly group: GroupCommit;
  /** Valid until the next write, of whomever. Both are emptied when another process has written. */
  readonly caches: () => Caches;
}

export interface Caches {
  /** By conversation and epoch. */
  readonly histories: ByteCache<CachedHistory>;
  /** By user. */
  readonly preferences: ByteCache<Preferences>;
}

export function createStore(
  { sqlite, db }: Connection,
  encryption: Keyring,
  now: () => number,
  cacheBytes: number,
  { guard }: Pick<StorageGuard, "guard">,
): Store {
  const preferenceBytes = Math.floor(cacheBytes / 8);
  const write = <T>(fn: (tx: Tx) => T): T => guard(() => db.transaction(fn, { behavior: "immediate" }));
  return {
    db,
    sqlite,
    encryption,
    now,
    write,
    writeUnsynced(fn) {
      sqlite.run("PRAGMA synchronous = NORMAL");
      try {
        return write(fn);
      } finally {
        sqlite.run("PRAGMA synchronous = FULL");
      }
    },
    group: new GroupCommit(write),
    caches: watchedCaches(sqlite, {
      histories: new ByteCache(cacheBytes - preferenceBytes),
      preferences: new ByteCache(preferenceBytes),
    }),
  };
}

/** `data_version` changes when another connection has committed, https://www.sqlite.org/pragma.html#pragma_data_version */
function watchedCaches(sqlite: Database, caches: Caches): () => Caches {
  const statement = sqlite.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let seen = statement.get()?.data_version;
  return () => {
    const present = statement.get()?.data_version;
    if (present !== seen) {
      seen = present;
      caches.histories.clear();
      caches.preferences.clear();
    }
    return caches;
  };
}
