import { cpus, totalmem } from "node:os";
import { misuse, readCommandLine } from "../command-line.ts";
import { authorize } from "./authorize.ts";
import { cache } from "./cache.ts";
import { gateway } from "./gateway.ts";
import { history } from "./history.ts";
import { mcp } from "./mcp.ts";
import { mcpCost } from "./mcp-cost.ts";
import { permissions } from "./permissions.ts";
import { type Bench, type Row, ratio, table } from "./report.ts";
import { socket } from "./socket.ts";
import { start } from "./start.ts";
import { storage } from "./storage.ts";
import { tools } from "./tools.ts";
import { turn } from "./turn.ts";

const benches: readonly Bench[] = [
  socket,
  turn,
  start,
  history,
  gateway,
  cache,
  permissions,
  authorize,
  tools,
  mcp,
  mcpCost,
  storage,
];

const help = `Measures what the service costs, each figure beside the least that could do the same.

Usage: bun run bench [-- options] [NAME…]

  --json  the same as JSON, with the machine

Names, all if none is given: ${benches.map(({ name }) => name).join(", ")}
`;

const { values, positionals } = readCommandLine({
  help,
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name));
if (unknown !== undefined)
  misuse(`There is no bench "${unknown}"; there are ${benches.map(({ name }) => name).join(", ")}.`);
const wanted = benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const machine = {
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  bun: Bun.version,
  platform: `${process.platform} ${process.arch}`,
};
const results: {
  name: string;
  about: string;
  seconds: number;
  rows: readonly (Row & { ratio: number | null })[];
}[] = [];
if (!values.json)
  process.stdout.write(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Bun ${machine.bun}, ${machine.platform}\n`,
  );
for (const bench of wanted) {
  const began = performance.now();
  const rows = await bench.run();
  const seconds = Math.round((performance.now() - began) / 1000);
  results.push({
    name: bench.name,
    about: bench.about,
    seconds,
    rows: rows.map((row) => ({ ...row, ratio: ratio(row) })),
  });
  if (!values.json) process.stdout.write(`\n## ${bench.name}\n\n${bench.about}\n\n${table(rows)}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify({ machine, results }, null, 2)}\n`);
process.exit(0);
