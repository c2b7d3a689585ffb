import { isSnowflake } from "../snowflake.ts";

/** The process's edge as a command sees it, so that a command runs in a test as it does in a shell. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** Both standard input and output are a terminal. */
  readonly interactive: boolean;
  /** Lines of standard input, without their ends. */
  readonly lines: () => AsyncIterable<string>;
  /** Standard input as it comes, for what is no text for people. Not together with `lines`. */
  readonly bytes: () => AsyncIterable<Uint8Array>;
  /** Like `out`, resolving once the reader's side has taken it, or is gone. */
  readonly written: (text: string) => Promise<void>;
  /** The command line that starts this program anew, absolute, before its arguments. */
  readonly self: readonly string[];
  /** Aborted by the first SIGTERM or SIGINT: stop in order. */
  readonly stop: AbortSignal;
  /** Aborted by the second: stop at once. */
  readonly hurry: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Printed by --help, usage first. */
  readonly help: string;
  /** Resolves with the exit code. */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** As in sysexits.h; `alreadyServing` is its "try again later". */
export const exit = {
  ok: 0,
  failure: 1,
  usage: 64,
  unavailable: 69,
  alreadyServing: 75,
  config: 78,
} as const;

/** A mistake in the arguments: the message, then where to read more. */
export class UsageError extends Error {}

/** Of the options that name a person and a place. Throws UsageError. */
export function assertIds(values: {
  readonly user?: string | undefined;
  readonly guild?: string | undefined;
  readonly channel?: string | undefined;
}): void {
  for (const name of ["user", "guild", "channel"] as const) {
    const id = values[name];
    if (id !== undefined && !isSnowflake(id))
      throw new UsageError(`--${name} takes a Discord id, 15 to 20 digits`);
  }
}
