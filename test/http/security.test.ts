import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { ana, bodyOf, connect } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** All that is answered to these bytes until `isDone`, or until the service closes. */
function exchange(bytes: string, isDone: (got: string) => boolean = () => false): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectTcp(world.port, "127.0.0.1", () => socket.write(Buffer.from(bytes, "latin1")));
  let got = "";
  socket.on("data", (data) => {
    got += data.toString("latin1");
    if (isDone(got)) socket.destroy();
  });
  socket.on("close", () => resolve(got));
  socket.on("error", reject);
  return promise;
}

const answers = (got: string): readonly string[] =>
  [...got.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, s]) => s ?? "");
const head = (line: string, ...more: readonly string[]) =>
  [`${line} HTTP/1.1`, "Host: 127.0.0.1", ...more, "\r\n"].join("\r\n");
const hidden = head("GET /health/live");
const upload = (...more: readonly string[]) =>
  head("POST /mcp/initialize", `Authorization: Bearer ${world.operator}`, ...more);

describe("a request that two servers could read in two ways", () => {
  test.each<[string, () => string]>([
    [
      "a length beside chunks",
      () => `${upload("Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n${hidden}`,
    ],
    [
      "chunks beside a length",
      () => `${upload("Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n${hidden}`,
    ],
    [
      "two lengths",
      () => `${upload("Content-Length: 2", `Content-Length: ${2 + hidden.length}`)}{}${hidden}`,
    ],
    ["a list of lengths", () => `${upload("Content-Length: 2, 2")}{}${hidden}`],
    ["a length with a sign", () => `${upload("Content-Length: +2")}{}${hidden}`],
    ["a negative length", () => `${upload("Content-Length: -1")}{}${hidden}`],
    ["a hexadecimal length", () => `${upload("Content-Length: 0x2")}{}${hidden}`],
    [
      "an encoding that sounds like chunks",
      () => `${upload("Transfer-Encoding: xchunked")}0\r\n\r\n${hidden}`,
    ],
    ["two encodings", () => `${upload("Transfer-Encoding: gzip, chunked")}0\r\n\r\n${hidden}`],
    [
      "an encoding given twice",
      () => `${upload("Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n${hidden}`,
    ],
    [
      "a space before the colon",
      () => `${upload("Transfer-Encoding : chunked", "Content-Length: 2")}{}${hidden}`,
    ],
    ["a folded header", () => `${upload("X-A: a\r\n b", "Content-Length: 2")}{}${hidden}`],
    ["a lone carriage return", () => `${upload("X-A: a\rX-B: b", "Content-Length: 2")}{}${hidden}`],
    ["a zero byte", () => `${upload("X-A: a\0b", "Content-Length: 2")}{}${hidden}`],
    ["a negative chunk", () => `${upload("Transfer-Encoding: chunked")}-2\r\n{}\r\n0\r\n\r\n${hidden}`],
    [
      "a chunk beyond all numbers",
      () => `${upload("Transfer-Encoding: chunked")}ffffffffffffffff2\r\n{}\r\n0\r\n\r\n${hidden}`,
    ],
    [
      "a chunk longer than it says",
      () => `${upload("Transfer-Encoding: chunked")}2\r\n{}XX0\r\n\r\n${hidden}`,
    ],
    ["lines that end with a line feed alone", () => hidden.replaceAll("\r\n", "\n") + hidden],
  ])("is refused, and nothing behind it is answered: %s", async (_what, bytes) => {
    expect(answers(await exchange(bytes()))).toEqual([expect.stringMatching(/^(400|505)$/)]);
  });

  test("a body of a request that has none is no second request", async () => {
    const smuggled = `${head("GET /health/live", `Content-Length: ${hidden.length}`)}${hidden}`;
    const got = await exchange(`${smuggled}${head("GET /nothing")}`, (all) => all.includes('"not_found"'));
    expect(answers(got)).toEqual(["200", "404"]);
  });

  test("two Host or Authorization headers are no valid one", async () => {
    const status = async (...headers: readonly string[]) =>
      answers(
        await exchange(["GET /mcp/tools HTTP/1.1", ...headers, "\r\n"].join("\r\n"), (got) =>
          got.endsWith("}"),
        ),
      );
    const good = `Authorization: Bearer ${world.operator}`;
    expect(await status("Host: 127.0.0.1", "Host: evil.example", good)).toEqual(["403"]);
    expect(await status("Host: evil.example", "Host: 127.0.0.1", good)).toEqual(["403"]);
    expect(await status("Host: 127.0.0.1", good, "Authorization: Bearer x")).toEqual(["401"]);
    expect(await status("Host: 127.0.0.1", "Authorization: Bearer x", good)).toEqual(["401"]);
  });

  test("a whole address as the target does not stand for the Host header", async () => {
    const bytes = "GET http://127.0.0.1/health/live HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    expect(answers(await exchange(bytes, (got) => got.endsWith("}")))).toEqual(["403"]);
  });

  test("headers that claim another method, path or host change nothing", async () => {
    const response = await world.post(
      "/mcp/tools",
      {},
      {
        "x-http-method-override": "GET",
        "x-original-url": "/health",
        "x-rewrite-url": "/health",
        "x-forwarded-host": "evil.example",
      },
    );
    expect(response.status).toBe(405);
  });

  test("headers beyond all measure are refused", async () => {
    const got = await exchange(head("GET /health/live", `X-A: ${"a".repeat(40_000)}`));
    expect(answers(got)).toEqual(["431"]);
  });
});

/** Every kind of answer: found, refused, failed, streamed, of the Model Context Protocol, and to what is no request. */
async function everyKind(): Promise<readonly [string, Response][]> {
  const opened = await bodyOf(await world.post("/mcp/initialize", ana));
  const paths = Object.keys((await bodyOf(await world.get("/openapi"))).paths);
  const gets = paths.map(async (path): Promise<[string, Response]> => [path, await world.get(path)]);
  const message = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
  const stream = { accept: "text/event-stream, application/json" };
  return [
    ...(await Promise.all(gets)),
    ["initialize", await world.post("/mcp/initialize", ana)],
    ["ticket", await world.post("/mcp/tickets", {})],
    ["OpenAPI", await world.get("/openapi")],
    ["stream", await world.post("/mcp/process", { session_id: opened.session_id, message: "hi" }, stream)],
    ["MCP", await world.post("/mcp", message, stream)],
    ["MCP refused", await world.post("/mcp", message, { authorization: "Bearer x" })],
    ["metadata", await fetch(`${world.url}/.well-known/oauth-protected-resource`)],
    ["socket refused", await world.get("/mcp/ws/none")],
    ["nothing", await fetch(`${world.url}/nothing`)],
    ["foreign page", await world.get("/health", { origin: "https://evil.example" })],
    ["wrong method", await fetch(`${world.url}/health`, { method: "PUT" })],
    ["preflight", await fetch(`${world.url}/mcp`, { method: "OPTIONS" })],
  ];
}

describe("every answer", () => {
  test("tells a browser to store, frame, guess and refer nothing", async () => {
    for (const [what, { headers, body }] of await everyKind()) {
      expect([what, Object.fromEntries(headers)]).toEqual([
        what,
        expect.objectContaining({
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY",
          "referrer-policy": "no-referrer",
          "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
          "cache-control": expect.stringContaining("no-store"),
        }),
      ]);
      await body?.cancel();
    }
  });

  test("allows no origin that is not listed, and no credentials to any", async () => {
    const origins = [
      "https://evil.example",
      "null",
      "http://app.example",
      "https://app.example.evil.example",
    ];
    for (const origin of origins)
      for (const method of ["GET", "OPTIONS"]) {
        const headers = { origin, "access-control-request-method": "POST" };
        const response = await fetch(`${world.url}/mcp/initialize`, { method, headers });
        expect([origin, method, response.headers.get("access-control-allow-origin")]).toEqual([
          origin,
          method,
          null,
        ]);
        expect(response.headers.get("access-control-allow-credentials")).toBeNull();
      }
    const listed = await fetch(`${world.url}/health`, { headers: { origin: "https://app.example" } });
    expect(listed.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(listed.headers.get("vary")?.toLowerCase()).toContain("origin");
  });

  test("names the fault and neither a place in the code nor what was presented", async () => {
    const secret = `dmcp_${"0".repeat(16)}_${"S".repeat(43)}`;
    const { session_id } = await bodyOf(await world.post("/mcp/initialize", ana));
    const responses = [
      await world.get("/mcp/tools", { authorization: `Bearer ${secret}` }),
      await world.get(`/mcp/ws?ticket=${secret}`, {
        upgrade: "websocket",
        authorization: `Bearer ${secret}`,
      }),
      await world.post("/mcp/tool_call", { session_id, tool_name: "fail", arguments: {} }),
      await world.post("/mcp/process", { session_id: secret, message: "hi" }),
      await world.post("/mcp", "{", { authorization: `Bearer ${secret}` }),
    ];
    for (const response of responses) {
      const text = await response.text();
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain(secret);
      expect(text).not.toMatch(/\bat .+:\d+:\d+|\/src\/|node_modules|\.ts\b/);
    }
  });
});

test("no label of a metric is what somebody has made up", async () => {
  const made = `x${crypto.randomUUID().replaceAll("-", "")}`;
  await fetch(`${world.url}/${made}`);
  await fetch(`${world.url}/mcp/ws/${made}`);
  await fetch(`${world.url}/health`, { method: made.toUpperCase().slice(0, 12) }).catch(() => {});
  const { session_id } = await bodyOf(await world.post("/mcp/initialize", { ...ana, session_id: made }));
  await world.post("/mcp/tool_call", { session_id, tool_name: made, arguments: {} });
  await world.post("/mcp", { jsonrpc: "2.0", id: 1, method: made, params: {} });
  const client = await connect(world);
  await client.request(made, {});
  await client.close();
  const text = await (await world.get("/metrics")).text();
  expect(text).toContain('tool_name="unknown"');
  expect(text.toLowerCase()).not.toContain(made.slice(0, 12));
});
