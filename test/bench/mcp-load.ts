import {
  headersOf,
  initialize,
  initialized,
  posted,
  type Revision,
  request,
  revisions,
  userId,
} from "./mcp-frames.ts";
import { openHttp } from "./mcp-http-client.ts";
import { openSocket } from "./mcp-socket-client.ts";
import { type Facts, numberOf, servePart, textOf } from "./parts.ts";

/** The other end of every server of the bench, and the same for all: what it sends is made before the clock runs. */
const text = "Nothing is done with these few words.";
/** An operator who has named nobody is shown every tool, and may call none. */
const addressOf = (method: string) => (method === "tools/call" ? `/mcp?user_id=${userId}` : "/mcp");

/** One client, which asks one thing again and again. */
interface Line extends Disposable {
  ask(): Promise<string>;
}

interface Asked {
  readonly port: number;
  readonly token: string;
  readonly method: string;
}

const paramsOf = (method: string) => (method === "tools/call" ? { name: "noop", arguments: { text } } : {});

/** One client of `/mcp`. */
async function overHttp({ port, token, method }: Asked, revision: Revision, id: string): Promise<Line> {
  const address = addressOf(method);
  const http = await openHttp(port);
  let sessionId: string | null = null;
  if (revision === "2025-11-25") {
    const first = headersOf({ revision, token, method: "initialize" });
    const { head } = await http.ask(posted(port, address, first, initialize));
    sessionId = /^mcp-session-id: (\S+)/im.exec(head)?.[1] ?? null;
    const second = headersOf({ revision, token, method: "notifications/initialized", sessionId });
    await http.ask(posted(port, address, second, initialized));
  }
  const name = method === "tools/call" ? "noop" : undefined;
  const headers = headersOf({ revision, token, method, name, sessionId });
  const bytes = posted(port, address, headers, request(revision, id, method, paramsOf(method)));
  return {
    ask: async () => (await http.ask(bytes)).body,
    [Symbol.dispose]: () => http[Symbol.dispose](),
  };
}

/** One client of `/mcp/ws` with the subprotocol mcp. */
async function overSocket({ port, token, method }: Asked, revision: Revision, id: string): Promise<Line> {
  const line = await openSocket(`${port}${addressOf(method).replace("/mcp", "/mcp/ws")}`, token, ["mcp"]);
  if (revision === "2025-11-25") {
    await line.ask(initialize);
    line.send(initialized);
  }
  const frame = request(revision, id, method, paramsOf(method));
  return { ask: () => line.ask(frame), [Symbol.dispose]: line[Symbol.dispose] };
}

/** One client of the JSON protocol, which calls. */
async function overJson({ port, token }: Asked, id: string): Promise<Line> {
  const line = await openSocket(`${port}/mcp/ws`, token, []);
  const data = { user_id: userId, channel_id: "200000000000000000" };
  const first = JSON.stringify({ type: "initialize", id, data });
  const { session_id } = JSON.parse(await line.ask(first)).data;
  const call = { session_id, tool_name: "noop", arguments: { text } };
  const frame = JSON.stringify({ type: "tool_call", id, data: call });
  return { ask: () => line.ask(frame), [Symbol.dispose]: line[Symbol.dispose] };
}

function open(way: string, asked: Asked, id: string): Promise<Line> {
  if (way === "json") return overJson(asked, id);
  const revision = revisions.find((one) => way.endsWith(one));
  if (revision === undefined) throw new Error(`there is no way ${way}`);
  return way.startsWith("ws") ? overSocket(asked, revision, id) : overHttp(asked, revision, id);
}

/** Each asks again as soon as it is answered, until the time is up. */
async function ask(facts: Facts): Promise<Facts> {
  const method = textOf(facts, "method");
  const way = textOf(facts, "way");
  const asked = { port: numberOf(facts, "port"), token: textOf(facts, "token"), method };
  using opened = new DisposableStack();
  const lines = await Promise.all(
    Array.from({ length: numberOf(facts, "connections") }, (_, n) => open(way, asked, `c${n}`)),
  );
  for (const line of lines) opened.use(line);
  // An answer that is none would be quicker than one that is.
  const sign = method === "tools/call" ? text : '"description"';
  const began = performance.now();
  const until = began + numberOf(facts, "ms");
  let answers = 0;
  let bytes = 0;
  await Promise.all(
    lines.map(async (line) => {
      do {
        const answer = await line.ask();
        if (!answer.includes(sign)) throw new Error(`${way} ${method}: ${answer.slice(0, 500)}`);
        bytes = answer.length;
        answers++;
      } while (performance.now() < until);
    }),
  );
  return { answers, bytes, ms: performance.now() - began };
}

servePart({}, { ask });
