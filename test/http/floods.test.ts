import { describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { inFlightBound } from "../../src/http/connection.ts";
import { refusedInARow } from "../../src/http/socket-end.ts";
import { ana, connect, initialized } from "./client.ts";
import { startWorld } from "./world.ts";

const rates = { token: { points: 5, seconds: 60 } };

describe("a connection that goes on though it is refused", () => {
  test.each([
    ["requests", JSON.stringify({ type: "cancel", id: "x", data: {} })],
    ["frames that are no JSON", "{"],
  ])("is closed: %s", async (_what, frame) => {
    await using world = await startWorld({ rates });
    const client = await connect(world);
    for (let n = 0; n < refusedInARow + 20; n++) client.send(frame);
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining("too many") });
    const refused = client.received.filter(({ data }) => data.code === "rate_limited");
    // Those that came with the first ones are refused before it is known that the first ones are.
    expect(refused.length).toBeGreaterThanOrEqual(refusedInARow);
    expect(refused.length).toBeLessThanOrEqual(refusedInARow + inFlightBound);
    expect(world.http.openConnections).toBe(0);
  });

  test("is closed for too many at once, and its tool call is given up", async () => {
    await using world = await startWorld();
    const client = await connect(world);
    const session_id = await initialized(client);
    const call = JSON.stringify({ type: "tool_call", id: "x", data: { session_id, tool_name: "wait" } });
    for (let n = 0; n < refusedInARow + 30; n++) client.send(call);
    expect((await client.closed).code).toBe(1008);
    await world.tools.aborted.promise;
  });

  test("is not closed for refusals between which it is let in", async () => {
    await using world = await startWorld();
    const client = await connect(world);
    const session_id = await initialized(client);
    const wait = { session_id, tool_name: "wait" };
    for (let round = 0; round < 2; round++) {
      Object.assign(world.tools, { gate: Promise.withResolvers<void>() });
      const calls = Array.from({ length: refusedInARow - 50 }, () => client.request("tool_call", wait));
      const refused = () => client.received.filter(({ data }) => data.code === "rate_limited").length;
      await client.next(() => refused() === (round + 1) * (calls.length - 16));
      world.tools.gate.resolve();
      const replies = await Promise.all(calls);
      expect(replies.filter(({ type }) => type === "tool_result")).toHaveLength(16);
    }
    expect((await client.request("initialize", ana)).type).toBe("initialize");
    await client.close();
  });

  test("is closed in the Model Context Protocol, too", async () => {
    await using world = await startWorld({ rates });
    const client = await connect(world, { protocols: ["mcp"] });
    const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });
    client.socket.onmessage = () => client.send(ping);
    for (let n = 0; n < 8; n++) client.send(ping);
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining("too many") });
  });
});

test("of requests that are sent without waiting none is read behind the first that is refused", async () => {
  await using world = await startWorld({ rates: { address: { points: 3, seconds: 60 } } });
  const socket = connectTcp(world.port, "127.0.0.1");
  let answers = "";
  socket.on("data", (data) => {
    answers += data;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(50));
  await closed;
  expect(answers.match(/HTTP\/1.1 200/g)).toHaveLength(3);
  expect(answers.match(/HTTP\/1.1 429/g)).toHaveLength(1);
});
