import { connect, type Socket } from "node:net";

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  /** Where it comes from: an address of loopback, with limits of its own. */
  readonly address: string;
  /** A session that the token may use. */
  readonly sessionId: string;
}

/** What became of a hostile client's doings, by name. */
export type Tally = Map<string, number>;

type Hostile = (target: Target, tally: Tally, signal: AbortSignal) => Promise<void>;

const count = (tally: Tally, what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

const upgrade = ({ token }: Target): string =>
  [
    "GET /mcp/ws HTTP/1.1",
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    `Authorization: Bearer ${token}`,
    "\r\n",
  ].join("\r\n");

/** A masked frame with a mask of zeros. */
function frame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

const text = (value: unknown): Buffer => frame(1, Buffer.from(JSON.stringify(value)));

const call = ({ sessionId }: Target): Buffer =>
  text({
    type: "tool_call",
    id: "x".repeat(100),
    data: { session_id: sessionId, tool_name: "discord_memory_recall", arguments: {} },
    metadata: { filling: "x".repeat(8000) },
  });

/** Resolves when it is connected; counts its end. */
async function open({ host, port, address }: Target, tally: Tally): Promise<Socket> {
  const socket = connect({ host, port, localAddress: address });
  socket.on("error", () => count(tally, "reset"));
  socket.on("close", () => count(tally, "closed"));
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("connect", () => resolve());
  socket.once("close", () => resolve());
  await promise;
  count(tally, "opened");
  return socket;
}

/** So many at a time, each begun anew when it has ended, until it is over. */
async function keep(many: number, signal: AbortSignal, one: () => Promise<void>): Promise<void> {
  await Promise.all(
    Array.from({ length: many }, async () => {
      while (!signal.aborted) await one();
    }),
  );
}

/** Until the socket is closed by the other side, or all is over. */
function ended(socket: Socket, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (socket.destroyed || signal.aborted) resolve();
  return promise.finally(() => socket.destroy());
}

/** Sends as fast as it is taken. */
async function pour(socket: Socket, bytes: Buffer, tally: Tally, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !socket.destroyed) {
    count(tally, "sent");
    if (socket.write(bytes)) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once("drain", () => resolve());
    socket.once("close", () => resolve());
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  }
  socket.destroy();
}

/** One byte of it every so often; the last part again and again. */
async function drip(socket: Socket, bytes: Buffer, again: Buffer, signal: AbortSignal): Promise<void> {
  let at = 0;
  let rest = bytes;
  const timer = setInterval(() => {
    if (at >= rest.length) {
      rest = again;
      at = 0;
    }
    socket.write(rest.subarray(at, ++at));
  }, 50);
  await ended(socket, signal);
  clearInterval(timer);
}

async function upgraded(target: Target, tally: Tally): Promise<Socket> {
  const socket = await open(target, tally);
  socket.write(upgrade(target));
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("data", (data) => {
    if (!data.toString().startsWith("HTTP/1.1 101")) count(tally, data.toString().slice(9, 12));
    resolve();
  });
  socket.once("close", () => resolve());
  await promise;
  return socket;
}

const flood =
  (many: number, bytes: (target: Target) => Buffer, isRead: boolean): Hostile =>
  (target, tally, signal) =>
    keep(many, signal, async () => {
      const socket = await upgraded(target, tally);
      if (isRead) socket.on("data", () => {});
      else socket.pause();
      await pour(socket, bytes(target), tally, signal);
    });

const post = ({ token }: Target): string =>
  `POST /mcp/process HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n`;

const fragment = (opcode: number): Buffer => frame(opcode, Buffer.from("x"), false);

export const hostileClients: Readonly<Record<string, Hostile>> = {
  "a slow reader: calls tools on 20 connections and reads 1 KiB in 100 ms": (target, tally, signal) =>
    keep(20, signal, async () => {
      const socket = await upgraded(target, tally);
      socket.pause();
      const timer = setInterval(() => socket.read(1024), 100);
      await pour(socket, call(target), tally, signal);
      clearInterval(timer);
    }),
  "calls tools on 20 connections and never reads": flood(20, call, false),
  "a byte in 50 ms: headers, body, upgrade and fragments, 50 connections each": async (
    target,
    tally,
    signal,
  ) => {
    const dripping = (begin: string, bytes: Buffer, again: Buffer) =>
      keep(50, signal, async () => {
        const socket = await open(target, tally);
        socket.on("data", () => {});
        socket.write(begin);
        await drip(socket, bytes, again, signal);
      });
    const header = Buffer.from("X-Filling: x\r\n");
    await Promise.all([
      dripping("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n", header, header),
      dripping(post(target), Buffer.from(" "), Buffer.from(" ")),
      dripping("", Buffer.from(upgrade(target).slice(0, -2)), header),
      dripping(upgrade(target), fragment(1), fragment(0)),
    ]);
  },
  "opens connections and drops them, 50 at a time": (target, tally, signal) =>
    keep(50, signal, async () => {
      const socket = await open(target, tally);
      socket.write(upgrade(target));
      await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
    }),
  "4 connections of frames that are no JSON": flood(4, () => frame(1, Buffer.from("{")), true),
  "4 connections of requests": flood(4, call, true),
  "4 connections of frames of 1 MiB": flood(4, () => frame(1, Buffer.alloc(1024 * 1024, "x")), true),
  "4 connections of pings": flood(4, () => frame(9, Buffer.alloc(125)), true),
  "4 connections of pings that never read": flood(4, () => frame(9, Buffer.alloc(125)), false),
  "2000 connections that say nothing": (target, tally, signal) =>
    keep(2000, signal, async () => ended(await open(target, tally), signal)),
  "4 connections with 100 requests at once, without waiting": (target, tally, signal) =>
    keep(4, signal, async () => {
      const socket = await open(target, tally);
      socket.on("data", () => {});
      const requests = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(100);
      await pour(socket, Buffer.from(requests), tally, signal);
    }),
};
