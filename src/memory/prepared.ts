import { sql } from "drizzle-orm";
import type { Db } from "./connection.ts";

/**
 * A query that is put together and prepared once for each database: that takes ten times as long as running it.
 * It runs on the one connection that there is, and so within the transaction that is under way.
 */
export function prepared<Query>(prepare: (db: Db) => Query): (store: { readonly db: Db }) => Query {
  const known = new WeakMap<Db, Query>();
  return ({ db }) => {
    let query = known.get(db);
    if (query === undefined) {
      query = prepare(db);
      known.set(db, query);
    }
    return query;
  };
}

/** A value that is given when the query is run; as SQL, which `set` wants. Given as it is stored. */
export const given = (name: string) => sql`${sql.placeholder(name)}`;
