import { readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { secretKeyFault } from "../config/secret-key-rule.ts";
import { AppError } from "../errors.ts";
import { createSecretFile } from "./secret-files.ts";
import { newSecret } from "./secrets.ts";

const log = getLogger(["discord-mcp", "auth"]);

export const secretKeyPath = (dataDir: string): string => join(dataDir, "secret-key");

/**
 * The key that this service keeps for itself when none is configured: read from beside the database, made on
 * the first start (mode 0600). Losing the file loses what is encrypted, so it belongs into every backup.
 */
export async function loadOrCreateSecretKey(
  dataDir: string,
): Promise<{ readonly key: string; readonly created: boolean; readonly path: string }> {
  const path = secretKeyPath(dataDir);
  const created = await createSecretFileUnlessThere(path);
  const key = assertKept((await readFile(path, "utf8")).trim(), path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    log.warn("the secret key can be read by others; take the rights away with: chmod 600", { path });
  if (((await stat(dataDir)).mode & 0o022) !== 0)
    log.warn("others may put files into the data folder; take the right away with: chmod go-w", {
      path: dataDir,
    });
  return { key, created, path };
}

async function createSecretFileUnlessThere(path: string): Promise<boolean> {
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  return there ? false : createSecretFile(path, `${newSecret()}\n`);
}

/** The same key where there is one, without making one; null where there is none. */
export function readSecretKey(dataDir: string): Promise<string | null> {
  return readKey(secretKeyPath(dataDir));
}

/**
 * The key that is to follow, while it is being changed: it lies beside the present one until the database is sealed
 * with it, so that a kill at any point leaves a key that opens. Null when no change is under way.
 */
export function readNextSecretKey(dataDir: string): Promise<string | null> {
  return readKey(nextPath(dataDir));
}

/** Makes the key that is to follow, unless there is one. The next opening of the database goes over to it. */
export async function makeNextSecretKey(dataDir: string): Promise<void> {
  await createSecretFile(nextPath(dataDir), `${newSecret()}\n`);
}

/** The database is sealed with the following key: it is the present one now. */
export async function adoptNextSecretKey(dataDir: string): Promise<void> {
  await rename(nextPath(dataDir), secretKeyPath(dataDir));
}

const nextPath = (dataDir: string): string => `${secretKeyPath(dataDir)}.next`;

/** Another key is no remedy where something is stored already. */
function assertKept(key: string, path: string): string {
  if (secretKeyFault(key) === null) return key;
  throw new AppError(
    "invalid_data",
    `There is no whole key in ${path}: put the right file back. Where nothing is stored yet, delete it, and a new one is made.`,
  );
}

async function readKey(path: string): Promise<string | null> {
  try {
    return assertKept((await readFile(path, "utf8")).trim(), path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
