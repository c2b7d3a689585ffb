import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";

/** The path of the database, for commands that make none. Throws AppError `not_found`. */
export function existingDatabase({ database: { path } }: Pick<Config, "database">): string {
  if (existsSync(path)) return path;
  throw new AppError("not_found", `There is no database ${path} yet; is DATABASE_URL that of the service?`);
}
