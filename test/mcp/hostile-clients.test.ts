import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { type AppChannels, createAppChannels } from "../../src/app/control-channels.ts";
import { type Control, serveControl } from "../../src/control/control.ts";
import { startWorld, type World, type WorldOptions } from "../http/world.ts";
import { ids } from "../tools/harness.ts";
import { answerOf, initialize, legacy, type Message, modern, post, socketWire, type Wire } from "./raw.ts";

setDefaultTimeout(20_000);

const query = `guild_id=${ids.guild}&channel_id=${ids.general}`;

/** A world with its control socket. */
class Doors implements AsyncDisposable {
  readonly world: World;
  readonly channels: AppChannels;
  readonly control: Control;
  isDraining = false;

  private constructor(world: World) {
    this.world = world;
    this.channels = createAppChannels({ ...world, draining: () => this.isDraining });
    this.control = serveControl(world.folder, {}, this.channels.serve);
    this.control.acceptChannels();
  }

  static async open(options?: WorldOptions): Promise<Doors> {
    return new Doors(await startWorld(options));
  }

  token(userId: string = ids.ana) {
    return this.world.token({ userId, scopes: ["sessions", "turns", "tools", "approve"] });
  }

  webSocket(token: string): Promise<Wire> {
    return socketWire(`${this.world.socketUrl}/mcp/ws?${query}`, { token, protocols: ["mcp"] });
  }

  /** The operator's, where no token is given. */
  controlSocket(token?: string): Promise<Wire> {
    const who = token === undefined ? `&operator_for=${ids.ana}` : "";
    const url = `ws+unix://${this.world.folder}/control.sock:/mcp?${query}${who}`;
    return socketWire(url, token === undefined ? {} : { token });
  }

  /** Begins a call of `wait`, and resolves when it runs; what was begun is not waited for. */
  async waiting<Begun>(begin: () => Begun): Promise<{ readonly begun: Begun }> {
    this.world.tools.waiting = Promise.withResolvers();
    this.world.tools.aborted = Promise.withResolvers();
    const begun = begin();
    await this.world.tools.waiting.promise;
    return { begun };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control[Symbol.dispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

const wait = (id: unknown = 1) => modern(id, "tools/call", { name: "wait", arguments: {} });
const oldWait = (id: unknown = 1) => legacy(id, "tools/call", { name: "wait", arguments: {} });

let doors: Doors;
beforeAll(async () => {
  doors = await Doors.open();
});
afterAll(() => doors[Symbol.asyncDispose]());

describe("a client that disappears in the middle of a call", () => {
  test.each([
    ["2026", wait()],
    ["2025", oldWait()],
  ])("over HTTP, %s: the call is given up, and nothing stays under way", async (_era, message) => {
    await using own = await Doors.open();
    const { secret: token } = await own.token();
    const leave = new AbortController();
    const { begun: call } = await own.waiting(() =>
      post(own.world.url, message, { token, query, signal: leave.signal }).catch((error: unknown) => error),
    );
    leave.abort();
    await own.world.tools.aborted.promise;
    await call;
    // Stopping waits for what is under way: for an hour, if anything were.
    await own.world.http.stop(3_600_000);
  });

  test("over a WebSocket", async () => {
    await using own = await Doors.open();
    const wire = await own.webSocket((await own.token()).secret);
    await own.waiting(() => wire.send(wait()));
    wire[Symbol.dispose]();
    await own.world.tools.aborted.promise;
    await own.world.http.stop(3_600_000);
  });

  test("over the control socket", async () => {
    await using own = await Doors.open();
    const wire = await own.controlSocket((await own.token()).secret);
    await own.waiting(() => wire.send(wait()));
    wire[Symbol.dispose]();
    await own.world.tools.aborted.promise;
    await own.channels.settled(3_600_000);
  });
});

describe("a token that is revoked", () => {
  test("ends the call that it has under way over HTTP, with 401", async () => {
    const { secret: token, tokenId } = await doors.token();
    const { begun: call } = await doors.waiting(() => post(doors.world.url, wait(), { token, query }));
    await doors.world.revoke(tokenId);
    await doors.world.http.closeInvalid();
    await doors.world.tools.aborted.promise;
    const response = await call;
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringContaining("resource_metadata="),
    ]);
    expect((await answerOf(response)).error).toContain("has been revoked");
  });

  test("ends that of an older client, and its session", async () => {
    const { secret: token, tokenId } = await doors.token();
    const { url } = doors.world;
    const opened = await post(url, initialize({ elicitation: {} }), { token, query });
    await opened.text();
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    const { begun: call } = await doors.waiting(() => post(url, oldWait(), { token, query, headers }));
    await doors.world.revoke(tokenId);
    await doors.world.http.closeInvalid();
    await doors.world.tools.aborted.promise;
    expect(await (await call).text()).not.toContain("result");
    expect((await post(url, legacy(2, "ping"), { token, query, headers })).status).toBe(401);
    // Nor does another token find it.
    const { secret: other } = await doors.token();
    expect((await post(url, legacy(2, "ping"), { token: other, query, headers })).status).toBe(404);
  });

  test("closes its WebSocket, with a reason and what it has under way", async () => {
    const { secret, tokenId } = await doors.token();
    const wire = await doors.webSocket(secret);
    await doors.waiting(() => wire.send(wait()));
    await doors.world.revoke(tokenId);
    await doors.world.http.closeInvalid();
    expect(await wire.ended).toMatchObject({ code: 1008, reason: expect.stringContaining("revoked") });
    await doors.world.tools.aborted.promise;
  });

  test("closes its channel of the control socket, and not the operator's", async () => {
    const { secret, tokenId } = await doors.token();
    const wire = await doors.controlSocket(secret);
    using operator = await doors.controlSocket();
    await doors.waiting(() => wire.send(wait()));
    await doors.world.revoke(tokenId);
    await doors.channels.closeInvalid();
    expect((await wire.ended).code).toBe(1008);
    expect(wire.received.at(-1)?.lastWord).toContain("has been revoked");
    await doors.world.tools.aborted.promise;
    operator.send(modern(1, "tools/list"));
    expect((await operator.next(({ id }) => id === 1)).result.tools.length).toBeGreaterThan(0);
  });

  test.each(["WebSocket", "control socket"])("is noticed at the next message, over a %s", async (way) => {
    const { secret, tokenId } = await doors.token();
    const wire = await (way === "WebSocket" ? doors.webSocket(secret) : doors.controlSocket(secret));
    await doors.world.revoke(tokenId);
    wire.send(modern(1, "tools/list"));
    expect((await wire.next(({ id }) => id === 1)).error.data.code).toBe("unauthorized");
    expect((await wire.ended).code).toBe(1008);
  });
});

describe("bounds", () => {
  const rates = { token: { points: 5, seconds: 60 } };
  const limited = async (wire: Wire) => {
    for (let id = 1; id <= 7; id++) wire.send(modern(id, "prompts/list"));
    const { error } = await wire.next((message) => message.id === 7);
    return [error.data.code, error.data.retry_after_ms > 0];
  };

  test("a token's requests are counted, over HTTP", async () => {
    await using own = await Doors.open({ rates });
    const { secret: token } = await own.token();
    const send = () => post(own.world.url, modern(1, "prompts/list"), { token, query });
    for (let n = 0; n < 5; n++) expect((await send()).status).toBe(200);
    const refused = await send();
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect((await answerOf(refused)).code).toBe("rate_limited");
  });

  test("and over sockets, the operator's too", async () => {
    await using own = await Doors.open({ rates });
    using one = await own.webSocket((await own.token()).secret);
    using two = await own.controlSocket((await own.token()).secret);
    using three = await own.controlSocket();
    for (const wire of [one, two, three]) expect(await limited(wire)).toEqual(["rate_limited", true]);
    // All channels of the operator are one client.
    using four = await own.controlSocket();
    four.send(modern(1, "prompts/list"));
    expect((await four.next(({ id }) => id === 1)).error.data.code).toBe("rate_limited");
  });

  test("and without authentication those of an address", async () => {
    await using own = await Doors.open({ rates, auth: "off" });
    const send = () =>
      post(own.world.url, modern(1, "prompts/list"), { token: "", query, headers: { authorization: null } });
    for (let n = 0; n < 5; n++) expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(429);
  });

  test("so many calls are under way for one token over HTTP, and those of others go on", async () => {
    await using own = await Doors.open();
    const { secret: token } = await own.token();
    const leave = new AbortController();
    const { begun: calls } = await own.waiting(() =>
      Array.from({ length: 140 }, (_, id) =>
        post(own.world.url, wait(id), { token, query, signal: leave.signal }).catch(() => null),
      ),
    );
    const refused = await Promise.any(
      calls.map(async (call) => {
        const response = await call;
        if (response === null) throw new Error("given up");
        return response;
      }),
    );
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    const { secret: other } = await own.token(ids.ben);
    expect((await post(own.world.url, modern(1, "prompts/list"), { token: other, query })).status).toBe(200);
    leave.abort();
    await Promise.all(calls);
    await own.world.http.stop(3_600_000);
  });

  test("so many are under way in one channel", async () => {
    await using own = await Doors.open();
    using wire = await own.webSocket((await own.token()).secret);
    for (let id = 1; id <= 33; id++) wire.send(wait(id));
    const { error } = await wire.next(({ id }) => id === 33);
    expect([error.data.code, error.data.retry_after_ms]).toEqual(["rate_limited", 1000]);
    own.world.tools.gate.resolve();
    for (let id = 1; id <= 32; id++)
      expect((await wire.next((message) => message.id === id)).result.isError).toBeFalsy();
  });
});

describe("a WebSocket that is not read", () => {
  /** A masked text frame with a mask of zeros. */
  function frame(text: string): Buffer {
    const payload = Buffer.from(text);
    const head = Buffer.alloc(8);
    head.writeUInt8(0x81, 0);
    head.writeUInt8(0x80 | 126, 1);
    head.writeUInt16BE(payload.length, 2);
    return Buffer.concat([head, payload]);
  }

  test("is closed with a reason, and the others go on", async () => {
    await using own = await Doors.open();
    const { secret } = await own.token();
    const slow = connectTcp(own.world.port, "127.0.0.1");
    slow.write(
      [
        `GET /mcp/ws?${query} HTTP/1.1`,
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: mcp",
        `Authorization: Bearer ${secret}`,
        "\r\n",
      ].join("\r\n"),
    );
    await new Promise<void>((resolve) => slow.once("data", () => resolve()));
    slow.pause();
    using quick = await own.webSocket(secret);
    // An answer is some kilobytes; the kernel's own buffers take some megabytes before ours begins to fill.
    const text = "x".repeat(7000);
    for (let n = 0; own.world.http.openConnections === 2 && n < 4000; n++) {
      slow.write(
        frame(JSON.stringify(modern(n, "tools/call", { name: "echo", arguments: { value: text } }))),
      );
      quick.send(modern(n, "prompts/list"));
      await quick.next(({ id }) => id === n);
    }
    const data = new Promise<Buffer>((resolve) => {
      const parts: Buffer[] = [];
      slow.on("data", (part: Buffer) => parts.push(part));
      slow.on("close", () => resolve(Buffer.concat(parts)));
      slow.on("error", () => {});
    });
    slow.resume();
    expect((await data).subarray(-200).toString()).toContain("too slow");
    quick.send(modern("after", "tools/list"));
    expect((await quick.next(({ id }) => id === "after")).result.tools.length).toBeGreaterThan(0);
  });
});

describe("stopping", () => {
  test("answers what is under way over HTTP and a WebSocket, and refuses what is new", async () => {
    await using own = await Doors.open();
    const { secret: token } = await own.token();
    using wire = await own.webSocket(token);
    const { begun: call } = await own.waiting(() => post(own.world.url, wait(), { token, query }));
    await own.waiting(() => wire.send(wait(1)));
    const stopped = own.world.http.stop(60_000);
    wire.send(modern(2, "prompts/list"));
    const { error } = await wire.next(({ id }) => id === 2);
    expect([error.data.code, error.data.retry_after_ms]).toEqual(["shutting_down", 5000]);
    const refused = await post(own.world.url, modern(3, "prompts/list"), { token, query });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    own.world.tools.gate.resolve();
    const text = (message: Message) => message.result.structuredContent.result;
    expect(text(await answerOf(await call))).toBe("waited");
    expect(text(await wire.next(({ id }) => id === 1))).toBe("waited");
    expect((await wire.ended).code).toBe(1001);
    await stopped;
  });

  test("waits for what a channel of the control socket has under way", async () => {
    await using own = await Doors.open();
    using wire = await own.controlSocket((await own.token()).secret);
    await own.waiting(() => wire.send(wait(1)));
    own.isDraining = true;
    wire.send(modern(2, "prompts/list"));
    expect((await wire.next(({ id }) => id === 2)).error.data.code).toBe("shutting_down");
    const settled = own.channels.settled(60_000).then(() => wire.received.some(({ id }) => id === 1));
    own.world.tools.gate.resolve();
    await wire.next(({ id }) => id === 1);
    await settled;
  });
});
