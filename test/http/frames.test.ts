import { expect, test } from "bun:test";
import type { ServerWebSocket } from "bun";
import { createSocketOptions } from "../../src/http/frames.ts";
import type { SocketEnd } from "../../src/http/socket-end.ts";

/** A server whose sockets note what they hear, under the name that they came with. */
function startServer() {
  const heard: string[] = [];
  const gone: string[] = [];
  let isNoted = () => {};
  const endOf = (name: string): SocketEnd => ({
    principal: {
      ...{ kind: "anonymous", tokenId: null, userId: null, sessionId: null, guildIds: null },
      scopes: new Set(),
    },
    inFlight: 0,
    opened(socket: ServerWebSocket<SocketEnd>) {
      socket.send("open");
    },
    received(frame) {
      heard.push(`${name} ${frame.length > 20 ? frame.length : frame}`);
      isNoted();
    },
    closed() {
      gone.push(`${name} after ${heard.length}`);
      isNoted();
    },
    close() {},
  });
  const server = Bun.serve<SocketEnd>({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, self) {
      const data = endOf(new URL(request.url).pathname.slice(1));
      return self.upgrade(request, { data }) ? undefined : new Response(null, { status: 400 });
    },
    websocket: createSocketOptions(),
  });
  return {
    ...{ heard, gone },
    async connect(name: string): Promise<WebSocket> {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/${name}`);
      await new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
      return socket;
    },
    /** Resolves once so much has been noted in all. */
    async until(count: number): Promise<void> {
      while (heard.length + gone.length < count)
        await new Promise<void>((resolve) => {
          isNoted = resolve;
        });
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

test("each socket's frames are worked on in their order, whoever sends beside it", async () => {
  await using server = startServer();
  const sockets = await Promise.all(["a", "b", "c"].map((name) => server.connect(name)));
  for (let n = 0; n < 20; n++) for (const socket of sockets) socket.send(String(n));
  await server.until(60);
  for (const name of ["a", "b", "c"])
    expect(server.heard.filter((each) => each.startsWith(name))).toEqual(
      Array.from({ length: 20 }, (_each, n) => `${name} ${n}`),
    );
});

test("what a socket sends before it goes is worked on before it is gone", async () => {
  await using server = startServer();
  const socket = await server.connect("a");
  for (let n = 0; n < 5; n++) socket.send(String(n));
  socket.close();
  await server.until(6);
  expect(server.gone).toEqual(["a after 5"]);
});

test("frames that are large do not wait for each other, and none is lost", async () => {
  await using server = startServer();
  const socket = await server.connect("a");
  const large = "x".repeat(700_000);
  for (let n = 0; n < 6; n++) socket.send(n % 2 === 0 ? large : "small");
  await server.until(6);
  expect(server.heard).toEqual(
    Array.from({ length: 6 }, (_each, n) => (n % 2 === 0 ? "a 700000" : "a small")),
  );
});
