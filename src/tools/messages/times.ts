import { AppError } from "../../errors.ts";

/**
 * A time as Discord's pages take it. What came from Discord stays as it is, to the microsecond, or a page would lose
 * what happened in the same millisecond; what has no time zone is meant in UTC. Throws AppError `invalid_arguments`.
 */
export function pageTime(name: string, text: string): string {
  const isZoned = /(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  // A date alone is read as UTC, a time without a zone as local.
  const at = Date.parse(isZoned || !text.includes("T") ? text : `${text}Z`);
  if (Number.isNaN(at))
    throw new AppError("invalid_arguments", `${name} is no time that exists: ${text}.`, {
      data: { path: name, problem: "is no time that exists" },
    });
  return isZoned && /T\d{2}:\d{2}:\d{2}/.test(text) ? text : new Date(at).toISOString();
}
