import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { createInteractionVerifier } from "../../src/auth/signatures.ts";
import { startWorld } from "./world.ts";

/** A request whose body has begun, and what it has been answered. */
interface Begun {
  /** Sends the rest. */
  end(): void;
  readonly status: Promise<number>;
}

const body = "{}        ";

function begin(url: string, path: string, headers: Readonly<Record<string, string>> = {}): Begun {
  const { hostname, port, host } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  const { promise, resolve } = Promise.withResolvers<number>();
  socket.on("error", () => {});
  socket.on("data", (data) => {
    resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(data.toString())?.[1]));
    socket.end();
  });
  const lines = {
    Host: host,
    "Content-Type": "application/json",
    "Content-Length": String(body.length),
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${head.join("")}\r\n${body.slice(0, 3)}`);
  return { end: () => socket.write(body.slice(3)), status: promise };
}

/** Begins one more than may be under way: gives the status of the one that is refused, and all of them. */
async function beginTooMany(count: number, one: () => Begun) {
  const all = Array.from({ length: count }, one);
  return { refused: await Promise.race(all.map(({ status }) => status)), all };
}

test("of strangers so many are read at once from one address, and another's are read", async () => {
  const interactions = { ...createInteractionVerifier("00".repeat(32)), handle: async () => ({}) };
  await using world = await startWorld({ interactions, config: { trustProxy: ["127.0.0.1"] } });
  const from = (address: string) => () =>
    begin(world.url, "/discord/interactions", { "X-Forwarded-For": address });
  const { refused, all } = await beginTooMany(65, from("192.0.2.1"));
  expect(refused).toBe(429);
  const other = from("192.0.2.2")();
  other.end();
  expect(await other.status).toBe(401);
  const again = await fetch(`${world.url}/discord/interactions`, {
    method: "POST",
    body,
    headers: { "x-forwarded-for": "192.0.2.1" },
  });
  expect(again.status).toBe(429);
  expect(again.headers.get("retry-after")).toBe("1");
  expect(await again.json()).toMatchObject({ code: "rate_limited" });

  for (const { end } of all) end();
  const statuses = await Promise.all(all.map(({ status }) => status));
  expect(statuses.filter((status) => status === 401)).toHaveLength(64);
  const later = from("192.0.2.1")();
  later.end();
  expect(await later.status).toBe(401);
});

test("of one token so many are read at once by the Model Context Protocol, and another's are read", async () => {
  await using world = await startWorld();
  const by = (token: string) => () => begin(world.url, "/mcp", { Authorization: `Bearer ${token}` });
  const { refused, all } = await beginTooMany(129, by(world.operator));
  expect(refused).toBe(429);
  const other = by((await world.token({})).secret)();
  other.end();
  expect(await other.status).toBe(400);
  for (const { end } of all) end();
  const statuses = await Promise.all(all.map(({ status }) => status));
  expect(statuses.filter((status) => status === 400)).toHaveLength(128);
  const later = by(world.operator)();
  later.end();
  expect(await later.status).toBe(400);
});
