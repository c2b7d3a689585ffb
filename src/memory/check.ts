import { Database } from "bun:sqlite";
import { quickCheck } from "./connection.ts";
import { keysOpen } from "./data-keys.ts";
import { DatabaseOpenError, toOpenError } from "./errors.ts";
import { checkOwner, pragma } from "./migrations.ts";

/** The first fault of the file, of its indexes and of its rows, on one line, or null. Reads all of it. */
export function integrityFault(sqlite: Database): string | null {
  const found = sqlite.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get();
  if (found === null || found.integrity_check === "ok") return null;
  return found.integrity_check.replaceAll(/\s+/g, " ").slice(0, 200);
}

/** Whether the secret keys open that database, which must be sound. Changes nothing. */
export function opensWith(path: string, secretKeys: readonly string[]): boolean {
  using sqlite = new Database(path, { readonly: true, strict: true });
  return keysOpen(sqlite, secretKeys);
}

/**
 * Reads the whole file and changes nothing; may be run while another process serves it. Throws
 * DatabaseOpenError for what would also keep `openMemory` from opening it, the key apart.
 */
export function checkDatabase(path: string): { readonly schemaVersion: number } {
  let sqlite: Database | undefined;
  try {
    sqlite = new Database(path, { readonly: true, strict: true });
    sqlite.run("PRAGMA trusted_schema = OFF");
    const fault = quickCheck(sqlite);
    if (fault !== null)
      throw new DatabaseOpenError(
        "corrupt",
        `The database ${path} is damaged (${fault}); restore it from a backup.`,
      );
    checkOwner(sqlite, path);
    return { schemaVersion: pragma(sqlite, "user_version") };
  } catch (error) {
    throw toOpenError(error, path);
  } finally {
    sqlite?.close();
  }
}
