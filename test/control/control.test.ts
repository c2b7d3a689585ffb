import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChannelCredentials, ControlChannel, ServeChannel } from "../../src/control/channels.ts";
import { askService, type Control, controlPath, serveControl } from "../../src/control/control.ts";
import { AppError } from "../../src/errors.ts";

const ana = "100000000000000001";
const byToken = { headers: { authorization: "Bearer dmcp_x" } };
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "control-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function open(serve?: ServeChannel): { control: Control; folder: string } & Disposable {
  const folder = join(root, crypto.randomUUID());
  mkdirSync(folder);
  const control = serveControl(folder, { twice: async (data) => Number(data) * 2 }, serve);
  return { control, folder, [Symbol.dispose]: () => control[Symbol.dispose]() };
}

interface Program {
  readonly socket: WebSocket;
  readonly messages: string[];
  /** Resolves with its close code and the last word. */
  readonly closed: Promise<{ readonly code: number; readonly lastWord: string; readonly failure: string }>;
  readonly opened: Promise<void>;
}

function program(folder: string, query = "", options: object = byToken): Program {
  const socket = new WebSocket(`ws+unix://${controlPath(folder)}:/mcp${query}`, options);
  socket.binaryType = "arraybuffer";
  const messages: string[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<Awaited<Program["closed"]>>();
  let lastWord = "";
  let failure = "";
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") messages.push(data);
    else lastWord = new TextDecoder().decode(data);
  };
  socket.onerror = (event) => {
    failure = "message" in event ? String(event.message) : "";
  };
  socket.onclose = ({ code }) => closed.resolve({ code, lastWord, failure });
  return { socket, messages, opened: opened.promise, closed: closed.promise };
}

/** Takes every channel, and hands it out in the order in which they come. */
function taker() {
  const taken: { channel: ControlChannel; who: ChannelCredentials }[] = [];
  let wake = Promise.withResolvers<void>();
  return {
    serve: async (channel: ControlChannel, who: ChannelCredentials) => {
      taken.push({ channel, who });
      wake.resolve();
    },
    async next() {
      for (;;) {
        const one = taken.shift();
        if (one !== undefined) return one;
        wake = Promise.withResolvers();
        await wake.promise;
      }
    },
  };
}

describe("the control socket", () => {
  test("is the operator's alone, and answers one request each", async () => {
    using host = open();
    expect(statSync(controlPath(host.folder)).mode & 0o777).toBe(0o600);
    expect(await askService(host.folder, "twice", 21)).toEqual({ result: 42 });
    await expect(askService(host.folder, "mcp", {})).rejects.toThrow('no operation "mcp"');
    expect(await askService(join(root, "nowhere"), "twice", 1)).toBeNull();
  });

  test("opens channels once it accepts them, and none when it has retired", async () => {
    const { serve } = taker();
    using host = open(serve);
    const early = await program(host.folder).closed;
    expect(early).toMatchObject({ code: 1006, failure: expect.stringContaining("503") });
    host.control.acceptChannels();
    const one = program(host.folder);
    await one.opened;
    expect(host.control.retire(0)).toBe(false);
    one.socket.close();
    await one.closed;
    while (!host.control.retire(0)) await new Promise(setImmediate);
    host.control.acceptChannels();
    expect(await program(host.folder).closed).toMatchObject({ failure: expect.stringContaining("503") });
  });

  test("stays while nothing has been quiet for long enough", () => {
    using host = open();
    host.control.acceptChannels();
    expect(host.control.retire(60_000)).toBe(false);
  });

  test("keeps what comes before somebody listens, in order", async () => {
    const { serve, next } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    const one = program(host.folder);
    await one.opened;
    one.socket.send("a");
    one.socket.send("b");
    const { channel } = await next();
    const heard: string[] = [];
    const third = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    channel.listen({
      message(text) {
        heard.push(text);
        if (heard.length === 3) third.resolve();
      },
      closed: gone.resolve,
    });
    one.socket.send("c");
    await third.promise;
    expect(heard).toEqual(["a", "b", "c"]);
    one.socket.close();
    await gone.promise;
    channel.send("to nobody");
    channel.close("to nobody");
  });

  test("one who listens after the end is told of it", async () => {
    const { serve, next } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    const one = program(host.folder);
    const { channel } = await next();
    await one.opened;
    one.socket.close();
    await one.closed;
    while (!host.control.retire(0)) await new Promise(setImmediate);
    const gone = Promise.withResolvers<void>();
    channel.listen({ message: () => {}, closed: gone.resolve });
    await gone.promise;
  });

  test.each([
    ["", byToken, { kind: "token", authorization: "Bearer dmcp_x", guildId: null, channelId: null }],
    [
      `?guild_id=${ana}&channel_id=${ana}`,
      byToken,
      { kind: "token", authorization: "Bearer dmcp_x", guildId: ana, channelId: ana },
    ],
    [`?operator_for=${ana}`, {}, { kind: "operator", userId: ana, guildId: null, channelId: null }],
    // A token that is presented counts: it may be less than the operator's.
    [
      `?operator_for=${ana}`,
      byToken,
      { kind: "token", authorization: "Bearer dmcp_x", guildId: null, channelId: null },
    ],
  ])("tells who is there: %s with %j", async (query, options, who) => {
    const { serve, next } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    program(host.folder, query, options);
    expect((await next()).who).toEqual(who as ChannelCredentials);
  });

  test.each([
    ["", {}, "DISCORD_MCP_TOKEN"],
    ["?operator_for=ana", {}, "operator_for"],
    ["?operator_for=", {}, "operator_for"],
    ["?guild_id=1", byToken, "guild_id"],
  ])("turns away who does not say it: %s with %j", async (query, options, said) => {
    const { serve } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    const { code, lastWord } = await program(host.folder, query, options).closed;
    expect(code).toBe(1008);
    expect(lastWord).toContain(said);
  });

  test("tells a sentence of any length, and nothing of a fault of ours", async () => {
    const long = "Because. ".repeat(100);
    const errors = [new AppError("forbidden", long), new Error("secret detail")];
    using host = open(async () => {
      throw errors.shift();
    });
    host.control.acceptChannels();
    expect(await program(host.folder).closed).toMatchObject({ code: 1008, lastWord: long });
    const { lastWord } = await program(host.folder).closed;
    expect(lastWord).toContain("on our side");
    expect(lastWord).not.toContain("secret");
  });

  test("bounds the size of messages, their kind, and what nobody listens to", async () => {
    const { serve } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    const big = program(host.folder);
    await big.opened;
    big.socket.send("x".repeat(4 * 1024 * 1024 + 1));
    expect((await big.closed).code).toBe(1009);
    const binary = program(host.folder);
    await binary.opened;
    binary.socket.send(new Uint8Array([1]));
    expect(await binary.closed).toMatchObject({ code: 1008, lastWord: expect.stringContaining("text only") });
    const unheard = program(host.folder);
    await unheard.opened;
    for (let count = 0; count < 3; count++) unheard.socket.send("x".repeat(3 * 1024 * 1024));
    expect((await unheard.closed).code).toBe(1013);
  });

  test("has 64 channels and tells the next one why not", async () => {
    const { serve } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    const all = Array.from({ length: 64 }, () => program(host.folder));
    await Promise.all(all.map(({ opened }) => opened));
    const { code, lastWord } = await program(host.folder).closed;
    expect({ code, lastWord }).toEqual({ code: 1008, lastWord: expect.stringContaining("64 programs") });
    host.control.closeChannels();
    for (const { closed } of all) expect((await closed).code).toBe(1001);
  });

  test("closes a channel whose program does not read", async () => {
    const { serve, next } = taker();
    using host = open(serve);
    host.control.acceptChannels();
    const socket = createConnection(controlPath(host.folder));
    socket.on("error", () => {});
    socket.pause();
    socket.write(
      "GET /mcp HTTP/1.1\r\nHost: control\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: Bearer dmcp_x\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    const { channel } = await next();
    const gone = Promise.withResolvers<void>();
    channel.listen({ message: () => {}, closed: gone.resolve });
    for (let count = 0; count < 24; count++) channel.send("x".repeat(1024 * 1024));
    await gone.promise;
    socket.destroy();
  });
});
