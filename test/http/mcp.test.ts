import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { readBytes } from "../../src/http/body.ts";
import { keptUp, unreadStreamBytes } from "../../src/http/mcp-stream.ts";
import { initialize, modern, post } from "../mcp/raw.ts";
import { ids } from "../tools/harness.ts";
import { bodyOf } from "./client.ts";
import { startWorld, type World } from "./world.ts";

setDefaultTimeout(20_000);

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  ({ secret: token } = await world.token({ userId: ids.ana }));
});
afterAll(() => world[Symbol.asyncDispose]());

const query = `guild_id=${ids.guild}&channel_id=${ids.general}`;
const list = modern(1, "tools/list");
const send = (headers: Record<string, string | null> = {}, message: unknown = list) =>
  post(world.url, message, { token, query, headers });

describe("who gets in at /mcp", () => {
  test("nobody without a token, who is told where to read how it is protected", async () => {
    const resource = `${world.url}/.well-known/oauth-protected-resource/mcp`;
    for (const authorization of [null, "Bearer x", "Basic eDp5", "Bearer"]) {
      const response = await send({ authorization });
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([
        401,
        `Bearer realm="discord-mcp", resource_metadata="${resource}"`,
      ]);
      expect((await bodyOf(response)).code).toBe("unauthorized");
    }
    const ws = await world.get("/mcp/ws", {
      authorization: "Bearer x",
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-protocol": "mcp",
    });
    expect([ws.status, ws.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringContaining(`resource_metadata="${resource}"`),
    ]);
  });

  test("with too few scopes one is told which is missing", async () => {
    const { secret } = await world.token({ userId: ids.ana, scopes: ["metrics"] });
    const response = await post(world.url, list, { token: secret, query });
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([
      403,
      expect.stringContaining('error="insufficient_scope", scope="tools", resource_metadata='),
    ]);
  });

  test.each(["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"])(
    "the metadata is at %s, without a token",
    async (path) => {
      const response = await fetch(`${world.url}${path}`);
      expect(response.headers.get("content-type")).toStartWith("application/json");
      expect(await bodyOf(response)).toEqual({
        resource: `${world.url}/mcp`,
        resource_name: "discord-mcp",
        bearer_methods_supported: ["header"],
        scopes_supported: expect.arrayContaining(["tools", "turns", "approve"]),
      });
    },
  );

  test("behind a proxy that speaks HTTPS the metadata says so", async () => {
    const headers = { "x-forwarded-proto": "https" };
    const resourceOf = async ({ url }: World) =>
      (await bodyOf(await fetch(`${url}/.well-known/oauth-protected-resource/mcp`, { headers }))).resource;
    await using behind = await startWorld({ config: { trustProxy: ["127.0.0.1"] } });
    expect(await resourceOf(behind)).toBe(`${behind.url.replace("http", "https")}/mcp`);
    expect(await resourceOf(world)).toBe(`${world.url}/mcp`);
  });

  test.each([
    ["origin", "https://evil.example"],
    ["origin", "null"],
    ["host", "evil.example"],
    ["host", "127.0.0.1.evil.example"],
  ])("a foreign %s is refused: %s", async (name, value) => {
    for (const response of [await send({ [name]: value }), await send({ [name]: value }, initialize())]) {
      expect(response.status).toBe(403);
      expect((await bodyOf(response)).code).toBe("origin_refused");
    }
  });

  test("a page of a listed origin gets the headers that its client needs", async () => {
    const origin = "https://app.example";
    const preflight = await fetch(`${world.url}/mcp`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, mcp-protocol-version, mcp-method, mcp-name",
      },
    });
    const allowed = (preflight.headers.get("access-control-allow-headers") ?? "").toLowerCase();
    for (const name of [
      "authorization",
      "content-type",
      "mcp-protocol-version",
      "mcp-method",
      "mcp-name",
      "mcp-session-id",
    ])
      expect(allowed).toContain(name);
    const response = await send({ origin }, initialize());
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect((response.headers.get("access-control-expose-headers") ?? "").toLowerCase()).toContain(
      "mcp-session-id",
    );
    expect(response.headers.get("mcp-session-id")).toMatch(/^c\.[\w-]{22}$/);
  });

  test("an address that claims a place that is none is refused", async () => {
    const response = await post(world.url, list, { token, query: "guild_id=here" });
    expect([response.status, (await bodyOf(response)).data.path]).toEqual([400, "guild_id"]);
  });
});

test.each(["PUT", "PATCH"])("%s is none of the endpoint's methods", async (method) => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(`${world.url}/mcp?${query}`, { method, headers, body: "{}" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, expect.stringContaining("POST")]);
});

describe("a body that drips", () => {
  const dripping = (parts: number) =>
    new Request("http://localhost/mcp", {
      method: "POST",
      body: new ReadableStream({
        pull(controller) {
          if (parts-- > 0) controller.enqueue(new Uint8Array([0x20]));
          else controller.close();
        },
      }),
    });

  test("is given up after a minute, however steadily it comes", async () => {
    let at = 0;
    const slowly = () => {
      at += 1000;
      return at;
    };
    expect((await readBytes(dripping(50), 1024, slowly)).length).toBe(50);
    at = 0;
    await expect(readBytes(dripping(100), 1024, slowly)).rejects.toMatchObject({ code: "timeout" });
  });

  test("that leaves in its middle leaves nothing behind", async () => {
    await using own = await startWorld();
    const { secret } = await own.token({ userId: ids.ana });
    const socket = connectTcp(own.port, "127.0.0.1");
    socket.write(
      [
        `POST /mcp?${query} HTTP/1.1`,
        "Host: 127.0.0.1",
        `Authorization: Bearer ${secret}`,
        "Content-Type: application/json",
        "Content-Length: 1000",
        "",
        '{"jsonrpc":"2.0"',
      ].join("\r\n"),
    );
    await new Promise<void>((resolve) => socket.once("ready", () => resolve()));
    socket.destroy();
    expect((await post(own.url, list, { token: secret, query })).status).toBe(200);
    await own.http.stop(3_600_000);
  });
});

describe("a stream that is not read", () => {
  test("ends with a last word, and holds no more than so much", async () => {
    const cancelled = Promise.withResolvers<void>();
    let produced = 0;
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch() {
        let isOver = false;
        const source = new ReadableStream<Uint8Array>({
          async start(controller) {
            while (!isOver) {
              produced += 16_384;
              controller.enqueue(new Uint8Array(16_384));
              await new Promise((resolve) => setImmediate(resolve));
            }
          },
          cancel() {
            isOver = true;
            cancelled.resolve();
          },
        });
        return new Response(keptUp(source, ({ message }) => `: ${message}\n\n`).body);
      },
    });
    const socket = connectTcp(Number(server.port), "127.0.0.1");
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await cancelled.promise;
    let size = 0;
    let last = "";
    const ended = new Promise<void>((resolve) =>
      socket.on("data", (part: Buffer) => {
        size += part.length;
        last = (last + part.toString("latin1")).slice(-200);
        if (last.endsWith("0\r\n\r\n")) resolve();
      }),
    );
    socket.resume();
    await ended;
    expect(last).toContain("This stream was not read; read faster, then open it again.");
    // Beside its own bound there are the frames of chunks, and what had come when it was noticed.
    expect(size).toBeLessThanOrEqual(produced + unreadStreamBytes);
    socket.destroy();
    await server.stop(true);
  });

  test("one that is read goes through as it is, and its end too", async () => {
    const parts = Array.from({ length: 100 }, (_, n) => new Uint8Array(1000).fill(n));
    const { body } = keptUp(new Blob(parts).stream(), () => "never");
    expect(Buffer.from(await new Response(body).bytes()).equals(Buffer.concat(parts))).toBe(true);
  });
});
