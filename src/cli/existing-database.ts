import { statSync } from "node:fs";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";

/** The path of the database, for commands that make none. Throws AppError `not_found`, and what the system refuses. */
export function existingDatabase({ database: { path } }: Pick<Config, "database">): string {
  // Not existsSync, which says of what may not be seen that it is not there.
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  throw new AppError("not_found", `There is no database ${path} yet; is DATABASE_URL that of the service?`);
}
