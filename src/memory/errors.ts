export type DatabaseProblem =
  | "cannot_open"
  | "read_only"
  | "locked"
  | "not_a_database"
  | "foreign"
  | "corrupt"
  | "newer_schema"
  | "wrong_key"
  | "already_serving";

/** Why the database cannot be used, with a sentence for the operator that says what to do about it. */
export class DatabaseOpenError extends Error {
  override readonly name = "DatabaseOpenError";
  readonly problem: DatabaseProblem;

  constructor(problem: DatabaseProblem, message: string, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
  }
}

/** SQLite's result code by name, such as SQLITE_BUSY, or the system's, such as EACCES; "" where there is none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** Turns what SQLite threw while the file was being opened into something that an operator can act on. */
export function toOpenError(error: unknown, path: string): DatabaseOpenError {
  if (error instanceof DatabaseOpenError) return error;
  const code = errorCode(error);
  const fail = (problem: DatabaseProblem, sentence: string) =>
    new DatabaseOpenError(problem, sentence, error);
  if (code.startsWith("SQLITE_READONLY") || ["EACCES", "EPERM", "EROFS"].includes(code))
    return fail(
      "read_only",
      `The database ${path} is read-only; give this user the right to write the file and its folder.`,
    );
  if (["SQLITE_FULL", "ENOSPC", "EDQUOT"].includes(code))
    return fail("cannot_open", `There is no room for the database ${path}; make room on its disk.`);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED"))
    return fail("locked", `The database ${path} is locked by another process; stop that process first.`);
  if (code === "SQLITE_NOTADB")
    return fail(
      "not_a_database",
      `${path} is not a database (or is damaged from its first page on); name another file in DATABASE_URL or restore a backup.`,
    );
  if (code.startsWith("SQLITE_CORRUPT"))
    return fail("corrupt", `The database ${path} is damaged; restore it from a backup.`);
  const detail = error instanceof Error ? error.message : String(error);
  return fail(
    "cannot_open",
    `The database ${path} cannot be opened (${detail}); check that the path in DATABASE_URL is a file in a folder that this user can write.`,
  );
}
