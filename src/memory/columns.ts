import { type SQL, sql } from "drizzle-orm";
import { customType } from "drizzle-orm/sqlite-core";
import { readOr } from "./damaged.ts";

const blob = () => customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" });
/** Content, encrypted by `encryption.ts`. */
export const sealed = blob();
/** Hashes, salts and wrapped keys. */
export const bytes = blob();

/**
 * A list of texts in a row that is read together with others. One that is damaged is taken for `otherwise`, which must
 * allow nothing, so that no other row waits for it.
 */
const texts = (table: string, otherwise: readonly string[]) =>
  customType<{ data: readonly string[]; driverData: string }>({
    dataType: () => "text",
    toDriver: (all) => JSON.stringify(all),
    fromDriver: (written) =>
      readOr(otherwise, { table, row: "" }, () => {
        const all: unknown = JSON.parse(written);
        if (Array.isArray(all) && all.every((one) => typeof one === "string")) return all;
        throw new Error("A stored list is no list of texts.");
      }),
  });
/** Whom a post may mention: nobody. */
export const mentions = texts("posts", []);
/** What a token is good for, and where: nothing, nowhere. */
export const grants = texts("api_tokens", []);
/** A session without names may use every tool, so it has one that no tool has. */
export const toolNames = texts("sessions", ["(damaged)"]);

/** As literals and not as parameters: SQLite uses a partial index only where the query repeats its condition. */
export const isUnfinished = (state: { getSQL(): SQL }): SQL => sql`${state} in ('queued', 'running')`;
export const isSuspended = (state: { getSQL(): SQL }): SQL => sql`${state} = 'suspended'`;
export const isPending = (state: { getSQL(): SQL }): SQL => sql`${state} = 'pending'`;
export const isPlanned = (state: { getSQL(): SQL }): SQL => sql`${state} = 'planned'`;
