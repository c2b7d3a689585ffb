import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { headersOf, launch, startTime, untilReady } from "./binary.ts";
import { temporaryFolder } from "./folder.ts";
import { residentOf } from "./processes.ts";
import { type Bench, median } from "./report.ts";
import { alternate } from "./rounds.ts";

const startRounds = 15;
const memoryRounds = 3;
const sessions = 1000;
const sockets = 1000;
const mib = 2 ** 20;
const root = fileURLToPath(new URL("../..", import.meta.url));

export const start: Bench = {
  name: "start",
  about: `The compiled binary, built anew, against a compiled Bun.serve that says hello: from the start of the process to its first answer of 200 to /health/ready (${startRounds} rounds), and resident memory (${memoryRounds} rounds, each a new process; garbage is collected when the process likes).`,
  async run() {
    await using folder = await temporaryFolder();
    const hello = join(folder.path, "hello");
    build(["run", "build"]);
    build([
      ...["build", fileURLToPath(new URL("./start-hello.ts", import.meta.url)), "--compile", "--minify"],
      ...["--sourcemap", "--bytecode", "--format=esm", `--outfile=${hello}`],
    ]);
    const ours = join(root, "dist", "discord-mcp");
    const known = join(folder.path, "known");
    let fresh = 0;
    const ms = await alternate(startRounds, {
      ours: () => startTime(ours, known),
      first: () => startTime(ours, join(folder.path, `fresh-${fresh++}`)),
      floor: () => startTime(hello, null),
    });

    const memory = { ours: [] as Memory[], floor: [] as Memory[] };
    for (let round = 0; round < memoryRounds; round++) {
      memory.ours.push(await memoryOf(ours, join(folder.path, `memory-${round}`)));
      memory.floor.push(await memoryOf(hello, null));
    }
    const of = (side: keyof typeof memory, what: keyof Memory) =>
      median(memory[side].map((figures) => figures[what]));
    const floorIs = "hello world";
    const both = (what: string, unit: string, figure: keyof Memory, scale: number) => {
      const figures = { ours: of("ours", figure) / scale, floor: of("floor", figure) / scale };
      return { what, unit, ...figures, floorIs, goal: "" };
    };
    const { ours: next, floor } = ms;
    return [
      { what: "start to ready", unit: "ms", ours: next, floor, floorIs, goal: "" },
      { what: "first start, which makes the database", unit: "ms", ours: ms.first, floor, floorIs, goal: "" },
      both("resident, idle", "MiB", "idle", mib),
      {
        what: `resident after ${sessions} sessions`,
        unit: "MiB",
        ours: of("ours", "withSessions") / mib,
        floor: of("ours", "idle") / mib,
        floorIs: "itself, idle",
        goal: "",
      },
      both(`resident for each of ${sockets} connected sockets`, "KiB", "perSocket", 1024),
    ];
  },
};

interface Memory {
  readonly idle: number;
  readonly withSessions: number;
  readonly perSocket: number;
}

function build(args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync({ cmd: [process.execPath, ...args], cwd: root });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

/** `folder` null: a server that knows no sessions and no tokens. */
async function memoryOf(binary: string, folder: string | null): Promise<Memory> {
  await using server = await launch(binary, folder);
  const headers = await headersOf(folder);
  await untilReady(server.url, headers);
  const settled = async () => {
    await Bun.sleep(1000);
    return residentOf(server.pid);
  };
  const idle = await settled();
  if (folder !== null) for (let n = 0; n < sessions; n++) await initialize(server.url, headers, n);
  const withSessions = await settled();
  const path = folder === null ? "" : "/mcp/ws";
  const open = await Promise.all(
    Array.from({ length: sockets }, () => connect(`${server.url.replace("http", "ws")}${path}`, headers)),
  );
  const withSockets = await settled();
  for (const socket of open) socket.close();
  return { idle, withSessions, perSocket: (withSockets - withSessions) / sockets };
}

async function initialize(url: string, headers: Record<string, string>, n: number): Promise<void> {
  const channel_id = String(200_000_000_000_000_000n + BigInt(n));
  const answer = await fetch(`${url}/mcp/initialize`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ user_id: "100000000000000000", channel_id }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  await answer.arrayBuffer();
}

function connect(url: string, headers: Record<string, string>): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const socket = new WebSocket(url, { headers });
  socket.onopen = () => resolve(socket);
  socket.onerror = () => reject(new Error(`no socket at ${url}`));
  return promise;
}
