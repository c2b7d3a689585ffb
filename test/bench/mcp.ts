import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";
import { headersOf, request } from "./mcp-frames.ts";
import { startOfficial } from "./mcp-node.ts";
import { type Facts, numberOf, type Part, startPart, textOf } from "./parts.ts";
import { type Bench, median, type Row } from "./report.ts";
import { alternate } from "./rounds.ts";

const connections = 32;
const rounds = 5;
const roundMs = 1000;

export const mcp: Bench = {
  name: "mcp",
  about: `Calls of a tool that gives its argument back, over the Model Context Protocol in both its eras, ${connections} connections with one request each under way (${rounds} rounds of ${roundMs / 1000} s), and tools/list with every tool, over one connection. Ours has authentication and audit log on; the official server is createMcpHandler with toNodeHandler on Node's own HTTP server, with neither, and with an equal tool. Servers and client are processes of their own.`,
  async run() {
    if (Bun.which("node") === null) {
      process.stderr.write("bench mcp: skipped, since there is no node, on which the official server runs\n");
      return [];
    }
    await using folder = await temporaryFolder();
    await using load = await startPart(new URL("./mcp-load.ts", import.meta.url));
    return [...(await calls(load, folder.path)), ...(await lists(load, folder.path))];
  },
};

/** Who is asked, and by which way. */
interface Side {
  readonly server: Part;
  readonly way: string;
}

const sidesOf = (ours: Part, official: Part) => ({
  officialNew: { server: official, way: "http 2026-07-28" },
  officialOld: { server: official, way: "http 2025-11-25" },
  httpNew: { server: ours, way: "http 2026-07-28" },
  httpOld: { server: ours, way: "http 2025-11-25" },
  wsNew: { server: ours, way: "ws 2026-07-28" },
  wsOld: { server: ours, way: "ws 2025-11-25" },
  json: { server: ours, way: "json" },
});
type Name = keyof ReturnType<typeof sidesOf>;

/** Ours, what it is held against, and what was promised. */
const comparisons: readonly (readonly [Name, Name, string])[] = [
  ["httpNew", "officialNew", "more than 1"],
  ["httpOld", "officialOld", "more than 1"],
  ["wsNew", "officialNew", "at least 3"],
  ["wsOld", "officialOld", "at least 3"],
  ["httpNew", "json", ""],
  ["wsNew", "json", ""],
];

const titles: Readonly<Record<Name, string>> = {
  officialNew: "official, HTTP, 2026-07-28",
  officialOld: "official, HTTP, 2025-11-25",
  httpNew: "HTTP, 2026-07-28",
  httpOld: "HTTP, 2025-11-25",
  wsNew: "WebSocket, 2026-07-28",
  wsOld: "WebSocket, 2025-11-25",
  json: "the JSON protocol's tool_call",
};

async function ask(load: Part, { server, way }: Side, method: string, connections: number): Promise<Facts> {
  const { port = 0, token = "" } = server.facts;
  return load.ask("ask", { way, method, connections, ms: roundMs, port, token });
}

async function calls(load: Part, folder: string): Promise<readonly Row[]> {
  const script = new URL("./mcp-ours.ts", import.meta.url);
  await using ours = await startPart(script, { folder: join(folder, "calls"), tools: "noop" });
  await using official = await startOfficial(folder);
  const sides = sidesOf(ours, official);
  const processor = new Map<Name, number[]>();

  const measure = (name: Name) => async () => {
    const side = sides[name];
    const before = numberOf(await side.server.ask("processor"), "ms");
    const facts = await ask(load, side, "tools/call", connections);
    const spent = numberOf(await side.server.ask("processor"), "ms") - before;
    const answers = numberOf(facts, "answers");
    processor.set(name, [...(processor.get(name) ?? []), (spent / answers) * 1000]);
    return answers / (numberOf(facts, "ms") / 1000);
  };
  const rates = await alternate(rounds, {
    officialNew: measure("officialNew"),
    officialOld: measure("officialOld"),
    httpNew: measure("httpNew"),
    httpOld: measure("httpOld"),
    wsNew: measure("wsNew"),
    wsOld: measure("wsOld"),
    json: measure("json"),
  });
  // The first round is thrown away here, too.
  const costOf = (name: Name) => median((processor.get(name) ?? []).slice(1));
  const compared = (what: string, unit: string, figureOf: (name: Name) => number) =>
    comparisons.map(([side, floor, goal]) => ({
      what: `${what}, ${titles[side]}`,
      unit,
      ours: figureOf(side),
      floor: figureOf(floor),
      floorIs: titles[floor],
      goal: unit === "per second" ? goal : "",
    }));
  return [
    ...compared("calls", "per second", (name) => rates[name]),
    ...compared("the server's processor time of a call", "µs", costOf),
  ];
}

/** Every tool there is, and the official server with the very same list. */
async function lists(load: Part, folder: string): Promise<readonly Row[]> {
  const script = new URL("./mcp-ours.ts", import.meta.url);
  await using ours = await startPart(script, { folder: join(folder, "lists"), tools: "all" });
  const listed = join(folder, "all.json");
  await Bun.write(listed, await listOf(ours));
  await using official = await startOfficial(folder, { tools: listed });
  const { officialNew, officialOld, httpNew, httpOld, wsNew, wsOld } = sidesOf(ours, official);
  let bytes = 0;
  const measure = (side: Side) => async () => {
    const facts = await ask(load, side, "tools/list", 1);
    bytes = numberOf(facts, "bytes");
    return numberOf(facts, "ms") / numberOf(facts, "answers");
  };
  const ms = await alternate(rounds, {
    officialNew: measure(officialNew),
    officialOld: measure(officialOld),
    httpNew: measure(httpNew),
    httpOld: measure(httpOld),
    wsNew: measure(wsNew),
    wsOld: measure(wsOld),
  });
  const count = JSON.parse(await Bun.file(listed).text()).length;
  const what = `tools/list of ${count} tools`;
  const row = (side: keyof typeof ms, floor: keyof typeof ms) => ({
    what: `${what}, ${titles[side]}`,
    unit: "ms",
    ours: ms[side],
    floor: ms[floor],
    floorIs: titles[floor],
    goal: "",
  });
  return [
    row("httpNew", "officialNew"),
    row("httpOld", "officialOld"),
    row("wsNew", "officialNew"),
    row("wsOld", "officialOld"),
    { what: `${what}, its bytes`, unit: "KiB", ours: bytes / 1024, floor: null, floorIs: "", goal: "" },
  ];
}

/** The tools as JSON, as ours lists them. */
async function listOf({ facts }: Part): Promise<string> {
  const token = textOf(facts, "token");
  const post = { revision: "2026-07-28", token, method: "tools/list" } as const;
  const answer = await fetch(`http://127.0.0.1:${numberOf(facts, "port")}/mcp`, {
    method: "POST",
    headers: headersOf(post),
    body: request("2026-07-28", "list", "tools/list", {}),
  });
  const { result } = JSON.parse(await answer.text());
  return JSON.stringify(result.tools);
}
