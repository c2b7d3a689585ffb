import { connect } from "node:net";
import fc from "fast-check";
import { ana } from "../../http/client.ts";
import { startWorld } from "../../http/world.ts";
import { Broken, holds, isDocumented } from "../holds.ts";
import { mutated, scrambled } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const paths = [
  "/",
  "/health",
  "/health/live",
  "/health/ready",
  "/metrics",
  "/openapi",
  "/openapi/json",
  "/mcp",
  "/mcp?guild_id=1&channel_id=2",
  "/mcp/initialize",
  "/mcp/process",
  "/mcp/tool_call",
  "/mcp/approve",
  "/mcp/tools",
  "/mcp/tools?session_id=fuzzed",
  "/mcp/tickets",
  "/discord/interactions",
  "/mcp/ws",
  "/mcp/ws?last_seq=3&stream_epoch=x&ticket=y",
  "/mcp/ws/fuzzed",
  "/.well-known/oauth-protected-resource",
  "/mcp/ws/%00",
  "/%2e%2e/%2e%2e/etc/passwd",
  "//mcp//tools",
  "/mcp/tools?session_id=%ff",
  "*",
  "http://elsewhere/health",
];
const bodies = [
  { ...ana, session_id: "fuzzed" },
  { session_id: "fuzzed", message: "hello" },
  { session_id: "fuzzed", tool_name: "echo", arguments: { a: 1 } },
  { session_id: "fuzzed", approval_id: "x", approved: true },
  { type: 1 },
  {
    type: 3,
    id: "1",
    token: "t",
    application_id: "1",
    data: { custom_id: "x" },
    member: { user: { id: "1" } },
  },
  { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} },
];
const bodyTexts = bodies.map((body) => JSON.stringify(body));
/** Header names are tokens and values have no line ends: what breaks the framing itself is the server's parser's. */
const headerValue = fc
  .oneof(
    scrambled([
      "application/json",
      "text/event-stream",
      "websocket",
      "Upgrade",
      "mcp",
      "13",
      "Bearer dmcp_x",
      "Bearer dmcs_a.b",
      "https://evil.example",
      "2026-07-28",
      "127.0.0.1, 10.0.0.1",
      "dGhlIHNhbXBsZSBub25jZQ==",
      "gzip",
      "*/*;q=0",
      "tools/call",
    ]),
    fc.string({ unit: "binary", maxLength: 30 }),
  )
  .map((value) => value.replaceAll(/[\r\n\0]/g, "").slice(0, 3000));
const header = fc.tuple(
  fc.constantFrom(
    "accept",
    "content-type",
    "authorization",
    "origin",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "idempotency-key",
    "x-forwarded-for",
    "forwarded",
    "x-signature-ed25519",
    "x-signature-timestamp",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "last-event-id",
    "content-encoding",
    "host",
    "cookie",
    "x-http-method-override",
  ),
  headerValue,
);
const input = fc.record({
  method: fc.constantFrom("GET", "POST", "POST", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"),
  path: fc.oneof(
    fc.constantFrom(...paths),
    scrambled(paths).map((path) => path.replaceAll(/[\s\p{Cc}]/gu, "") || "/"),
  ),
  hasToken: fc.boolean(),
  headers: fc.array(header, { maxLength: 4 }),
  body: fc.oneof(
    mutated(bodies).map((each) => JSON.stringify(each) ?? ""),
    scrambled(bodyTexts),
    fc.constantFrom("", "x".repeat(70_000), "\ud800"),
  ),
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Over a socket of its own; null when the server closes it without a word, as its parser does. */
function ask(port: number, request: Buffer): Promise<Answer | null> {
  const { promise, resolve } = Promise.withResolvers<Answer | null>();
  const socket = connect(port, "127.0.0.1");
  let got = Buffer.alloc(0);
  const finish = () => {
    const [head = "", ...rest] = got.toString("latin1").split("\r\n\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    resolve(Number.isNaN(status) ? null : { status, body: rest.join("\r\n\r\n") });
    socket.destroy();
  };
  socket.on("data", (part: Buffer) => {
    got = Buffer.concat([got, part]);
    // What goes on for as long as it is read: a socket, or a stream of events.
    if (
      /^HTTP\/1\.1 (101|200)[\s\S]*?(upgrade: websocket|text\/event-stream)[\s\S]*?\r\n\r\n/i.test(
        got.toString("latin1"),
      )
    )
      finish();
  });
  socket.on("end", finish);
  socket.on("error", finish);
  socket.on("close", finish);
  socket.end(request);
  return promise;
}

const statusOf = (code: number): boolean => code >= 100 && code < 600 && code !== 500;

export const http = target(
  "http",
  "each request to any address is answered with a status and a documented code, never as a fault of ours",
  200,
  async () => {
    const interactions = { verify() {}, handle: async () => ({ type: 4 }) };
    const world = await startWorld({
      interactions,
      env: { USER_TOKENS_PER_DAY: "0", GUILD_TOKENS_PER_DAY: "0" },
    });
    world.tools.gate.resolve();
    await world.post("/mcp/initialize", bodies[0]);
    const rejections = new Rejections();
    return {
      inputs: input,
      async check({ method, path, hasToken, headers, body }) {
        const given = new Map([
          ["host", "127.0.0.1"],
          ["content-type", "application/json"],
          ...(hasToken ? [["authorization", `Bearer ${world.operator}`] as const] : []),
          ...headers,
        ]);
        const content = Buffer.from(body);
        given.set("content-length", `${content.length}`);
        const lines = [...given].map(([name, value]) => `${name}: ${value}\r\n`).join("");
        const head = Buffer.from(
          `${method} ${path} HTTP/1.1\r\n${given.has("connection") ? "" : "connection: close\r\n"}${lines}\r\n`,
        );
        const answer = await ask(world.port, Buffer.concat([head, content]));
        rejections.check();
        const alive = await world.get("/health/live");
        if (alive.status !== 200) throw new Broken(`it is not alive: ${alive.status}`);
        if (answer === null) return "closed";
        holds(statusOf(answer.status), `it answers ${answer.status}: ${answer.body.slice(0, 500)}`);
        const code = /"code":"([a-z_]+)"/.exec(answer.body)?.[1];
        holds(answer.status < 400 || code === undefined || isDocumented(code), `the code ${code}`);
        return `${answer.status}`;
      },
      async [Symbol.asyncDispose]() {
        await world[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
