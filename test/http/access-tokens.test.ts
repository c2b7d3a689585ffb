import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ana, bodyOf, connect, initialized } from "./client.ts";
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
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const opened = async (more: object, at: World = world) =>
  bodyOf(await at.post("/mcp/initialize", { ...ana, ...more }));

/** What can be asked of a session over HTTP: method, address and body. */
const ofSession = (session_id: string): readonly (readonly [string, string, object?])[] => [
  ["POST", "/mcp/initialize", { ...ana, session_id }],
  ["POST", "/mcp/process", { session_id, message: "hi" }],
  ["POST", "/mcp/tool_call", { session_id, tool_name: "echo", arguments: {} }],
  ["POST", "/mcp/approve", { session_id, approval_id: "a_1", approved: true }],
  ["GET", `/mcp/tools?session_id=${session_id}`],
  ["GET", `/mcp/ws/${session_id}`],
];
/** Those that are of no session. */
const ofNone = [
  "/health",
  "/health/live",
  "/health/ready",
  "/metrics",
  "/mcp/tickets",
  "/discord/interactions",
];

describe("a session's token", () => {
  test("opens no other session, by any route: the same person's and in the same channel least of all", async () => {
    const { token } = await opened({ session_id: "mine" });
    await opened({ session_id: "other" });
    const spec = await bodyOf(await world.get("/openapi"));
    const asked = new Set(ofSession("other").map(([, path]) => path.replace(/\?.*/, "")));
    expect(Object.keys(spec.paths).filter((path) => !asked.has(path) && !ofNone.includes(path))).toEqual([]);
    for (const [method, path, body] of ofSession("other")) {
      const headers = { ...bearer(token), ...(path.startsWith("/mcp/ws") ? handshake : {}) };
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(world.url + path, { method, headers, ...init });
      expect([path, response.status, (await bodyOf(response)).code]).toEqual([path, 403, "forbidden"]);
    }
    expect((await world.get("/metrics", bearer(token))).status).toBe(403);
  });

  test("nor by any frame, nor by a ticket that was made with it", async () => {
    const { token } = await opened({ session_id: "mine" });
    const session_id = (await opened({ session_id: "other" })).session_id;
    const { ticket } = await bodyOf(await world.post("/mcp/tickets", {}, bearer(token)));
    for (const client of [
      await connect(world, { token }),
      await connect(world, { token: null, path: `/mcp/ws?ticket=${ticket}` }),
    ]) {
      for (const [type, data] of [
        ["initialize", ana],
        ["tool_call", { tool_name: "echo" }],
        ["process", { message: "hi" }],
        ["context_update", {}],
        ["cancel", {}],
        ["approve", { approval_id: "a_1", approved: true }],
      ] as const)
        expect([type, (await client.request(type, { ...data, session_id })).data.code]).toEqual([
          type,
          "forbidden",
        ]);
      await client.close();
    }
    const again = await bodyOf(await world.post("/mcp/tickets", {}, bearer(token)));
    const bound = await fetch(`${world.url}/mcp/ws/other?ticket=${again.ticket}`, { headers: handshake });
    expect(bound.status).toBe(403);
  });

  test("nor by the Model Context Protocol: it speaks as its person from its channel, whatever it claims", async () => {
    const { token } = await opened({ session_id: "mine" });
    const message = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    const headers = { ...bearer(token), accept: "application/json, text/event-stream" };
    expect((await world.post("/mcp", message, headers)).status).toBe(200);
    for (const claim of [
      "user_id=555555555555555555",
      "channel_id=555555555555555555",
      "guild_id=555555555555555555",
    ])
      for (const response of [
        await world.post(`/mcp?${claim}`, message, headers),
        await fetch(`${world.url}/mcp/ws?${claim}`, {
          headers: { ...bearer(token), ...handshake, "sec-websocket-protocol": "mcp" },
        }),
      ])
        expect([claim, response.status, (await bodyOf(response)).code]).toEqual([claim, 403, "forbidden"]);
  });

  test("opens no session of that name that belongs to somebody else by then", async () => {
    await using own = await startWorld();
    const { token } = await opened({ session_id: "reused" }, own);
    // The session ends with its person's data; the operator's token behind its own is still good.
    await own.memory.eraser.erase({ kind: "user", id: ana.user_id });
    await opened({ session_id: "reused", user_id: "555555555555555555" }, own);
    const response = await own.post(
      "/mcp/tool_call",
      { session_id: "reused", tool_name: "echo" },
      bearer(token),
    );
    expect([response.status, (await bodyOf(response)).code]).toEqual([403, "forbidden"]);
  });

  test("that was made while the clock was ahead is good for nothing once it is right again", async () => {
    await using own = await startWorld();
    own.clock.offset = 365 * 86_400_000;
    const { token } = await opened({ session_id: "ahead" }, own);
    expect((await own.get("/mcp/tools", bearer(token))).status).toBe(200);
    own.clock.offset = 0;
    const answer = await own.get("/mcp/tools", bearer(token));
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([401, "unauthorized"]);
  });

  test("stays good when the clock is set back a little", async () => {
    await using own = await startWorld();
    const { token } = await opened({ session_id: "corrected" }, own);
    own.clock.offset = -20_000;
    expect((await own.get("/mcp/tools", bearer(token))).status).toBe(200);
  });
});

describe("a ticket", () => {
  test("opens one socket, however many come with it at once", async () => {
    const { ticket } = await bodyOf(await world.post("/mcp/tickets", {}));
    const before = world.http.openConnections;
    const attempts = await Promise.allSettled(
      Array.from({ length: 12 }, () => connect(world, { token: null, path: `/mcp/ws?ticket=${ticket}` })),
    );
    const inside = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
    expect(inside).toHaveLength(1);
    expect(world.http.openConnections).toBe(before + 1);
    await inside[0]?.close();
  });

  test("is good for sockets alone", async () => {
    const { ticket } = await bodyOf(await world.post("/mcp/tickets", {}));
    for (const response of [
      await world.get("/mcp/tools", bearer(ticket)),
      await fetch(`${world.url}/mcp/tools?ticket=${ticket}`),
      await fetch(`${world.url}/mcp?ticket=${ticket}`, { method: "POST" }),
    ])
      expect(response.status).toBe(401);
    const client = await connect(world, { token: null, path: `/mcp/ws?ticket=${ticket}` });
    await initialized(client);
    await client.close();
  });

  test("of one process is nothing to the next", async () => {
    await using next = await startWorld();
    const { ticket } = await bodyOf(await world.post("/mcp/tickets", {}));
    const response = await fetch(`${next.url}/mcp/ws?ticket=${ticket}`, { headers: handshake });
    expect(response.status).toBe(401);
  });
});
