import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** EX_USAGE of sysexits.h, as the product's own command line has it. */
const misused = 64;

interface CommandLine<Options> {
  /** What `--help` prints. */
  readonly help: string;
  readonly options: Options;
  readonly allowPositionals?: boolean;
}

/** What stands behind `bun run NAME --`. Ends the process when it is asked for help, or cannot be understood. */
export function readCommandLine<const Options extends ParseArgsOptionsConfig>(line: CommandLine<Options>) {
  const { values, positionals } = parsed(line);
  if ("help" in values && values.help === true) {
    process.stdout.write(line.help);
    process.exit(0);
  }
  const named: readonly string[] = positionals;
  return { values, positionals: named };
}

function parsed<const Options extends ParseArgsOptionsConfig>({
  options,
  allowPositionals = false,
}: CommandLine<Options>) {
  try {
    return parseArgs({
      args: process.argv.slice(2),
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals,
    });
  } catch (error) {
    return misuse(error instanceof Error ? error.message : String(error));
  }
}

export const wholeNumber = (name: string, text: string): number =>
  numberThat(Number.isSafeInteger, name, text, "a whole number");

export const anyNumber = (name: string, text: string): number =>
  numberThat(Number.isFinite, name, text, "a number");

function numberThat(fits: (value: number) => boolean, name: string, text: string, what: string): number {
  const value = Number(text);
  if (text !== "" && fits(value) && value >= 0) return value;
  return misuse(`--${name} takes ${what}, such as --${name} 20.`);
}

/** Ends the process with a sentence that says what to do. */
export function misuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(misused);
}
