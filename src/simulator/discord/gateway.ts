import type { ServerWebSocket } from "bun";
import {
  type APIGatewaySessionStartLimit,
  GatewayDispatchEvents as Events,
  GatewayIntentBits,
  GatewayOpcodes,
} from "discord-api-types/v10";
import { GatewayConnection, type SocketData } from "./gateway-connection.ts";
import { DispatchFaults } from "./gateway-faults.ts";
import { isWanted, type PrivilegedIntents, withoutContent } from "./gateway-intents.ts";
import { guildCreatePayload, readyPayload } from "./gateway-payloads.ts";
import { receive } from "./gateway-receive.ts";
import { GatewaySession } from "./gateway-session.ts";
import type { Journal } from "./journal.ts";
import { mayView } from "./permissions.ts";
import type { SimulatedGuild, World } from "./world.ts";
import type { WorldEvent } from "./world-events.ts";

export interface GatewayNote {
  readonly kind:
    | "connected"
    | "refused"
    | "identify"
    | "ready"
    | "resume"
    | "resumed"
    | "invalid_session"
    | "heartbeat"
    | "members_requested"
    | "closed";
  readonly sessionId: string | null;
  readonly shardId: number | null;
  readonly intents?: number;
  readonly sequence?: number | null;
  /** Dispatches that a resume brought. */
  readonly replayed?: number;
  readonly code?: number;
  /** People that were named in a request for members. */
  readonly named?: number;
}

export interface GatewaySettings {
  token: string;
  readonly heartbeatIntervalMs: number;
  readonly allowed: PrivilegedIntents;
  readonly startLimit: APIGatewaySessionStartLimit;
  /** Milliseconds between identifies of one concurrency bucket; 0 switches that limit off. */
  readonly identifyIntervalMs: number;
  /** How long a session waits for a resume. */
  readonly sessionTimeoutMs: number;
  readonly minimumShards: number;
  /** Set once the port is known. */
  url: string;
}

export class Gateway {
  readonly world: World;
  readonly settings: GatewaySettings;
  readonly faults = new DispatchFaults();
  readonly sessions = new Map<string, GatewaySession>();
  readonly connections = new Set<GatewayConnection>();
  readonly lastIdentify = new Map<number, number>();
  readonly #journal: Journal<GatewayNote>;
  /** How many upgrades to refuse yet. */
  refusals = 0;
  memberRefusals = 0;
  acknowledges = true;

  constructor(world: World, settings: GatewaySettings, journal: Journal<GatewayNote>) {
    this.world = world;
    this.settings = settings;
    this.#journal = journal;
  }

  note(kind: GatewayNote["kind"], session: GatewaySession | null, more: Partial<GatewayNote> = {}): void {
    this.#journal.add({ kind, sessionId: session?.id ?? null, shardId: session?.shardId ?? null, ...more });
  }

  /** Tells everyone who may hear of it. Sessions that wait for a resume hear of it then. */
  publish(event: WorldEvent): void {
    if (event.guildId !== null && !this.#reaches(event)) return;
    const botId = this.world.botUser.id;
    for (const session of this.sessions.values()) {
      if (!session.hears(event.guildId) || !isWanted(event, session.intents, botId)) continue;
      const seesContent = (session.intents & GatewayIntentBits.MessageContent) !== 0;
      session.dispatch(seesContent ? event.dispatch : withoutContent(event.dispatch, event.guildId, botId));
    }
  }

  /** Tells of a guild that the bot has come into, or that is back after an outage. */
  announce(guild: SimulatedGuild): void {
    for (const session of this.sessions.values()) {
      if (!session.hears(guild.id) || (session.intents & GatewayIntentBits.Guilds) === 0) continue;
      session.dispatch({ t: Events.GuildCreate, d: guildCreatePayload(this.world, guild, session) });
    }
  }

  open(socket: ServerWebSocket<SocketData>): void {
    const connection = new GatewayConnection(socket);
    socket.data.connection = connection;
    this.connections.add(connection);
    this.note("connected", null);
    if (socket.data.version !== "10" || socket.data.encoding !== "json") {
      const isVersion = socket.data.version !== "10";
      connection.close(isVersion ? 4012 : 4002, isVersion ? "Invalid API version" : "Only JSON is simulated");
      return;
    }
    this.expectHeartbeat(connection);
    const d = { heartbeat_interval: this.settings.heartbeatIntervalMs, _trace: [] };
    this.send(connection, GatewayOpcodes.Hello, d);
  }

  message(socket: ServerWebSocket<SocketData>, raw: string | Buffer): void {
    const { connection } = socket.data;
    if (connection !== null) receive(this, connection, raw);
  }

  closed(socket: ServerWebSocket<SocketData>, code: number): void {
    const { connection } = socket.data;
    if (connection !== null) this.drop(connection, code);
  }

  /** The end of a connection, whoever ended it. A client's 1000 and 1001 end the session too. */
  drop(connection: GatewayConnection, code: number): void {
    if (!this.connections.delete(connection)) return;
    connection.ended();
    const { session } = connection;
    this.note("closed", session, { code });
    if (session === null || session.connection !== connection) return;
    this.detach(session);
    if (code === 1000 || code === 1001) this.sessions.delete(session.id);
  }

  /** The session goes on without a connection, for as long as it may be resumed. */
  detach(session: GatewaySession): void {
    session.connection = null;
    session.disconnectedAt = this.world.now();
    this.faults.forget(session);
  }

  begin(connection: GatewayConnection, identify: ConstructorParameters<typeof GatewaySession>[1]): void {
    const session = new GatewaySession(this.faults, identify);
    this.sessions.set(session.id, session);
    session.connection = connection;
    connection.session = session;
    this.note("identify", session, { intents: session.intents });
    const url = `${this.settings.url}/resume`;
    session.dispatch({ t: Events.Ready, d: readyPayload(this.world, session, url, this.settings.allowed) });
    this.note("ready", session);
    if ((session.intents & GatewayIntentBits.Guilds) === 0) return;
    for (const guild of this.world.guilds.values()) {
      if (!guild.hasBot || !guild.available || !session.hears(guild.id)) continue;
      session.dispatch({ t: Events.GuildCreate, d: guildCreatePayload(this.world, guild, session) });
    }
  }

  send(connection: GatewayConnection, op: GatewayOpcodes, d: unknown): void {
    connection.send(JSON.stringify({ op, d, s: null, t: null }));
  }

  /** Two intervals without a heartbeat end the connection and its session. */
  expectHeartbeat(connection: GatewayConnection): void {
    if (connection.heartbeatTimer !== null) clearTimeout(connection.heartbeatTimer);
    connection.heartbeatTimer = setTimeout(() => {
      if (connection.session !== null) this.sessions.delete(connection.session.id);
      connection.close(4009, "Session timed out");
    }, this.settings.heartbeatIntervalMs * 2);
    connection.heartbeatTimer.unref();
  }

  endEverything(): void {
    for (const connection of [...this.connections]) connection.terminate();
    this.connections.clear();
    this.sessions.clear();
  }

  #reaches({ guildId, channelId }: WorldEvent): boolean {
    const guild = this.world.guilds.get(guildId ?? "");
    if (guild === undefined || !guild.hasBot) return guild === undefined;
    if (channelId === undefined) return true;
    const channel = this.world.channel(channelId);
    return channel !== null && mayView(this.world, channel, this.world.botUser.id);
  }
}
