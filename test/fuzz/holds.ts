import { isDeepStrictEqual } from "node:util";
import { AppError, type ErrorCode, errorCodes } from "../../src/errors.ts";

/** A promise that does not hold. */
export class Broken extends Error {}

export function holds(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Broken(otherwise);
}

export function equal(found: unknown, wanted: unknown, what: string): void {
  if (!isDeepStrictEqual(found, wanted))
    throw new Broken(`${what}: ${shown(found)} in place of ${shown(wanted)}`);
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 600);

const codes: ReadonlySet<unknown> = new Set(errorCodes);
/** Of these none is the asker's doing, nor Discord's, nor the model's. */
const faults: ReadonlySet<unknown> = new Set<ErrorCode>(["internal_error", "storage_unavailable"]);

/** A code that is documented, and says of something other than a fault of ours. */
export function isDocumented(code: unknown): boolean {
  return codes.has(code) && !faults.has(code);
}

/** What it gives; or undefined when it throws an AppError that is documented. Anything else that it throws is a failure. */
export async function refusedOr<Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && isDocumented(error.code)) {
      holds(
        error.message.length > 0 && error.message.length < 4000,
        `an error of ${error.message.length} characters`,
      );
      return undefined;
    }
    throw error;
  }
}
