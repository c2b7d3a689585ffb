import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Io } from "./command.ts";

/** What `.env` of that folder says, and nothing else; empty when there is none. */
export async function folderEnvironment(folder: string): Promise<Io["env"]> {
  try {
    return parseEnv(await readFile(join(folder, ".env"), "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}
