import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import { askService } from "../control/control.ts";
import type { Finding } from "../discord/check.ts";
import { checkDatabase, opensWith } from "../memory/check.ts";
import { ownKeys } from "./own-keys.ts";
import { systemTrouble } from "./system-trouble.ts";

/** Whether a service runs on the data folder, and whether the database and its key are in order. Changes nothing. */
export async function checkStorage(config: Config): Promise<readonly Finding[]> {
  const service = await checkService(config);
  const { isFilled, ...database } = checkFile(config);
  return isFilled ? [service, database, await checkKey(config)] : [service, database];
}

async function checkService({ dataDir }: Config): Promise<Finding> {
  const name = "Service";
  try {
    const running = await askService(dataDir, "status", {});
    if (running === null) return { name, state: "skipped", says: "does not run on this data folder" };
    if (!cannotStore(running.result)) return { name, state: "ok", says: "runs on this data folder" };
    return {
      name,
      state: "failed",
      says: "runs on this data folder, and can store nothing: its disk is full or fails",
      advice: `Make room on the disk of ${dataDir}, or see that it can be written; no restart is needed.`,
    };
  } catch (error) {
    return { name, state: "failed", says: sentence(error) };
  }
}

const cannotStore = (status: unknown): boolean =>
  typeof status === "object" && status !== null && "storing" in status && status.storing === false;

/** `isFilled`: there is something in it that the key must open. */
function checkFile(config: Config): Finding & { readonly isFilled: boolean } {
  const name = "Database";
  const { path } = config.database;
  try {
    // Not existsSync, which says of what may not be seen that it is not there.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      accessSync(firstThere(config.dataDir), constants.W_OK | constants.X_OK);
      return { name, state: "ok", says: `${path} is made at the first start`, isFilled: false };
    }
    const { schemaVersion } = checkDatabase(path);
    const says = `${path} is sound (schema version ${schemaVersion})`;
    return { name, state: "ok", says, isFilled: schemaVersion > 0 };
  } catch (error) {
    const advice =
      "Nothing has been changed. Where it is damaged, put a backup in its place (discord-mcp restore FILE); or name another file in DATABASE_URL.";
    return { name, state: "failed", says: sentence(error), advice, isFilled: false };
  }
}

/** The folder in which those that are missing would be made. */
function firstThere(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : firstThere(dirname(folder));
}

async function checkKey(config: Config): Promise<Finding> {
  const name = "Secret key";
  try {
    const { secretKey, previous, where } = await ownKeys(config);
    const opens = opensWith(config.database.path, previous === null ? [secretKey] : [secretKey, previous]);
    if (opens) return { name, state: "ok", says: `opens the database (${where})` };
    return {
      name,
      state: "failed",
      says: `does not open the database (${where})`,
      advice: "Put back the key that the database was written with; without it nothing in there can be read.",
    };
  } catch (error) {
    return { name, state: "failed", says: sentence(error) };
  }
}

const sentence = (error: unknown): string =>
  systemTrouble(error) ?? (error instanceof Error ? error.message : String(error));
