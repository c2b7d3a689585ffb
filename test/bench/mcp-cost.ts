import { stat } from "node:fs/promises";
import { join } from "node:path";
import { headersOf, launch, startTime, untilReady } from "./binary.ts";
import { temporaryFolder } from "./folder.ts";
import { startOfficial } from "./mcp-node.ts";
import { buildVariant } from "./mcp-variant.ts";
import { numberOf, type Part, startPart } from "./parts.ts";
import { residentOf } from "./processes.ts";
import type { Bench, Row } from "./report.ts";
import { alternate } from "./rounds.ts";

const startRounds = 15;
const memoryRounds = 5;
const listenRounds = 3;
const listeners = 1000;
const mib = 2 ** 20;

export const mcpCost: Bench = {
  name: "mcp-cost",
  about: `What the Model Context Protocol adds: the executable, built with it and without (start to /health/ready, ${startRounds} rounds; resident, ${memoryRounds} rounds, garbage is collected when the process likes), and what each of ${listeners} clients holds that wait to be told of a channel's messages (${listenRounds} rounds, each a new process, garbage collected).`,
  async run() {
    await using folder = await temporaryFolder();
    return [...(await additions(folder.path)), ...(await waiting(folder.path))];
  },
};

async function additions(folder: string): Promise<readonly Row[]> {
  const files = { ours: join(folder, "with"), floor: join(folder, "without") };
  await buildVariant(files.ours, true);
  await buildVariant(files.floor, false);
  const known = (name: string) => join(folder, `data-${name}`);
  const ms = await alternate(startRounds, {
    ours: () => startTime(files.ours, known("with")),
    floor: () => startTime(files.floor, known("without")),
  });
  const resident = await alternate(memoryRounds, {
    ours: () => residentIdle(files.ours, known("with")),
    floor: () => residentIdle(files.floor, known("without")),
  });
  const bytes = { ours: (await stat(files.ours)).size, floor: (await stat(files.floor)).size };
  const floorIs = "without the protocol";
  const row = (what: string, unit: string, { ours, floor }: typeof ms, scale: number): Row => ({
    ...{ what, unit, floorIs, goal: "" },
    ours: ours / scale,
    floor: floor / scale,
  });
  return [
    row("start to ready", "ms", ms, 1),
    row("resident, idle", "MiB", resident, mib),
    row("the executable", "MiB", bytes, mib),
  ];
}

async function residentIdle(file: string, folder: string): Promise<number> {
  await using server = await launch(file, folder);
  await untilReady(server.url, await headersOf(folder));
  await Bun.sleep(1000);
  return residentOf(server.pid);
}

async function waiting(folder: string): Promise<readonly Row[]> {
  await using discord = await startPart(new URL("./mcp-discord.ts", import.meta.url));
  const script = new URL("./mcp-ours.ts", import.meta.url);
  let n = 0;
  const ours = () => startPart(script, { ...discord.facts, folder: join(folder, `listen-${n++}`) });
  const hasNode = Bun.which("node") !== null;
  if (!hasNode) process.stderr.write("bench mcp-cost: there is no node, on which the official server runs\n");
  const bytes = await alternate(listenRounds, {
    http: () => bytesOfEach(ours, "http"),
    ws: () => bytesOfEach(ours, "ws"),
    json: () => bytesOfEach(ours, "json"),
    official: () => (hasNode ? bytesOfEach(() => startOfficial(folder), "http") : Number.NaN),
  });
  const row = (what: string, ours: number, floor: number | null, floorIs: string): Row => ({
    ...{ what, unit: "KiB", floorIs, goal: "" },
    ours: ours / 1024,
    floor: floor === null ? null : floor / 1024,
  });
  return [
    row(
      "a client of subscriptions/listen, HTTP",
      bytes.http,
      hasNode ? bytes.official : null,
      "the official server on Node",
    ),
    row("a client of resources/subscribe, WebSocket", bytes.ws, bytes.json, "a socket of the JSON protocol"),
  ];
}

async function bytesOfEach(start: () => Promise<Part>, way: string): Promise<number> {
  await using server = await start();
  await using clients = await startPart(new URL("./mcp-listen.ts", import.meta.url));
  const { port = 0, token = "" } = server.facts;
  const before = numberOf(await server.ask("resident"), "bytes");
  await clients.ask("listen", { way, port, token, count: listeners });
  const after = numberOf(await server.ask("resident"), "bytes");
  return (after - before) / listeners;
}
