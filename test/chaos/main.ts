import { appendFileSync, writeFileSync } from "node:fs";
import { readCommandLine, wholeNumber } from "../command-line.ts";
import { chaos, type Outcome } from "./run.ts";

const help = `Kills the executable again and again, while people talk to it and everything around it fails.

Usage: bun run chaos [-- options]

  --kills N    how often it is killed (300)
  --seed S     of what goes wrong, when, and what is asked (a new one each time)
  --cut S      seconds for which Discord's gateway is away at the end (600 with 100 kills or more, else 5)
  --log FILE   where the logs of all processes go
  --calm N     questions asked at the end, undisturbed, over which memory is watched (600 with 100 kills or more, else 40)

Ends with 0 when nothing was lost and nothing happened twice.
`;

const { values } = readCommandLine({
  help,
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
    cut: { type: "string" },
    calm: { type: "string" },
    log: { type: "string" },
  },
});
const kills = wholeNumber("kills", values.kills);
const seed = wholeNumber("seed", values.seed);
const isLong = kills >= 100;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`seed ${seed}`);
const began = performance.now();
const outcome = await chaos({
  kills,
  seed,
  longCutMs: 1000 * wholeNumber("cut", values.cut ?? (isLong ? "600" : "5")),
  calmQuestions: wholeNumber("calm", values.calm ?? (isLong ? "600" : "40")),
  say,
  ...(values.log === undefined ? {} : { log: appendTo(values.log) }),
});
report(outcome, (performance.now() - began) / 1000);

function appendTo(path: string): (text: string) => void {
  writeFileSync(path, "");
  return (text) => appendFileSync(path, text);
}

function report(result: Outcome, seconds: number): void {
  const { answered, givenUp, lost, duplicated, misled, asked, stops, integrity, unfinished, memory } = result;
  const back = result.backAfterMs.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(back[Math.floor((back.length - 1) * share)] ?? 0);
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  say(`${asked} asked in ${Math.round(seconds)} s; ${result.kills} kills, ${stops} orderly ends`);
  say(`first answer of the next process after ${at(0.5)} ms (median), ${at(0.95)} ms (95 of 100)`);
  say(`memory of the last process, MiB: ${memory.map(mib).join(" ")}`);
  say(`integrity_check: ${integrity}; unfinished: ${unfinished}`);
  if (givenUp.length > 0) say(`interrupted too often, and told so: ${givenUp.join(" ")}`);
  if (lost.length > 0) say(`lost: ${lost.join(" ")}`);
  if (duplicated.length > 0) say(`duplicated: ${duplicated.join(" ")}`);
  if (misled.length > 0) say(`misled: ${misled.join(" ")}`);
  say(`answered ${answered}, lost ${lost.length}, duplicated ${duplicated.length}`);
  const isRight = lost.length + duplicated.length + misled.length + unfinished === 0 && integrity === "ok";
  process.exit(isRight ? 0 : 1);
}
