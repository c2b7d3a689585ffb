import { partArgs, servePart, textOf } from "../bench/parts.ts";
import { hostileClients, type Tally } from "./hostile-clients.ts";
import { Program } from "./program.ts";

/** One hostile client at a time, in a process of its own. */
const args = partArgs();
const url = textOf(args, "url");
const { hostname, port } = new URL(url);
const program = await Program.open(url, textOf(args, "token"));
await program.initialize(JSON.parse(textOf(args, "place")));
const { sessionId } = program;

let over = new AbortController();
let running: Promise<void> = Promise.resolve();
let tally: Tally = new Map();

servePart(
  {},
  {
    begin({ kind, token, address }) {
      const hostile = hostileClients[String(kind)];
      if (hostile === undefined) throw new Error(`no such client: ${kind}`);
      const client = { token: String(token), address: String(address) };
      const target = { host: hostname, port: Number(port), sessionId, ...client };
      over = new AbortController();
      tally = new Map();
      running = hostile(target, tally, over.signal);
      return {};
    },
    async end() {
      over.abort();
      const sofar = JSON.stringify(Object.fromEntries(tally));
      await running;
      return { tally: sofar };
    },
  },
);
