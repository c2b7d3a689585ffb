import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect as connectTcp, type Socket } from "node:net";
import { createAppChannels } from "../../src/app/control-channels.ts";
import type { Principal } from "../../src/auth/ports.ts";
import { type Control, serveControl } from "../../src/control/control.ts";
import { createMcpListening } from "../../src/http/mcp-listening.ts";
import { merged } from "../../src/mcp/surface.ts";
import { maxWatchesPerToken, withWatchBounds } from "../../src/mcp/watch-bounds.ts";
import { createMetrics } from "../../src/metrics.ts";
import { testTools } from "../http/tools.ts";
import { startWorld, type World } from "../http/world.ts";
import { ids } from "../tools/harness.ts";
import { initialize, legacy, type Message, modern, post, revision, socketWire } from "./raw.ts";

setDefaultTimeout(30_000);

let world: World;
let control: Control;
beforeAll(async () => {
  const audit = { append: async () => {}, collect() {} };
  const { registry, flow } = testTools({ audit, metrics: createMetrics(), now: Date.now });
  const value = { messages: [] };
  world = await startWorld({
    discord: {
      // Every channel can be read, without a Discord that would have to be asked a thousand times.
      registry: {
        ...registry,
        call: async () => ({ kind: "done", value, text: "", isError: false, sources: [] }),
      },
      flow,
      botUserId: ids.bot,
      assertReachable: async () => {},
    },
  });
  control = serveControl(world.folder, {}, createAppChannels({ ...world, draining: () => false }).serve);
  control.acceptChannels();
});
afterAll(async () => {
  control[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

const query = `guild_id=${ids.guild}&channel_id=${ids.general}`;
const uris = [ids.general, ids.hidden, ids.unknown].map((id) => `discord://channels/${id}/messages`);
const tokenOf = async (userId: string) => (await world.token({ userId, scopes: ["turns", "tools"] })).secret;
const acknowledged = ({ method }: Message) => method === "notifications/subscriptions/acknowledged";

/** A stream by hand, since `fetch` holds 256 at once. */
class Stream {
  readonly #socket: Socket;
  #text = "";
  #look = () => {};

  constructor(token: string, watched: readonly string[]) {
    const notifications = { resourceSubscriptions: watched };
    const body = JSON.stringify(modern("listen", "subscriptions/listen", { notifications }));
    this.#socket = connectTcp(world.port, "127.0.0.1");
    this.#socket.on("data", (part: Buffer) => {
      this.#text += part.toString();
      this.#look();
    });
    this.#socket.write(
      [
        `POST /mcp?${query} HTTP/1.1`,
        "Host: 127.0.0.1",
        `Authorization: Bearer ${token}`,
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        `Mcp-Protocol-Version: ${revision}`,
        "Mcp-Method: subscriptions/listen",
        `Content-Length: ${Buffer.byteLength(body)}`,
        "",
        body,
      ].join("\r\n"),
    );
  }

  /** Resolves with all that has come, once this is in it. */
  async until(...any: string[]): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (any.some((text) => this.#text.includes(text))) resolve();
      };
      this.#look();
    });
    return this.#text;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const accepted = "notifications/subscriptions/acknowledged";
const updated = "notifications/resources/updated";

async function streams(token: string, count: number, watched: readonly string[]): Promise<Stream[]> {
  const all: Stream[] = [];
  while (all.length < count) {
    const some = Array.from({ length: 25 }, () => new Stream(token, watched));
    for (const text of await Promise.all(some.map((stream) => stream.until(accepted, "retry-after"))))
      expect(text).toContain(accepted);
    all.push(...some);
  }
  return all;
}

function end(all: Iterable<Stream>): void {
  for (const stream of all) stream[Symbol.dispose]();
}

/** Resolves when one more is accepted again, and leaves it open. */
async function accepting(token: string, watched: readonly string[]): Promise<Stream> {
  for (;;) {
    const stream = new Stream(token, watched);
    if ((await stream.until(accepted, "too_many_connections")).includes(accepted)) return stream;
    stream[Symbol.dispose]();
  }
}

describe("a thousand subscriptions", () => {
  test("are served, and all of them hear", async () => {
    const token = await tokenOf(ids.ana);
    const all = await streams(token, 1000, uris);
    world.messagesChanged(ids.general);
    await Promise.all(all.map((stream) => stream.until(updated)));
    end(all);
  });

  test("leave nothing behind: there is room for as many again", async () => {
    const token = await tokenOf(ids.ana);
    // Twice what a token may watch.
    for (let round = 0; round < 3; round++) {
      using _first = await accepting(token, uris);
      end(await streams(token, 1000, uris));
      // Once the last one may come, all those before it have gone.
      using _last = await accepting(token, uris);
    }
    expect(3 * 1000 * uris.length).toBeGreaterThan(2 * maxWatchesPerToken);
  });

  test("are, with a few more, all that one token may have; others have theirs", async () => {
    const token = await tokenOf(ids.ana);
    const [first = ""] = uris;
    const all = await streams(token, 1000, [first]);
    const more = Array.from({ length: 30 }, () => new Stream(token, [first]));
    const answers = await Promise.all(more.map((stream) => stream.until(accepted, "too_many_connections")));
    const refused = answers.filter((text) => !text.includes(accepted));
    expect(refused.length).toBe(6);
    for (const text of refused) {
      expect(text).toStartWith("HTTP/1.1 429");
      expect(text.toLowerCase()).toContain("retry-after: 10");
    }
    using other = new Stream(await tokenOf(ids.ben), [first]);
    await other.until(accepted);
    end([...all, ...more]);
  });
});

describe.each(["WebSocket", "control socket"])("a %s", (way) => {
  const open = (token: string) =>
    way === "WebSocket"
      ? socketWire(`${world.socketUrl}/mcp/ws?${query}`, { token, protocols: ["mcp"] })
      : socketWire(`ws+unix://${world.folder}/control.sock:/mcp?${query}`, { token });
  const [first = ""] = uris;

  test("has 64 subscriptions and no more, until one has ended", async () => {
    using wire = await open(await tokenOf(ids.ana));
    const ask = async (id: number) => {
      wire.send(modern(id, "subscriptions/listen", { notifications: { resourceSubscriptions: [first] } }));
      return wire.next(
        (message) =>
          (message.id === id && message.error !== undefined) ||
          (acknowledged(message) && Object.values(message.params._meta).includes(id)),
      );
    };
    for (let id = 1; id <= 64; id++) expect(acknowledged(await ask(id))).toBe(true);
    expect((await ask(65)).error.message).toContain("at most 64 subscriptions");
    wire.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    expect(acknowledged(await ask(66))).toBe(true);
  });

  test("of the older era watches each address once, however often it is asked to", async () => {
    using wire = await open(await tokenOf(ids.ana));
    wire.send(initialize());
    for (let id = 1; id <= 30; id++) wire.send(legacy(id, "resources/subscribe", { uri: first }));
    for (let id = 1; id <= 30; id++)
      expect((await wire.next((message) => message.id === id)).result).toEqual({});
    world.messagesChanged(ids.general);
    await wire.next(({ method }) => method === "notifications/resources/updated");
    wire.send(legacy(200, "resources/unsubscribe", { uri: first }));
    await wire.next(({ id }) => id === 200);
    expect(wire.received.filter(({ method }) => method === "notifications/resources/updated").length).toBe(1);
  });
});

test("one subscription names 64 resources at most", async () => {
  const many = Array.from({ length: 65 }, (_, n) => `discord://channels/${"1".repeat(15)}${n}/messages`);
  const request = modern(1, "subscriptions/listen", { notifications: { resourceSubscriptions: many } });
  const response = await post(world.url, request, { token: await tokenOf(ids.ana), query });
  expect(response.status).toBe(400);
  expect(((await response.json()) as Message).error.message).toContain("At most 64 resources");
});

describe("what a token watches", () => {
  const principal: Omit<Principal, "tokenId"> = {
    kind: "token",
    userId: "1",
    sessionId: null,
    scopes: new Set(),
    guildIds: null,
  };
  const caller = (tokenId: string) => ({ principal: { ...principal, tokenId }, actor: null, session: null });
  const signal = new AbortController().signal;
  const watching = (watch: () => Promise<() => void> | null) => withWatchBounds(merged([{ watch }]));

  test("is bounded, and given back by what ends, fails, or is nothing to watch", async () => {
    let outcome: "watched" | "failed" | "none" = "watched";
    const bounded = watching(() => {
      if (outcome === "none") return null;
      return outcome === "failed" ? Promise.reject(new Error("no")) : Promise.resolve(() => {});
    });
    const watch = (tokenId: string) => bounded.watch("x", caller(tokenId), () => {}, signal);
    const ends: (() => void)[] = [];
    for (let n = 1; n < maxWatchesPerToken; n++) ends.push((await watch("a")) ?? (() => {}));
    outcome = "failed";
    for (let n = 0; n < 3; n++) await expect(watch("a")).rejects.toThrow("no");
    outcome = "none";
    for (let n = 0; n < 3; n++) expect(watch("a")).toBeNull();
    outcome = "watched";
    ends.push((await watch("a")) ?? (() => {}));
    expect(() => watch("a")).toThrow(`At most ${maxWatchesPerToken} resources are watched for one token`);
    expect(await watch("b")).toBeFunction();
    const [end] = ends;
    // Ending it twice gives back one place.
    end?.();
    end?.();
    expect(await watch("a")).toBeFunction();
    expect(() => watch("a")).toThrow();
  });
});

test.each(["it is found out whether they may read", "it is opened"])(
  "a stream whose token is revoked while %s leaves nothing behind",
  async (when) => {
    const { secret } = await world.token({ userId: ids.ana });
    const principal = await world.auth.authenticate({ authorization: `Bearer ${secret}` });
    const place = { userId: null, guildId: ids.guild, channelId: ids.general };
    const caller = await world.mcp.resolve(principal, place);
    let watched = 0;
    const revoke = () => listening.closeInvalid(() => false);
    const watch: World["mcp"]["watch"] = async () => {
      watched++;
      if (when === "it is found out whether they may read") await revoke();
      return () => void watched--;
    };
    const listening = createMcpListening({ ...world.mcp, watch }, async (context) => {
      if (when === "it is opened") await revoke();
      return world.mcp.factoryFor(caller)(context);
    });
    const uri = `discord://channels/${ids.general}/messages`;
    const message: Message = modern(1, "subscriptions/listen", {
      notifications: { resourceSubscriptions: [uri] },
    });
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": revision,
      "mcp-method": message.method,
    };
    const request = new Request("http://127.0.0.1/mcp", { method: "POST", headers });
    const info = { token: "", clientId: "", scopes: [] };
    const response = await listening.serve(request, info, caller, message);
    expect(await response.text()).toContain("has been revoked");
    expect([listening.size, watched]).toEqual([0, 0]);
  },
);
