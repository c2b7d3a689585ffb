import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { askService } from "../../src/control/control.ts";
import { Service } from "../e2e/service.ts";
import { channels, guildId, roles, users } from "../e2e/surroundings.ts";
import {
  eventWire,
  initialize,
  legacy,
  listen,
  type Message,
  modern,
  post,
  socketWire,
  type Wire,
} from "./raw.ts";

setDefaultTimeout(30_000);

let service: Service;
beforeAll(async () => {
  service = await Service.start({ env: { RATE_LIMIT_TOKEN: "100000/60", RATE_LIMIT_ADDRESS: "100000/60" } });
});
afterAll(async () => {
  expect(service.contract.violations).toEqual([]);
  await service[Symbol.asyncDispose]();
});

async function control(operation: string, data: object): Promise<Message> {
  const answer = await askService(service.config.dataDir, operation, data);
  return answer?.result;
}

async function tokenOf(userId: string): Promise<{ token: string; id: string }> {
  const spec = {
    name: "test",
    scopes: ["sessions", "turns", "tools", "approve"],
    guild_ids: null,
    expires_at: null,
  };
  const { token, row } = await control("token_create", { ...spec, user_id: userId });
  return { token, id: row.id };
}

const query = `guild_id=${guildId}&channel_id=${channels.general}`;
const messagesOf = (channelId: string) => `discord://channels/${channelId}/messages`;
const general = messagesOf(channels.general);
const help = messagesOf(channels.help);
const staff = messagesOf(channels.staff);

/** Somebody who watches, by whichever way. */
interface Watcher extends Disposable {
  readonly wire: Wire;
  /** Rejects with the error of a refusal. */
  watch(uri: string): Promise<void>;
  unwatch(uri: string): Promise<void>;
}

const told = (uri: string) => (message: Message) =>
  message.method === "notifications/resources/updated" && message.params.uri === uri;
const answerTo = (id: unknown) => (message: Message) => message.id === id && message.method === undefined;

/** One channel of messages that is open for long. */
function overSocket(wire: Wire, era: "2025" | "2026"): Watcher {
  let ids = 0;
  const listening = new Map<string, number>();
  const ask = async (method: string, params: object) => {
    const id = ++ids;
    wire.send(legacy(id, method, params));
    const { error } = await wire.next(answerTo(id));
    if (error !== undefined) throw error;
  };
  return {
    wire,
    async watch(uri) {
      if (era === "2025") return ask("resources/subscribe", { uri });
      const id = ++ids;
      wire.send(modern(id, "subscriptions/listen", { notifications: { resourceSubscriptions: [uri] } }));
      const first = await wire.next(
        (message) => answerTo(id)(message) || Object.values(message.params?._meta ?? {}).includes(id),
      );
      if (first.error !== undefined) throw first.error;
      listening.set(uri, id);
    },
    async unwatch(uri) {
      if (era === "2025") return ask("resources/unsubscribe", { uri });
      wire.send({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId: listening.get(uri) },
      });
      // What is answered after it has been read after it.
      const id = ++ids;
      wire.send(modern(id, "prompts/list"));
      await wire.next(answerTo(id));
    },
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}

/** A stream for each resource. */
function overStreams(token: string): Watcher {
  const streams = new Map<string, Wire>();
  const all: Wire[] = [];
  const wire: Wire = {
    get received() {
      return all.flatMap(({ received }) => received);
    },
    get ended() {
      return Promise.all(all.map(({ ended }) => ended)).then(() => ({ code: 0, reason: "" }));
    },
    next: (fits) => Promise.any(all.map((stream) => stream.next(fits))),
    send() {},
    [Symbol.dispose]() {
      for (const stream of all) stream[Symbol.dispose]();
    },
  };
  return {
    wire,
    async watch(uri) {
      const leave = new AbortController();
      const request = modern(1, "subscriptions/listen", { notifications: { resourceSubscriptions: [uri] } });
      const response = await post(service.url, request, { token, query, signal: leave.signal });
      if (!response.ok) throw ((await response.json()) as Message).error;
      const stream = eventWire(response, leave);
      await stream.next(({ method }) => method === "notifications/subscriptions/acknowledged");
      streams.set(uri, stream);
      all.push(stream);
    },
    async unwatch(uri) {
      const stream = streams.get(uri);
      stream?.[Symbol.dispose]();
      await stream?.ended;
    },
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}

/** A session of a client that can be asked, whose stream is its GET. */
async function overSession(token: string): Promise<Watcher> {
  const opened = await post(service.url, initialize({ elicitation: {} }), { token, query });
  await opened.text();
  const session = opened.headers.get("mcp-session-id") ?? "";
  const leave = new AbortController();
  const headers = { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" };
  const stream = await fetch(`${service.url}/mcp?${query}`, {
    headers: { ...headers, authorization: `Bearer ${token}`, accept: "text/event-stream" },
    signal: leave.signal,
  });
  const ask = async (method: string, uri: string) => {
    const response = await post(service.url, legacy(7, method, { uri }), { token, query, headers });
    const answer = await eventWire(response, new AbortController()).next(answerTo(7));
    if (answer.error !== undefined) throw answer.error;
  };
  const wire = eventWire(stream, leave);
  return {
    wire,
    watch: (uri) => ask("resources/subscribe", uri),
    unwatch: (uri) => ask("resources/unsubscribe", uri),
    [Symbol.dispose]: () => wire[Symbol.dispose](),
  };
}

const ways: Readonly<Record<string, (token: string) => Promise<Watcher>>> = {
  "HTTP, 2026": async (token) => overStreams(token),
  "HTTP, 2025, in a session": overSession,
  "WebSocket, 2026": async (token) => overSocket(await webSocket(token), "2026"),
  "WebSocket, 2025": async (token) => overSocket(await shaken(await webSocket(token)), "2025"),
  "control socket, 2026": async (token) => overSocket(await controlSocket(token), "2026"),
  "control socket, 2025": async (token) => overSocket(await shaken(await controlSocket(token)), "2025"),
};

const webSocket = (token: string) =>
  socketWire(`${service.url.replace("http", "ws")}/mcp/ws?${query}`, { token, protocols: ["mcp"] });
const controlSocket = (token: string) =>
  socketWire(`ws+unix://${service.config.dataDir}/control.sock:/mcp?${query}`, { token });

async function shaken(wire: Wire): Promise<Wire> {
  wire.send(initialize());
  await wire.next(answerTo("init"));
  return wire;
}

const letAnaSee = (channelId: string, sees: boolean) => {
  const { channels: changes } = service.discord.changes;
  if (sees) changes.removeOverwrite(channelId, users.ana);
  else changes.setOverwrite(channelId, { id: users.ana, type: "member", deny: 1024n });
};

describe.each(Object.keys(ways))("%s", (way) => {
  const open = async (userId: string) => {
    const { token, id } = await tokenOf(userId);
    const begin = ways[way];
    if (begin === undefined) throw new Error("no such way");
    return Object.assign(await begin(token), { tokenId: id });
  };

  test("Ana hears of a channel that she watches, and no more of it than that", async () => {
    using ana = await open(users.ana);
    await ana.watch(general);
    service.say("The tide is in.");
    const { params } = await ana.wire.next(told(general));
    expect(Object.keys(params).sort()).toEqual(way.includes("2026") ? ["_meta", "uri"] : ["uri"]);
  });

  test("a channel that is hidden from her cannot be watched, as one that is not there", async () => {
    using ana = await open(users.ana);
    const refused = await ana.watch(staff).catch((error: unknown) => error);
    const unknown = await ana.watch(messagesOf("999999999999999999")).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: -32602 });
    const text = (error: unknown) => JSON.stringify(error).replaceAll(/\d{17,}/g, "ID");
    expect(text(refused)).toBe(text(unknown));
    using mika = await open(users.moderator);
    await mika.watch(staff);
    service.say("Keys are with Olive.", { userId: users.owner, channelId: channels.staff });
    await mika.wire.next(told(staff));
  });

  test("she hears nothing of it from when she may not see it any more", async () => {
    using ana = await open(users.ana);
    using ben = await open(users.ben);
    await ana.watch(general);
    await ana.watch(help);
    await ben.watch(general);
    letAnaSee(channels.general, false);
    try {
      service.say("Ana is not here.", { userId: users.ben });
      await ben.wire.next(told(general));
      service.say("Help!", { channelId: channels.help, userId: users.ben });
      await ana.wire.next(told(help));
      expect(ana.wire.received.filter(told(general))).toEqual([]);
    } finally {
      letAnaSee(channels.general, true);
    }
  });

  test("she hears nothing of what she watches no more", async () => {
    using ana = await open(users.ana);
    await ana.watch(general);
    await ana.watch(help);
    await ana.unwatch(general);
    service.say("Who hears this?");
    service.say("Help!", { channelId: channels.help });
    await ana.wire.next(told(help));
    expect(ana.wire.received.filter(told(general))).toEqual([]);
  });

  test("it ends with its token", async () => {
    using ana = await open(users.ana);
    await ana.watch(general);
    const { wire } = ana;
    await control("token_revoke", { id: ana.tokenId });
    const { reason } = await wire.ended;
    const last = JSON.stringify([reason, wire.received.at(-1) ?? ""]);
    if (!way.includes("session")) expect(last).toContain("has been revoked");
  });
});

describe("what is claimed", () => {
  const capabilities = async (opened: Promise<Message>) => (await opened).result.capabilities;
  const named = async (elicitation: object) => {
    const { token } = await tokenOf(users.ana);
    const response = await post(service.url, initialize(elicitation), { token, query });
    return eventWire(response, new AbortController()).next(answerTo("init"));
  };

  test("is what is sent: no list says that it has changed", async () => {
    const { token } = await tokenOf(users.ana);
    const discovered = (await post(service.url, modern(1, "server/discover"), { token, query })).json();
    expect(await capabilities(discovered as Promise<Message>)).toEqual({
      tools: {},
      resources: { subscribe: true },
      prompts: {},
      completions: {},
    });
    expect((await capabilities(named({ elicitation: {} }))).resources).toEqual({ subscribe: true });
  });

  test("is less where nothing stays between two requests", async () => {
    expect((await capabilities(named({}))).resources).toEqual({});
    const { token } = await tokenOf(users.ana);
    const asked = legacy(1, "resources/subscribe", { uri: general });
    const response = await post(service.url, asked, { token, query });
    const { error } = await eventWire(response, new AbortController()).next(answerTo(1));
    expect(error.message).toContain("Nothing stays between two requests");
  });

  test("lists that never change are acknowledged as not watched", async () => {
    const { token } = await tokenOf(users.ana);
    const notifications = { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true };
    const request = modern(1, "subscriptions/listen", { notifications });
    const stream = eventWire(await post(service.url, request, { token, query }), new AbortController());
    const { params } = await stream.next(({ method }) => method?.endsWith("acknowledged"));
    expect(params.notifications).toEqual({});
    expect((await stream.next(answerTo(1))).result.resultType).toBe("complete");
    await stream.ended;
  });
});

test("of a busy channel every watcher hears, and of roles lost nobody who has lost them", async () => {
  const { token } = await tokenOf(users.moderator);
  const { token: ofBen } = await tokenOf(users.ben);
  using mika = await listen(service.url, [staff, general], { token, query });
  using ben = await listen(service.url, [general], { token: ofBen, query });
  for (const stream of [mika, ben]) await stream.next(({ method }) => method?.endsWith("acknowledged"));
  service.discord.changes.members.removeRole(guildId, users.moderator, roles.moderator);
  try {
    for (let n = 0; n < 50; n++)
      service.say(`${n}`, {
        userId: users.owner,
        channelId: n % 2 === 0 ? channels.staff : channels.general,
      });
    await Promise.all([mika.next(told(general)), ben.next(told(general))]);
    expect(mika.received.filter(told(staff))).toEqual([]);
    // Not once for each message: it is told that there is something to read.
    expect(ben.received.filter(told(general)).length).toBeLessThan(25);
  } finally {
    service.discord.changes.members.addRole(guildId, users.moderator, roles.moderator);
  }
});
