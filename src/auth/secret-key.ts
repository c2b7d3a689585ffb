import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import { secretKeyFault } from "../secret-key-rule.ts";
import { createSecretFile } from "./secret-files.ts";
import { newSecret } from "./secrets.ts";

const log = getLogger(["discord-mcp", "auth"]);

export const secretKeyPath = (dataDir: string): string => join(dataDir, "secret-key");

/** Gives the key back, or throws AppError `invalid_data` with what would be right. The message never holds the key. */
export function assertSecretKey(key: string, whose = "SECRET_KEY"): string {
  const fault = secretKeyFault(key);
  if (fault !== null) throw new AppError("invalid_data", `${whose} ${fault}`);
  return key;
}

/**
 * The key that this service keeps for itself when none is configured: read from beside the database, made on
 * the first start (mode 0600). Losing the file loses what is encrypted, so it belongs into every backup.
 */
export async function loadOrCreateSecretKey(
  dataDir: string,
): Promise<{ readonly key: string; readonly created: boolean; readonly path: string }> {
  const path = secretKeyPath(dataDir);
  const created = await createSecretFileUnlessThere(path);
  const key = assertSecretKey((await readFile(path, "utf8")).trim(), `The key in ${path}`);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    log.warn("the secret key can be read by others; take the rights away with: chmod 600", { path });
  return { key, created, path };
}

async function createSecretFileUnlessThere(path: string): Promise<boolean> {
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  return there ? false : createSecretFile(path, `${newSecret()}\n`);
}
