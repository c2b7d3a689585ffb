import type { Database } from "bun:sqlite";
import initial from "../../drizzle/0000_initial.sql" with { type: "text" };
import conversationPlace from "../../drizzle/0001_conversation_place.sql" with { type: "text" };
import approvals from "../../drizzle/0002_approvals.sql" with { type: "text" };
import erasures from "../../drizzle/0003_erasures.sql" with { type: "text" };
import forgottenPeople from "../../drizzle/0004_forgotten_people.sql" with { type: "text" };
import { DatabaseOpenError } from "./errors.ts";

/**
 * Every migration, oldest first, embedded in the binary. `PRAGMA user_version` counts those that were applied.
 * A test holds this list to drizzle/meta/_journal.json.
 */
export const migrations: readonly { readonly tag: string; readonly sql: string }[] = [
  { tag: "0000_initial", sql: initial },
  { tag: "0001_conversation_place", sql: conversationPlace },
  { tag: "0002_approvals", sql: approvals },
  { tag: "0003_erasures", sql: erasures },
  { tag: "0004_forgotten_people", sql: forgottenPeople },
];

/** "DMCP": marks the file as ours, see https://www.sqlite.org/pragma.html#pragma_application_id */
export const applicationId = 0x444d4350;

export function pragma(sqlite: Database, name: string): number {
  const value = sqlite.query<Record<string, unknown>, []>(`PRAGMA ${name}`).get()?.[name];
  if (typeof value !== "number") throw new Error(`PRAGMA ${name} gave no number`);
  return value;
}

/**
 * Brings the schema up to date in one transaction: all of it, or nothing. Throws DatabaseOpenError for a file
 * of another program or of a newer version of this one.
 */
export function migrate(sqlite: Database, path: string): void {
  sqlite.run("PRAGMA foreign_keys = OFF");
  sqlite.transaction(() => migrateInTransaction(sqlite, path)).immediate();
  sqlite.run("PRAGMA foreign_keys = ON");
}

function migrateInTransaction(sqlite: Database, path: string): void {
  const version = checkOwner(sqlite, path);
  if (version === migrations.length) return;
  for (const migration of migrations.slice(version)) sqlite.run(migration.sql);
  const broken = sqlite.query("PRAGMA foreign_key_check").get();
  if (broken !== null) throw new Error("A migration left a row that refers to nothing.");
  sqlite.run(`PRAGMA application_id = ${applicationId}`);
  sqlite.run(`PRAGMA user_version = ${migrations.length}`);
}

/** The schema's version; 0 for a new file. Throws DatabaseOpenError for a file that we must not touch. */
export function checkOwner(sqlite: Database, path: string): number {
  const owner = pragma(sqlite, "application_id");
  const version = pragma(sqlite, "user_version");
  const isEmpty = sqlite.query("SELECT 1 FROM sqlite_schema LIMIT 1").get() === null;
  if (owner !== applicationId && !(owner === 0 && version === 0 && isEmpty))
    throw new DatabaseOpenError(
      "foreign",
      `${path} is a database of another program; name another file in DATABASE_URL.`,
    );
  if (version > migrations.length)
    throw new DatabaseOpenError(
      "newer_schema",
      `The database ${path} was written by a newer version of discord-mcp (schema ${version}, this one knows ${migrations.length}); install that version, or restore a backup from before the upgrade.`,
    );
  return version;
}
