import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect as connectTcp, type Socket } from "node:net";
import fc from "fast-check";
import { inFlightBound } from "../../src/http/connection.ts";
import { unreadBytes } from "../../src/http/socket-end.ts";
import { ana, bodyOf, connect, initialized } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** A socket by hand, for what a WebSocket client would not do. */
async function rawSocket(from: World, path = "/mcp/ws"): Promise<Socket> {
  const socket = connectTcp(from.port, "127.0.0.1");
  socket.write(
    [
      `GET ${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      `Authorization: Bearer ${from.operator}`,
      "\r\n",
    ].join("\r\n"),
  );
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  return socket;
}

/** A masked frame with a mask of zeros. */
function frame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

describe("frames", () => {
  test("that are too large are answered, and the socket goes on", async () => {
    const client = await connect(world);
    client.send(JSON.stringify({ type: "process", id: "big", data: { message: "x".repeat(200_000) } }));
    expect((await client.next((m) => m.id === "big")).data).toMatchObject({
      code: "payload_too_large",
      max_bytes: 65_536,
    });
    client.send(new Uint8Array([1, 2, 3]));
    expect((await client.next((m) => m.data.code === "binary_frame")).id).toBe("");
    expect((await client.request("initialize", ana)).type).toBe("initialize");
    await client.close();
  });

  test("over 1 MiB close it with 1009", async () => {
    const client = await connect(world);
    client.send("x".repeat(1024 * 1024 + 1));
    expect((await client.closed).code).toBe(1009);
  });

  test("of invalid UTF-8 close it with 1007, as RFC 6455 has it", async () => {
    const socket = await rawSocket(world);
    const answer = new Promise<Buffer>((resolve) => socket.once("data", resolve));
    socket.write(frame(1, Buffer.from([0x7b, 0xff, 0x7d])));
    const close = await answer;
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1007]);
    socket.destroy();
  });

  test("of any content get one reply each, and the socket goes on", async () => {
    const client = await connect(world);
    const session_id = await initialized(client, { session_id: "fuzzed" });
    const known = fc.constantFrom(
      "initialize",
      "tool_call",
      "context_update",
      "cancel",
      "approve",
      "process",
      "x",
    );
    const data = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          session_id: fc.oneof(fc.constant(session_id), fc.jsonValue()),
          tool_name: fc.oneof(fc.constantFrom("echo", "none"), fc.jsonValue()),
          arguments: fc.jsonValue(),
          user_id: fc.oneof(fc.constant("111111111111111111"), fc.jsonValue()),
          channel_id: fc.oneof(fc.constant("222222222222222222"), fc.jsonValue()),
          guild_id: fc.jsonValue(),
          message: fc.oneof(fc.string(), fc.jsonValue()),
          user_preferences: fc.jsonValue(),
          active_tools: fc.oneof(fc.array(fc.constantFrom("echo", "wait")), fc.jsonValue()),
          turn_id: fc.jsonValue(),
          last_seq: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    const metadata = fc.oneof(fc.jsonValue(), fc.record({ idempotency_key: fc.jsonValue() }));
    let n = 0;
    await fc.assert(
      fc.asyncProperty(known, data, fc.option(metadata, { nil: undefined }), async (type, value, extra) => {
        const id = `fuzz-${n++}`;
        client.send(JSON.stringify({ type, id, data: value, metadata: extra }));
        // A second request behind it proves that nothing more comes for the first.
        const reply = await client.next((message) => message.id === id);
        if (extra !== undefined && reply.data.code !== "invalid_envelope")
          expect(reply.metadata).toEqual(JSON.parse(JSON.stringify(extra)));
        expect(reply.data.code).not.toBe("internal_error");
      }),
      { numRuns: 300 },
    );
    await client.request("cancel", { session_id });
    const replies = client.received.filter((message) => message.id.startsWith("fuzz-"));
    expect(replies.length).toBe(n);
    await client.close();
  });

  test("of pure noise get one error each", async () => {
    const client = await connect(world);
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: "grapheme" }), fc.json(), fc.uint8Array({ minLength: 1 })),
        async (noise) => {
          sent++;
          client.send(noise);
          await client.request("cancel", {}, { id: `after-${sent}` });
          expect(client.received.filter((message) => message.id === "").length).toBe(sent);
        },
      ),
      { numRuns: 100 },
    );
    await client.close();
  });
});

describe("bounds", () => {
  test("a connection has so many requests in flight and no more", async () => {
    const client = await connect(world);
    const session_id = await initialized(client);
    const calls = Array.from({ length: inFlightBound + 3 }, () =>
      client.request("tool_call", { session_id, tool_name: "wait" }),
    );
    const refused = await Promise.all(calls.slice(inFlightBound));
    expect(refused.map((reply) => reply.data.code)).toEqual(["rate_limited", "rate_limited", "rate_limited"]);
    world.tools.gate.resolve();
    const answered = await Promise.all(calls.slice(0, inFlightBound));
    expect(answered.every((reply) => reply.type === "tool_result")).toBe(true);
    await client.close();
  });

  test("connections are counted, in all and for each token, and given back", async () => {
    await using own = await startWorld({ config: { maxConnections: 3, maxConnectionsPerToken: 2 } });
    const other = (await own.token({})).secret;
    const third = (await own.token({})).secret;
    const one = await connect(own);
    const two = await connect(own);
    const refusedBy = async (token: string) => {
      const response = await own.get("/mcp/ws", {
        authorization: `Bearer ${token}`,
        upgrade: "websocket",
        connection: "Upgrade",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
      });
      return [response.status, (await bodyOf(response)).code, response.headers.get("retry-after") !== null];
    };
    expect(await refusedBy(own.operator)).toEqual([429, "too_many_connections", true]);
    const three = await connect(own, { token: other });
    expect(await refusedBy(third)).toEqual([429, "too_many_connections", true]);
    expect(own.http.openConnections).toBe(3);
    await one.close();
    const four = await connect(own);
    await Promise.all([two, three, four].map((client) => client.close()));
    // A handshake that fails after its place was taken gives it back.
    for (let n = 0; n < 5; n++)
      expect((await own.get("/mcp/ws/none", { upgrade: "websocket", connection: "Upgrade" })).status).toBe(
        404,
      );
    const five = await connect(own);
    await five.close();
  });

  test("a reader that does not keep up is closed, the others are not", async () => {
    await world.post("/mcp/initialize", { ...ana, session_id: "slow" });
    const slow = await rawSocket(world, "/mcp/ws/slow");
    const quick = await connect(world, { path: "/mcp/ws/slow" });
    slow.pause();
    const before = world.http.openConnections;
    const { conversationId } = await world.sessions.get("slow");
    const text = "x".repeat(unreadBytes / 8);
    // The kernel's own buffers take some megabytes before ours begins to fill.
    for (let n = 0; n < 400; n++) {
      world.events.publish(conversationId, { type: "text_delta", n, text });
      await quick.next((message) => message.data.event?.n === n);
    }
    const data = new Promise<Buffer>((resolve) => {
      const parts: Buffer[] = [];
      slow.on("data", (part: Buffer) => parts.push(part));
      slow.on("close", () => resolve(Buffer.concat(parts)));
    });
    slow.resume();
    const received = await data;
    expect(received.length).toBeLessThan(400 * text.length);
    expect(received.subarray(-200).toString()).toContain("too slow");
    expect((await quick.request("cancel", { session_id: "slow" })).type).toBe("response");
    await quick.close();
    expect(world.http.openConnections).toBeLessThan(before);
  });
});

describe("a token that is revoked", () => {
  test("closes its open socket at the next request, after one answer", async () => {
    const { secret, tokenId } = await world.token({});
    const client = await connect(world, { token: secret });
    await initialized(client);
    await world.revoke(tokenId);
    const reply = await client.request("initialize", ana);
    expect(reply.data.code).toBe("unauthorized");
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining("revoked") });
  });
});

describe("a session token", () => {
  const opened = async (own: World, token: string) => {
    const client = await connect(own, { token });
    const reply = await client.request("initialize", { ...ana, session_id: "own" });
    await client.close();
    return connect(own, { token: reply.data.token });
  };

  test("dies with the API token that it came from, its open socket with it", async () => {
    const { secret, tokenId } = await world.token({});
    const client = await opened(world, secret);
    expect((await client.request("initialize", ana)).type).toBe("initialize");
    await world.revoke(tokenId);
    expect((await client.request("initialize", ana)).data.code).toBe("unauthorized");
    expect((await client.closed).code).toBe(1008);
  });

  test("ends in its time, its open socket too", async () => {
    await using own = await startWorld();
    const client = await opened(own, own.operator);
    own.clock.offset += 25 * 3_600_000;
    expect((await client.request("initialize", ana)).data.code).toBe("unauthorized");
    expect((await client.closed).code).toBe(1008);
  });

  test("does not open its id for another channel once the session has expired", async () => {
    const client = await opened(world, world.operator);
    const elsewhere = await client.request("initialize", { ...ana, channel_id: "555" });
    expect(elsewhere.data.code).toBe("forbidden");
    await client.close();
  });
});

describe("stopping", () => {
  test("answers what is under way, refuses what is new, closes with 1001", async () => {
    await using own = await startWorld();
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();
    own.script.answer = () => {
      started.resolve();
      return gate.promise;
    };
    const client = await connect(own);
    const session_id = await initialized(client);
    const running = client.request("process", { session_id, message: "hi" });
    await started.promise;
    const stopped = own.http.stop(10_000);
    expect((await client.request("cancel", { session_id })).data.code).toBe("shutting_down");
    const refused = await own.get("/mcp/tools");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect((await fetch(`${own.url}/health/live`)).status).toBe(200);
    gate.resolve("just in time");
    expect((await running).data.response).toBe("just in time");
    expect((await client.closed).code).toBe(1001);
    await stopped;
    expect(own.http.openConnections).toBe(0);
    await own.http.stop(0);
  });

  test("a port in use is an error, not a second service on it", async () => {
    await using other = await startWorld();
    await expect(other.http.listen("127.0.0.1", world.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
