import { API } from "@discordjs/core";
import { DiscordAPIError, REST, type RESTOptions } from "@discordjs/rest";
import {
  type CompressionMethod,
  type SessionInfo,
  WebSocketManager,
  WebSocketShardEvents,
} from "@discordjs/ws";
import { type GatewayDispatchPayload, GatewayIntentBits } from "discord-api-types/v10";
import type { DiscordSimulator } from "../../../src/simulator/discord/simulator.ts";

export const allIntents =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMembers |
  GatewayIntentBits.GuildPresences |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.GuildMessageReactions |
  GatewayIntentBits.GuildMessageTyping |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.MessageContent;

export function restClient(simulator: DiscordSimulator, options: Partial<RESTOptions> = {}): REST {
  return new REST({ api: simulator.apiUrl, retries: 0, ...options }).setToken(simulator.token);
}

export function api(simulator: DiscordSimulator, options: Partial<RESTOptions> = {}): API {
  return new API(restClient(simulator, options));
}

export interface GatewayClient extends AsyncDisposable {
  readonly manager: WebSocketManager;
  readonly events: readonly GatewayDispatchPayload[];
  readonly errors: readonly Error[];
  /** The session as the client stores it, by shard. */
  readonly sessions: Map<number, SessionInfo>;
  next(predicate: (event: GatewayDispatchPayload) => boolean): Promise<GatewayDispatchPayload>;
  /** Ends with a code; 4200 leaves the session resumable. */
  stop(code?: number): Promise<void>;
}

export interface GatewayClientOptions {
  readonly intents?: number;
  readonly compression?: CompressionMethod | null;
  readonly token?: string;
  readonly sessions?: Map<number, SessionInfo>;
  readonly shardCount?: number;
}

export interface RawFrame {
  readonly op: number;
  readonly s: number | null;
  readonly t: string | null;
  readonly d: unknown;
}

/** A bare socket, for what the real client would never send. */
export interface RawSocket {
  send(op: number, d: unknown): void;
  sendText(text: string): void;
  /** The first frame, past or to come, that fits. */
  frame(predicate: (frame: RawFrame) => boolean): Promise<RawFrame>;
  readonly closed: Promise<number>;
  close(code: number): void;
}

export function rawSocket(simulator: DiscordSimulator, query = "v=10&encoding=json"): RawSocket {
  const socket = new WebSocket(`${simulator.gatewayUrl}?${query}`);
  const frames: RawFrame[] = [];
  const waiters = new Set<() => void>();
  const opened = new Promise<void>((resolve) => socket.addEventListener("open", () => resolve()));
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener("close", (event) => resolve(event.code)),
  );
  socket.addEventListener("message", (event) => {
    frames.push(JSON.parse(String(event.data)));
    for (const waiter of [...waiters]) waiter();
  });
  return {
    send: (op, d) => void opened.then(() => socket.send(JSON.stringify({ op, d }))),
    sendText: (text) => void opened.then(() => socket.send(text)),
    frame: (predicate) =>
      new Promise((resolve) => {
        const look = () => {
          const found = frames.find(predicate);
          if (found === undefined) return;
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        look();
      }),
    closed,
    close: (code) => socket.close(code),
  };
}

export function identifyData(simulator: DiscordSimulator, more: object = {}): object {
  const properties = { os: "linux", browser: "test", device: "test" };
  return { token: simulator.token, intents: allIntents, properties, ...more };
}

/** The real gateway client against the simulator. Not connected yet: `manager.connect()`. */
export function gatewayClient(
  simulator: DiscordSimulator,
  options: GatewayClientOptions = {},
): GatewayClient {
  const rest = restClient(simulator);
  const events: GatewayDispatchPayload[] = [];
  const errors: Error[] = [];
  const waiters = new Set<(event: GatewayDispatchPayload) => void>();
  const sessions = options.sessions ?? new Map<number, SessionInfo>();
  const manager = new WebSocketManager({
    token: options.token ?? simulator.token,
    intents: options.intents ?? allIntents,
    rest,
    compression: options.compression ?? null,
    shardCount: options.shardCount ?? 1,
    // The client's own throttler waits five seconds between identifies.
    buildIdentifyThrottler: () => ({ waitForIdentify: async () => {} }),
    retrieveSessionInfo: (shardId) => sessions.get(shardId) ?? null,
    updateSessionInfo: (shardId, session) => {
      if (session === null) sessions.delete(shardId);
      else sessions.set(shardId, session);
    },
  });
  manager.on(WebSocketShardEvents.Dispatch, (event) => {
    events.push(event);
    for (const waiter of waiters) waiter(event);
  });
  manager.on(WebSocketShardEvents.Error, (error) => void errors.push(error));
  return {
    manager,
    events,
    errors,
    sessions,
    next(predicate) {
      const past = events.find(predicate);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve) => {
        const waiter = (event: GatewayDispatchPayload) => {
          if (!predicate(event)) return;
          waiters.delete(waiter);
          resolve(event);
        };
        waiters.add(waiter);
      });
    },
    async stop(code = 1000) {
      await manager.destroy({ code });
    },
    [Symbol.asyncDispose]: async () => {
      await manager.destroy({ code: 1000 });
    },
  };
}

/** The error that Discord answered with. Fails when it answered with none. */
export async function refusal(attempt: Promise<unknown>): Promise<DiscordAPIError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof DiscordAPIError) return error;
    throw error;
  }
  throw new Error("It was not refused");
}
