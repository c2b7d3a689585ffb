import type { Server, ServerWebSocket } from "bun";
import {
  type APIGatewayBotInfo,
  GatewayIntentBits as Intents,
  GatewayOpcodes as Op,
} from "discord-api-types/v10";
import { type DiscordSimulator, startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { largeWorld } from "../../src/simulator/discord/world-seed-large.ts";
import { type Facts, numberOf, partArgs, servePart } from "./parts.ts";

/**
 * A gateway that plays back, to whoever connects, what the simulated one has sent: the same frames for everyone,
 * made before the clock runs, so that neither side waits for a simulator. REST goes on to the simulator.
 */
const args = partArgs();
const guilds = numberOf(args, "guilds");
const events = numberOf(args, "events");

const discord = await startDiscordSimulator({
  seed: largeWorld({
    guilds,
    channels: numberOf(args, "channels"),
    roles: numberOf(args, "roles"),
    members: 20,
  }),
  rateLimits: "off",
  requestLog: 10,
});
const frames = await record(discord);
const greeting = frames.slice(0, 1 + guilds);
const blast = frames.slice(1 + guilds);
if (blast.length !== events) throw new Error(`${blast.length} events were recorded`);

const startLimit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 };
let present: ServerWebSocket<undefined> | null = null;
let answered = Promise.withResolvers<ServerWebSocket<undefined>>();
const server: Server<undefined> = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request, self) {
    const url = new URL(request.url);
    if (url.pathname === "/gateway" && self.upgrade(request)) return undefined;
    const { body } = request;
    const passedOn = await fetch(`${new URL(discord.apiUrl).origin}${decodeURI(url.pathname)}${url.search}`, {
      method: request.method,
      headers: request.headers,
      ...(body === null ? {} : { body }),
    });
    if (!url.pathname.endsWith("/gateway/bot")) return passedOn;
    const info = { shards: 1, session_start_limit: startLimit, url: `ws://127.0.0.1:${server.port}/gateway` };
    return Response.json(info satisfies APIGatewayBotInfo);
  },
  websocket: {
    backpressureLimit: 2 ** 30,
    maxPayloadLength: 2 ** 24,
    idleTimeout: 0,
    open: (socket) => void send(socket, { op: Op.Hello, d: { heartbeat_interval: 600_000 } }),
    message(socket, text) {
      const { op } = JSON.parse(String(text));
      if (op === Op.Heartbeat) {
        answered.resolve(socket);
        send(socket, { op: Op.HeartbeatAck, d: null });
      }
      if (op !== Op.Identify) return;
      for (const frame of greeting) socket.send(frame);
      send(socket, { op: Op.Heartbeat, d: null });
    },
  },
});

const send = (socket: ServerWebSocket<undefined>, payload: object) =>
  socket.send(JSON.stringify({ s: null, t: null, ...payload }));

servePart(
  { apiUrl: `http://127.0.0.1:${server.port}/api`, token: discord.token, bytes: blast.join("").length },
  {
    /** Waits for a new client, and until it has taken in READY and all guilds. */
    async greet(): Promise<Facts> {
      present = await answered.promise;
      return {};
    },
    /** Sends all events and a request for a heartbeat; frames are taken in one after another, so its answer is the end. */
    async blast(): Promise<Facts> {
      const socket = present;
      if (socket === null) throw new Error("nobody is connected");
      answered = Promise.withResolvers();
      const began = performance.now();
      for (const frame of blast) socket.send(frame);
      send(socket, { op: Op.Heartbeat, d: null });
      await answered.promise;
      const ms = performance.now() - began;
      answered = Promise.withResolvers();
      return { ms };
    },
  },
);

/** Connects as a bot would, and has the world change until there are frames enough: of ten six are messages. */
async function record(simulator: DiscordSimulator): Promise<readonly string[]> {
  const recorded: string[] = [];
  const greeted = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const socket = new WebSocket(`${simulator.gatewayUrl}?v=10&encoding=json`);
  socket.onmessage = ({ data }) => {
    const text = String(data);
    if (text.startsWith(`{"op":${Op.Hello}`)) socket.send(JSON.stringify(identify(simulator.token)));
    if (!text.startsWith(`{"op":${Op.Dispatch}`)) return;
    recorded.push(text);
    if (recorded.length === 1 + guilds) greeted.resolve();
    if (recorded.length === 1 + guilds + events) done.resolve();
  };
  await greeted.promise;
  const worlds = [...simulator.world.guilds.values()].map((guild) => ({
    id: guild.id,
    channels: [...guild.channels.keys()],
    roles: [...guild.roles.keys()].filter((id) => id !== guild.id),
    members: [...guild.members.keys()].filter((id) => id !== simulator.botUser.id),
  }));
  for (let n = 0; n < events; n++) {
    const guild = pick(worlds, n);
    const channelId = pick(guild.channels, n * 7);
    const userId = pick(guild.members, n * 3);
    const kind = n % 10;
    if (kind < 6)
      simulator.say({ userId, channelId, content: `Message ${n}, as people write it to each other.` });
    else if (kind < 8) simulator.changes.members.update(guild.id, userId, { nick: `Nick ${n}` });
    else if (kind < 9) simulator.changes.channels.update(channelId, { topic: `Topic ${n}` });
    else simulator.changes.guilds.updateRole(guild.id, pick(guild.roles, n), { name: `Role ${n}` });
    // The socket is given its turn, so that nothing piles up.
    if (n % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await done.promise;
  socket.close();
  return recorded;
}

function pick<T>(list: readonly T[], n: number): T {
  const found = list[n % list.length];
  if (found === undefined) throw new Error("the world is empty");
  return found;
}

function identify(token: string) {
  const intents =
    Intents.Guilds |
    Intents.GuildMembers |
    Intents.GuildMessages |
    Intents.MessageContent |
    Intents.DirectMessages;
  const properties = { os: "linux", browser: "bench", device: "bench" };
  return { op: Op.Identify, d: { token, intents, properties, large_threshold: 50, compress: false } };
}
