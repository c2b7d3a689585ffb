import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { createInteractionVerifier } from "../../src/auth/signatures.ts";
import { errorCodes } from "../../src/errors.ts";
import { statusOf } from "../../src/http/errors.ts";
import { ana, bodyOf, connect } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const handshake = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

/** A request as it stands on the wire, for what fetch would not send. */
function raw(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectTcp(port, "127.0.0.1", () => socket.write(text));
  let got = "";
  socket.on("data", (data) => {
    got += data.toString();
    // Our JSON bodies end with a brace: no need to wait for the connection to end.
    if (got.includes("\r\n\r\n") && got.endsWith("}")) socket.destroy();
  });
  socket.on("close", () => resolve(got));
  socket.on("error", reject);
  return promise;
}

describe("the routes", () => {
  test("initialize, tool_call and tools work over plain HTTP", async () => {
    const opened = await world.post("/mcp/initialize", { ...ana, session_id: "test_session" });
    expect(opened.status).toBe(200);
    const { session_id, token } = await bodyOf(opened);
    expect(session_id).toBe("test_session");
    const called = await world.post("/mcp/tool_call", {
      session_id,
      tool_name: "echo",
      arguments: { a: "ä" },
    });
    expect(await bodyOf(called)).toEqual({ session_id, tool_name: "echo", result: { a: "ä" } });
    const all = await world.get("/mcp/tools");
    expect((await bodyOf(all)).tools.map((tool: { name: string }) => tool.name)).toEqual([
      "echo",
      "wait",
      "fail",
      "close",
    ]);
    const ofSession = await world.get("/mcp/tools", { authorization: `Bearer ${token}` });
    expect(await bodyOf(ofSession)).toMatchObject({ session_id });
    expect((await world.get("/mcp/tools?session_id=nowhere")).status).toBe(404);
  });

  test("health says little to strangers, more to a token, and refuses a wrong one", async () => {
    const stranger = await fetch(`${world.url}/health`);
    expect(Object.keys(await bodyOf(stranger))).toEqual(["status", "active_sessions"]);
    expect(await bodyOf(await fetch(`${world.url}/health/live`))).toEqual({ status: "alive" });
    const known = await world.get("/health");
    expect(await bodyOf(known)).toMatchObject({ status: "healthy", ready: true, gateway: "none" });
    expect((await world.get("/health", { authorization: "Bearer wrong" })).status).toBe(401);
    expect((await world.get("/health/ready")).status).toBe(200);
    await using unready = await startWorld({ ready: false });
    const notReady = await unready.get("/health/ready");
    expect([notReady.status, await bodyOf(notReady)]).toEqual([
      503,
      { status: "not_ready", gateway: "none" },
    ]);
  });

  test("metrics count requests of both kinds, for the scope metrics", async () => {
    await using own = await startWorld();
    const client = await connect(own);
    await client.request("initialize", ana);
    await own.post("/mcp/tool_call", { session_id: "x", tool_name: "echo" });
    await fetch(`${own.url}/made/up/${crypto.randomUUID()}`);
    const text = await (await own.get("/metrics")).text();
    expect(text).toContain('mcp_requests_total{method="initialize",endpoint="/mcp/ws",outcome="success"} 1');
    expect(text).toContain(
      'mcp_requests_total{method="POST",endpoint="/mcp/tool_call",outcome="session_not_found"} 1',
    );
    expect(text).toContain('mcp_requests_total{method="GET",endpoint="other",outcome="not_found"} 1');
    expect(text).toContain("mcp_active_sessions 1");
    expect(text).toContain("mcp_connections 1");
    const { secret } = await own.token({ scopes: ["tools"] });
    expect((await own.get("/metrics", { authorization: `Bearer ${secret}` })).status).toBe(403);
    await client.close();
  });

  test("OpenAPI describes them", async () => {
    const spec = await bodyOf(await world.get("/openapi"));
    const operations = Object.keys(spec.paths).sort();
    expect(operations).toEqual([
      "/discord/interactions",
      "/health",
      "/health/live",
      "/health/ready",
      "/mcp/approve",
      "/mcp/initialize",
      "/mcp/process",
      "/mcp/tickets",
      "/mcp/tool_call",
      "/mcp/tools",
      "/metrics",
    ]);
    const body = spec.paths["/mcp/initialize"].post.requestBody.content["application/json"].schema;
    expect(body.required).toEqual(["user_id", "channel_id"]);
    expect(spec.paths["/mcp/process"].post.responses["200"].content).toHaveProperty(["text/event-stream"]);
  });

  test("each needs a token, except health", async () => {
    for (const [method, path] of [
      ["GET", "/health/ready"],
      ["GET", "/metrics"],
      ["GET", "/openapi"],
      ["GET", "/openapi/"],
      ["GET", "/openapi?x=1"],
      ["GET", "/mcp/tools"],
      ["POST", "/mcp/initialize"],
      ["POST", "/mcp/process"],
      ["POST", "/mcp/tool_call"],
      ["POST", "/mcp/approve"],
      ["POST", "/mcp/tickets"],
    ] as const) {
      const response = await fetch(world.url + path, {
        method,
        ...(method === "POST" ? { body: "{}" } : {}),
      });
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
      expect(await bodyOf(response)).toMatchObject({ code: "unauthorized", data: { code: "unauthorized" } });
    }
    expect((await fetch(`${world.url}/mcp/ws`, { headers: handshake })).status).toBe(401);
  });

  test("what does not exist is 404, the wrong method 405 with what is allowed, as JSON", async () => {
    const missing = await world.get("/nothing");
    expect([missing.status, (await bodyOf(missing)).code]).toEqual([404, "not_found"]);
    for (const [method, path, allow] of [
      ["GET", "/mcp/process", "POST"],
      ["DELETE", "/mcp/initialize", "POST"],
      ["POST", "/health", "GET"],
    ] as const) {
      const response = await fetch(world.url + path, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
      expect(await bodyOf(response)).toMatchObject({
        code: "not_found",
        error: expect.stringContaining(allow),
      });
    }
  });
});

test("an address spelt differently does not get round the token", async () => {
  for (const path of [
    "/%6fpenapi",
    "/openapi%2f",
    "//openapi",
    "/./openapi",
    "/OPENAPI",
    "/openapi//",
    "/mcp/../openapi",
  ]) {
    const answer = await raw(world.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([path, answer.split(" ")[1]]).toEqual([path, expect.stringMatching(/^40[14]$/)]);
  }
});

describe("bodies", () => {
  test.each([
    ["{", 400, "invalid_json"],
    ["", 400, "invalid_json"],
    ["[]", 400, "invalid_data"],
    ["null", 400, "invalid_data"],
    [Uint8Array.of(0x7b, 0xff, 0x7d), 400, "invalid_encoding"],
    [`{"a":${"[".repeat(40)}${"]".repeat(40)}}`, 413, "payload_too_large"],
    [`{"a":"${"x".repeat(70_000)}"}`, 413, "payload_too_large"],
    [`{"a":"${"x".repeat(3_000_000)}"}`, 413, "payload_too_large"],
  ])("%#", async (body, status, code) => {
    const response = await world.post("/mcp/initialize", body);
    expect([response.status, (await bodyOf(response)).code]).toEqual([status, code]);
  });

  test("of unknown length are bounded too", async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(16_384).fill(0x20)),
    });
    const response = await fetch(`${world.url}/mcp/initialize`, {
      method: "POST",
      headers: { authorization: `Bearer ${world.operator}` },
      body: endless,
    });
    expect([response.status, (await bodyOf(response)).code]).toEqual([413, "payload_too_large"]);
  });

  test("that their sender breaks off are no fault of ours", async () => {
    await using own = await startWorld();
    const ended = Promise.withResolvers<string>();
    const { request } = own.metrics;
    own.metrics.request = (method, endpoint, outcome, ms) => {
      ended.resolve(outcome);
      request(method, endpoint, outcome, ms);
    };
    const socket = connectTcp(own.port, "127.0.0.1");
    const head = `POST /mcp/initialize HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${own.operator}\r\n`;
    // Once the service asks for the rest, it is reading.
    socket.write(`${head}Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n{`);
    socket.once("data", () => socket.resetAndDestroy());
    expect(await ended.promise).toBe("cancelled");
  });

  test("with a wrong field name it", async () => {
    const response = await world.post("/mcp/initialize", { user_id: "1" });
    expect(response.status).toBe(400);
    expect(await bodyOf(response)).toMatchObject({ code: "invalid_data", data: { path: "channel_id" } });
  });
});

describe("browsers", () => {
  const withOrigin = (origin: string, path = "/health") => fetch(world.url + path, { headers: { origin } });

  test("of this host and of the CORS list are let in, others not", async () => {
    expect((await withOrigin(world.url)).status).toBe(200);
    const listed = await withOrigin("https://app.example");
    expect(listed.headers.get("access-control-allow-origin")).toBe("https://app.example");
    for (const origin of [
      "https://evil.example",
      "null",
      "http://127.0.0.1:1",
      "https://app.example.evil.example",
    ]) {
      const refused = await withOrigin(origin);
      expect([origin, refused.status, (await bodyOf(refused)).code]).toEqual([origin, 403, "origin_refused"]);
      expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("may ask before they send, and read errors", async () => {
    const preflight = await fetch(`${world.url}/mcp/process`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    const failed = await withOrigin("https://app.example", "/mcp/tools");
    expect([failed.status, failed.headers.get("access-control-allow-origin")]).toEqual([
      401,
      "https://app.example",
    ]);
  });

  test("cannot open a socket from elsewhere", async () => {
    const refused = await fetch(`${world.url}/mcp/ws`, {
      headers: { ...handshake, origin: "https://evil.example", authorization: `Bearer ${world.operator}` },
    });
    expect(refused.status).toBe(403);
  });

  test("open a socket with a ticket, once", async () => {
    const issued = await bodyOf(await world.post("/mcp/tickets", {}));
    expect(issued.expires_at * 1000).toBeGreaterThan(Date.now());
    const client = await connect(world, { token: null, path: `/mcp/ws?ticket=${issued.ticket}` });
    expect((await client.request("initialize", ana)).type).toBe("initialize");
    await client.close();
    const again = await fetch(`${world.url}/mcp/ws?ticket=${issued.ticket}`, { headers: handshake });
    expect(again.status).toBe(401);
  });

  test("are told to be careful", async () => {
    for (const path of ["/health", "/nothing", "/mcp/tools"]) {
      const { headers } = await fetch(world.url + path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("the host name", () => {
  const ask = (host: string, port = world.port) =>
    raw(port, `GET /health/live HTTP/1.1\r\nHost: ${host}\r\n\r\n`).then((answer) => answer.split(" ")[1]);

  test("must be a loopback name, the bound address, or allowed", async () => {
    for (const host of ["localhost", "127.0.0.1", `127.0.0.1:${world.port}`, "[::1]:80", "LOCALHOST"])
      expect([host, await ask(host)]).toEqual([host, "200"]);
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"])
      expect([host, await ask(host)]).toEqual([host, "403"]);
    for (const host of ["a b", "[::1", "127.0.0.1@evil.example", "localhost:port"])
      expect([host, await ask(host)]).toEqual([host, "403"]);
    const none = await raw(world.port, "GET /health HTTP/1.0\r\n\r\n");
    expect(none).toContain('"code":"origin_refused"');
    await using own = await startWorld({ config: { allowedHosts: ["bot.example"] } });
    expect(await ask("bot.example:8000", own.port)).toBe("200");
    expect(await ask("not.example", own.port)).toBe("403");
  });
});

describe("subprotocols", () => {
  test.each(["graphql-ws", "graphql-ws, other"])("%s is answered 400", async (offered) => {
    const response = await fetch(`${world.url}/mcp/ws`, {
      headers: {
        ...handshake,
        authorization: `Bearer ${world.operator}`,
        "sec-websocket-protocol": offered,
      },
    });
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, "wrong_protocol"]);
  });

  test("a plain request to the socket's address is told so", async () => {
    const response = await world.get("/mcp/ws");
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, "wrong_protocol"]);
  });
});

describe("limits", () => {
  test("of a token are answered 429 and when to come back, on sockets as rate_limited", async () => {
    await using own = await startWorld({ rates: { token: { points: 3, seconds: 60 } } });
    const client = await connect(own);
    expect((await client.request("initialize", ana)).type).toBe("initialize");
    expect((await own.get("/mcp/tools")).status).toBe(200);
    const refused = await own.get("/mcp/tools");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 61);
    expect((await bodyOf(refused)).data.retry_after_ms).toBeWithin(1, 60_001);
    const reply = await client.request("initialize", ana);
    expect(reply.data).toMatchObject({ code: "rate_limited", retry_after_ms: expect.any(Number) });
    client.send("{");
    expect((await client.next((message) => message.id === "")).data.code).toBe("rate_limited");
    const other = (await own.token({})).secret;
    expect((await own.get("/mcp/tools", { authorization: `Bearer ${other}` })).status).toBe(200);
    await client.close();
  });

  test("of an address hold before any token is looked at", async () => {
    await using own = await startWorld({ rates: { address: { points: 2, seconds: 60 } } });
    const statuses = [];
    for (let n = 0; n < 3; n++)
      statuses.push((await own.get("/mcp/tools", { authorization: "Bearer x" })).status);
    expect(statuses).toEqual([401, 401, 429]);
  });
});

describe("authentication switched off", () => {
  test("lets in who presents nothing, and still refuses a wrong token", async () => {
    await using own = await startWorld({ auth: "off" });
    const opened = await fetch(`${own.url}/mcp/initialize`, { method: "POST", body: JSON.stringify(ana) });
    expect(opened.status).toBe(200);
    const client = await connect(own, { token: null });
    expect((await client.request("initialize", ana)).type).toBe("initialize");
    await client.close();
    expect((await own.get("/mcp/tools", { authorization: "Bearer wrong" })).status).toBe(401);
  });
});

describe("Discord's interactions", () => {
  const keys = generateKeyPairSync("ed25519");
  const publicKey = keys.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
  const signed = (body: string, at = Date.now()) => {
    const timestamp = `${Math.floor(at / 1000)}`;
    const signature = sign(null, Buffer.from(timestamp + body), keys.privateKey).toString("hex");
    return { "x-signature-ed25519": signature, "x-signature-timestamp": timestamp };
  };

  test("are answered when Discord signed them: PING with PONG, others by whoever handles them", async () => {
    const handled: unknown[] = [];
    const handle = async (body: unknown) => {
      handled.push(body);
      return { type: 6 };
    };
    const interactions = { ...createInteractionVerifier(publicKey), handle };
    await using own = await startWorld({ interactions });
    const send = async (body: string, headers = signed(body)) => {
      const response = await fetch(`${own.url}/discord/interactions`, { method: "POST", body, headers });
      return { status: response.status, body: await bodyOf(response) };
    };
    expect(await send('{"type":1}')).toEqual({ status: 200, body: { type: 1 } });
    expect(await send('{"type":3,"data":{"custom_id":"x"}}')).toEqual({ status: 200, body: { type: 6 } });
    expect(handled).toEqual([{ type: 3, data: { custom_id: "x" } }]);
    expect(await send('{"type":1}', signed('{"type":2}'))).toMatchObject({ status: 401 });
    const old = Date.now() - 3_600_000;
    expect(await send('{"type":1}', signed('{"type":1}', old))).toMatchObject({ status: 401 });
    const bare = await fetch(`${own.url}/discord/interactions`, { method: "POST", body: '{"type":1}' });
    expect(bare.status).toBe(401);
    expect(await send("{")).toMatchObject({ status: 400, body: { code: "invalid_json" } });
    expect(handled).toHaveLength(1);
  });

  test("are 404 without a public key", async () => {
    expect((await world.post("/discord/interactions", { type: 1 })).status).toBe(404);
  });
});

test("every error code has an HTTP status of its own kind", () => {
  for (const code of errorCodes) expect(statusOf[code]).toBeWithin(400, 600);
});
