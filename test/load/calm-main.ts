import { readCommandLine, wholeNumber } from "../command-line.ts";
import { calm, type Held, leftByTurn } from "./calm.ts";

const help = `Has programs and people ask the executable while nothing goes wrong, and counts what it holds after each tenth of the turns.

Usage: bun run calm [-- options]

  --turns N     in all (10000)
  --programs N  that ask over WebSockets (12)
  --people N    who ask in Discord, which takes eighteen posts a second of us (4)
  --history N   tokens of history that go with each question (40000)

Ends with 0 when turns leave nothing behind: less than two objects each, from the third tenth on. A turn's record, and
what it is found by, are some ten; what is remembered up to a bound is one for each question in Discord until it is full.
`;

const { values } = readCommandLine({
  help,
  options: {
    turns: { type: "string", default: "10000" },
    programs: { type: "string", default: "12" },
    people: { type: "string", default: "4" },
    history: { type: "string", default: "40000" },
  },
});
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const row = ({ turns, resident, collected, heapSize, objectCount }: Held): string =>
  `| ${turns} | ${mib(resident)} | ${mib(collected)} | ${(heapSize / 2 ** 20).toFixed(1)} | ${objectCount} |\n`;
process.stdout.write(
  "| turns | resident, MiB | once collected | heap, MiB | objects |\n| --- | --- | --- | --- | --- |\n",
);
const held = await calm({
  turns: wholeNumber("turns", values.turns),
  programs: wholeNumber("programs", values.programs),
  people: wholeNumber("people", values.people),
  historyTokens: wholeNumber("history", values.history),
  onTenth: (one) => void process.stdout.write(row(one)),
});
const left = leftByTurn(held);
process.stdout.write(`objects that a turn has left behind: ${left.toFixed(2)}\n`);
process.exit(left < 2 ? 0 : 1);
