import fc from "fast-check";

/** One thing that is given bad input: what is made for it, and what must hold of each input. */
export interface Target {
  readonly name: string;
  /** What must hold, for the one who reads a failure. */
  readonly promise: string;
  /** Inputs of the short form. */
  readonly runs: number;
  /** Tries so many inputs on a world of its own, and gives the failure that it found, shrunk. */
  try(options: TryOptions): Promise<Tried>;
}

interface TryOptions {
  readonly runs: number;
  readonly seed: number;
}

export interface Tried {
  readonly inputs: number;
  /** With the seed and the path that lead there, and the smallest input; null when all went well. */
  readonly failure: string | null;
  /** How many came to which end. A target that refuses nearly all of its inputs at the door tries little. */
  readonly ends: ReadonlyMap<string, number>;
}

/** What inputs are tried on. */
export interface Subject<Input> {
  readonly inputs: fc.Arbitrary<Input>;
  /** What became of it, or of its parts, in a word. Throws when the promise does not hold for it. */
  check(input: Input): Promise<string | readonly string[]> | string | readonly string[];
  [Symbol.asyncDispose]?(): Promise<void>;
}

/** An input that is worked on for so long counts as one that never ends. */
const stuckMs = 30_000;
/** After so long no more inputs are tried, and a failure is shrunk no further. */
const longMs = 180_000;
/** Characters of a failure's report. */
const reportLength = 3000;

export function target<Input>(
  name: string,
  promise: string,
  runs: number,
  open: () => Promise<Subject<Input>> | Subject<Input>,
): Target {
  return {
    ...{ name, promise, runs },
    async try({ runs: numRuns, seed }) {
      const subject = await open();
      try {
        const ends = new Map<string, number>();
        const property = fc.asyncProperty(subject.inputs, async (input) => {
          for (const end of [await subject.check(input)].flat()) ends.set(end, (ends.get(end) ?? 0) + 1);
        });
        const details = await fc.check(property, {
          numRuns,
          seed,
          timeout: stuckMs,
          interruptAfterTimeLimit: longMs,
        });
        return { inputs: details.numRuns, failure: details.failed ? reported(details) : null, ends };
      } finally {
        await subject[Symbol.asyncDispose]?.();
      }
    },
  };
}

function reported<Input>(details: fc.RunDetails<[Input]>): string {
  const { errorInstance: error } = details;
  const reason = error instanceof Error ? traced(error) : String(error);
  const report = `${reason}\n${fc.defaultReportMessage(details) ?? ""}`;
  const short = report.replaceAll(/(.)\1{40,}/gsu, (run, one) => `${one}(${run.length} times)`);
  return short.length <= reportLength
    ? short
    : `${short.slice(0, reportLength / 2)}\n[…]\n${short.slice(-reportLength / 2)}`;
}

/** Without the frames of what tries the inputs. */
function traced(error: Error): string {
  const lines = (error.stack ?? error.message).split("\n").filter((line) => !line.includes("fast-check"));
  const { cause } = error;
  if (cause === undefined) return lines.join("\n");
  return `${lines.join("\n")}\ncaused by ${cause instanceof Error ? traced(cause) : cause}`;
}
