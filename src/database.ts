import { mkdirSync, rmSync } from "node:fs";
import { adoptNextSecretKey, loadOrCreateSecretKey, readNextSecretKey } from "./auth/secret-key.ts";
import type { Config } from "./config.ts";
import { DatabaseOpenError } from "./memory/errors.ts";
import { type Memory, openMemory } from "./memory/memory.ts";
import { acquireServeLock } from "./memory/serve-lock.ts";

/** The database and the key that it is sealed with, held by this process alone until it is disposed of. */
export interface Stored extends Disposable {
  readonly memory: Memory;
  readonly secretKey: string;
  /** Set when the key was made just now: where it lies. */
  readonly newKeyPath: string | null;
}

/** Throws DatabaseOpenError, with a sentence for the operator, and AppError for a key that cannot be used. */
export async function openStored(config: Config, now: () => number = Date.now): Promise<Stored> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const lock = acquireServeLock(config.database.path);
  let kept: Awaited<ReturnType<typeof loadOrCreateSecretKey>> | null = null;
  try {
    if (config.secretKey === null) kept = await loadOrCreateSecretKey(config.dataDir);
    const present = config.secretKey ?? kept?.key ?? "";
    const next = config.secretKey === null ? await readNextSecretKey(config.dataDir) : null;
    const secretKey = next ?? present;
    const memory = openMemory({
      path: config.database.path,
      secretKey,
      secretKeyPrevious: next === null ? config.secretKeyPrevious : present,
      now,
    });
    if (next !== null) await adoptNextSecretKey(config.dataDir);
    return {
      memory,
      secretKey,
      newKeyPath: kept?.created ? kept.path : null,
      [Symbol.dispose]() {
        memory[Symbol.dispose]();
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    if (kept === null || !(error instanceof DatabaseOpenError) || error.problem !== "wrong_key") throw error;
    if (!kept.created)
      throw new DatabaseOpenError(
        "wrong_key",
        `The key in ${kept.path} is not the one that the database ${config.database.path} was written with: put the right file back, or set SECRET_KEY to that key.`,
        error,
      );
    // A new key opens nothing here, and would stand in the way of the lost one.
    rmSync(kept.path, { force: true });
    const sentence = `The key of the database ${config.database.path} is missing: put ${kept.path} back, or set SECRET_KEY to that key.`;
    throw new DatabaseOpenError("wrong_key", sentence, error);
  }
}
