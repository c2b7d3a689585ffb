import { anyNumber, misuse, readCommandLine, wholeNumber } from "../command-line.ts";
import { hostile, hostileTable } from "./hostile.ts";
import { isFlat, type LoadOutcome, load } from "./run.ts";

const help = `Holds the executable to its bounds: connections, sessions and turns by the thousand, and hostile clients beside a quiet one.

Usage: bun run load [-- options]

  --connections N  WebSocket connections at once (5000)
  --sessions N     of them active: followed, and calling tools (2000)
  --turns N        of them asking at once, of a model that answers none before all have asked (500)
  --minutes N      for which connections come and go (10); 0 for a single round
  --hostile S      seconds for each hostile client (10); 0 leaves them out

Ends with 0 when nothing below the bounds was refused, everything above them was, and memory was flat: at the end of the
coming and going at most 5 % and 8 MiB more than after its first fifth. Needs as many open files as connections, and a
few more, for a process (ulimit -n); they are raised as far as the machine allows.
`;

const { values } = readCommandLine({
  help,
  options: {
    connections: { type: "string", default: "5000" },
    sessions: { type: "string", default: "2000" },
    turns: { type: "string", default: "500" },
    minutes: { type: "string", default: "10" },
    hostile: { type: "string", default: "10" },
  },
});
const connections = wholeNumber("connections", values.connections);
const sessions = wholeNumber("sessions", values.sessions);
const turns = wholeNumber("turns", values.turns);
if (!(turns >= 1 && turns <= sessions && sessions < connections - 100))
  misuse("There must be more connections than sessions (by 100), and not more turns than sessions.");
haveFiles(connections + 500);
const began = performance.now();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** With the seconds since the beginning. */
const tell = (line: string): void => say(`${Math.round((performance.now() - began) / 1000)} s: ${line}`);
const outcome = await load({
  ...{ connections, sessions, turns },
  say: tell,
  churnMs: anyNumber("minutes", values.minutes) * 60_000,
});
const isRight = report(outcome);
const seconds = anyNumber("hostile", values.hostile);
if (seconds > 0) say(`\n${hostileTable(await hostile({ ms: seconds * 1000, say: tell }))}`);
process.exit(isRight ? 0 : 1);

/** Begins anew with as many files as the machine allows, when there are too few. */
function haveFiles(needed: number): void {
  const limit = (kind: string) => {
    const { stdout } = Bun.spawnSync({ cmd: ["sh", "-c", `ulimit ${kind}`] });
    const text = stdout.toString().trim();
    return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
  };
  if (limit("-Sn") >= needed) return;
  if (limit("-Hn") < needed)
    misuse(`A process needs ${needed} open files here; raise its limit (ulimit -n ${needed}).`);
  const { exitCode } = Bun.spawnSync({
    cmd: ["sh", "-c", `ulimit -Sn ${needed}; exec "$@"`, "sh", process.execPath, ...process.argv.slice(1)],
    stdio: ["inherit", "inherit", "inherit"],
  });
  process.exit(exitCode);
}

function report({ refused, atOnce, answered, beyond, churned, events, memory }: LoadOutcome): boolean {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  const { idle, connected, active, waiting, early, late } = memory;
  const rows: [string, string][] = [
    ["resident, idle", mib(idle)],
    [`with ${connections} connections`, `${mib(connected)}, ${kib((connected - idle) / connections)} each`],
    [
      `with ${sessions} sessions that have called a tool`,
      `${mib(active)}, ${kib((active - connected) / sessions)} each`,
    ],
    [
      `with ${atOnce} turns that wait for the model`,
      `${mib(waiting)}, ${kib((waiting - active) / atOnce)} each`,
    ],
    [`while ${churned} connections were replaced`, `${mib(early)} early, ${mib(late)} in the end`],
    ["turns answered", `${answered} of ${turns}`],
    ["events received", String(events)],
    ["refused below the bounds", JSON.stringify(refused)],
    ["one connection more", beyond.connection],
    ["a tenth message of a conversation", beyond.queue],
    ["a seventeenth request of a connection", beyond.flight],
  ];
  say(
    [
      "",
      "| what | figure |",
      "| --- | --- |",
      ...rows.map(([what, figure]) => `| ${what} | ${figure} |`),
    ].join("\n"),
  );
  const wereRefused =
    beyond.connection.startsWith("429 ") &&
    beyond.queue.startsWith("queue_full: ") &&
    beyond.flight.startsWith("rate_limited: ");
  const isRight = Object.keys(refused).length === 0 && answered === turns && wereRefused && isFlat(memory);
  say(isRight ? "all within the bounds was served" : "NOT as it should be");
  return isRight;
}
