import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { isSnowflake } from "../../snowflake.ts";
import { firstIdAt } from "../argument-schemas.ts";
import { timePattern } from "../arguments.ts";

/** A moment that a search begins or ends with. */
export const moment = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 40,
    description: `${description} A time such as 2026-05-01T18:30:00Z, or a message id.`,
  });

/**
 * Discord searches between ids, neither end included; ids hold their time, so that a time after which messages are
 * meant includes itself. Throws AppError `invalid_arguments`.
 */
export function range(after: string | undefined, before: string | undefined) {
  const min = after === undefined ? null : idOf("after", after, -1n);
  const max = before === undefined ? null : idOf("before", before, 0n);
  if (min !== null && max !== null && min + 1n >= max)
    throw wrong("after", "is not earlier than before", "after must be earlier than before.");
  return {
    ...(min === null || min < 0n ? {} : { minId: String(min) }),
    ...(max === null ? {} : { maxId: String(max) }),
  };
}

/** A time is its first id, moved by so many. */
function idOf(name: string, text: string, by: bigint): bigint {
  if (isSnowflake(text)) return BigInt(text);
  if (new RegExp(timePattern).test(text)) return firstIdAt(name, text) + by;
  const problem = "must be an ISO 8601 time, such as 2026-05-01T18:30:00Z, or a message id";
  throw wrong(name, problem, `${name} ${problem}.`);
}

const wrong = (path: string, problem: string, sentence: string): AppError =>
  new AppError("invalid_arguments", sentence, { data: { path, problem } });
