import { misuse, readCommandLine, wholeNumber } from "../command-line.ts";
import type { Tried } from "./target.ts";
import { targets } from "./targets.ts";

/** Inputs that are tried on one world; another seed, and another world, for those after them. */
const batchSize = 1000;
/** Ends that are told of a target. */
const mostEnds = 12;
/** Failures of a target after which it is given up: they are likely all of one fault. */
const enough = 3;

const help = `Gives bad inputs to whatever reads some, and watches that each ends as it is documented.

Usage: bun run fuzz [-- options]

  --runs N      inputs for each target (1000)
  --seed S      of the inputs (a new one each time)
  --only NAMES  these targets alone, such as frames,http

Targets: ${targets.map(({ name }) => name).join(", ")}

A failure is printed with its smallest input and the seed that leads there. Ends with 0 when there was none.
`;

const { values } = readCommandLine({
  help,
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    only: { type: "string", default: "" },
  },
});
const runs = wholeNumber("runs", values.runs);
const seed = wholeNumber("seed", values.seed);
const only = values.only.split(",").filter((name) => name !== "");
const stranger = only.find((name) => !targets.some((target) => target.name === name));
if (stranger !== undefined)
  misuse(`There is no target "${stranger}"; there are ${targets.map(({ name }) => name).join(", ")}.`);

let inputs = 0;
let failures = 0;
print(`seed ${seed}`);
for (const target of targets) {
  if (only.length > 0 && !only.includes(target.name)) continue;
  const begun = performance.now();
  const found: Tried[] = [];
  for (let from = 0; from < runs; from += batchSize) {
    const tried = await target.try({ runs: Math.min(batchSize, runs - from), seed: seed + from / batchSize });
    found.push(tried);
    if (tried.failure === null) continue;
    print(`\n${target.name}: ${target.promise}\n${tried.failure}\n`);
    if (found.filter(({ failure }) => failure !== null).length === enough) break;
  }
  const tried = found.reduce((sum, each) => sum + each.inputs, 0);
  const failed = found.filter(({ failure }) => failure !== null).length;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(
    `${target.name.padEnd(16)}${String(tried).padStart(9)} inputs ${String(failed).padStart(4)} failures ${seconds.padStart(8)} s`,
  );
  print(shares(found));
  inputs += tried;
  failures += failed;
}
print(`tried ${inputs} inputs, ${failures} failures`);
process.exit(failures === 0 ? 0 : 1);

/** To which end they came, as shares of all. */
function shares(tried: readonly Tried[]): string {
  const ends = new Map<string, number>();
  for (const [end, count] of tried.flatMap((each) => [...each.ends]))
    ends.set(end, (ends.get(end) ?? 0) + count);
  const all = [...ends.values()].reduce((sum, count) => sum + count, 0);
  const told = [...ends]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, mostEnds)
    .map(([end, count]) => `${end} ${((100 * count) / all).toFixed(1)} %`);
  return `  ${told.join(", ")}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
