import { type SessionInfo, WebSocketShard, WebSocketShardEvents, WebSocketShardStatus } from "@discordjs/ws";
import {
  GatewayCloseCodes,
  GatewayDispatchEvents,
  type GatewayDispatchPayload,
  GatewayOpcodes,
} from "discord-api-types/v10";
import { SequenceTracker } from "./sequence.ts";
import { type ShardOptions, shardOptions } from "./shard-options.ts";

export type ShardState = "idle" | "waiting" | "connecting" | "ready" | "closed";

/** What a shard tells and asks. None of it may throw. */
export interface ShardHooks {
  /** Called before each connection; resolves when it may begin, or never when it may not. `session` null means an identify is coming. */
  admit(shard: Shard): Promise<void>;
  waitForIdentify(shard: Shard, signal: AbortSignal): Promise<void>;
  /** A promise says that the handling goes on until it settles. */
  dispatch(shard: Shard, payload: GatewayDispatchPayload): Promise<void> | undefined;
  /** The session is gone: what is stored of it is of no use. */
  sessionLost(shard: Shard): void;
  closed(shard: Shard, code: number): void;
  changed(shard: Shard): void;
}

/** After these Discord has forgotten the session: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes */
const endsSession: readonly number[] = [
  1000,
  1001,
  GatewayCloseCodes.InvalidSeq,
  GatewayCloseCodes.SessionTimedOut,
];
/** A resume address that cannot be reached this often is given up for the general one. */
const resumeAddressAttempts = 3;
/** Bun may wait for ever for the closing frame of a peer that is gone. */
const closeMs = 2000;

/**
 * One shard: the client's WebSocketShard, and what it leaves open. It keeps the session over disconnects that the client
 * takes for lost, counts failures so that reconnecting can be delayed, and can replace a client that is stuck.
 */
export class Shard {
  readonly id: number;
  readonly #hooks: ShardHooks;
  readonly #options: ShardOptions;
  #client: WebSocketShard | null = null;
  #session: SessionInfo | null = null;
  #tracker: SequenceTracker | null = null;
  #closeCode: number | null = null;
  #readyAt = 0;
  state: ShardState = "idle";
  /** Connections in a row that did not become ready, or not for long. */
  failures = 0;
  latencyMs: number | null = null;
  /** When it was last heard of, and when the present state began; milliseconds since 1970. */
  lastSignAt = 0;
  stateSince = 0;

  constructor(id: number, options: ShardOptions, hooks: ShardHooks) {
    this.id = id;
    this.#options = options;
    this.#hooks = hooks;
  }

  get hasSession(): boolean {
    return this.#session !== null;
  }

  get shardCount(): number {
    return this.#options.shardCount;
  }

  /** What may be stored: the session with the sequence up to which everything is handled. Null when none may be. */
  get checkpoint(): (SessionInfo & { readonly sequence: number }) | null {
    if (this.#session === null || this.#tracker === null) return null;
    const { handled } = this.#tracker;
    return handled === null ? null : { ...this.#session, sequence: handled };
  }

  /** Where this process resumes. */
  get #resumption(): SessionInfo | null {
    if (this.#session === null || this.#tracker === null) return this.#session;
    return { ...this.#session, sequence: this.#tracker.complete };
  }

  /** Begins with a session of an earlier process, or null to identify. */
  start(stored: SessionInfo | null): void {
    this.#session = stored;
    this.#tracker = stored === null ? null : new SequenceTracker(stored.sessionId, stored.sequence);
    this.#connect();
  }

  /** Drops a client that is stuck, without waiting for it, and connects anew with the session there is. */
  replace(keepSession: boolean): void {
    const former = this.#client;
    this.#client = null;
    if (!keepSession) this.#forget();
    void this.#end(former, 4200);
    this.#connect();
  }

  /** Asks for members of a guild, who come in chunks with that nonce, or not. */
  requestMembers(guildId: string, userIds: readonly string[], nonce: string): void {
    const d = { guild_id: guildId, user_ids: [...userIds], nonce };
    // Whoever waits for the chunk notices that it does not come.
    this.#client?.send({ op: GatewayOpcodes.RequestGuildMembers, d }).catch(() => undefined);
  }

  /** 4200 leaves the session resumable, 1000 ends it. Resolves when the connection is closed, or cannot be. */
  async close(code: 4200 | 1000): Promise<void> {
    const former = this.#client;
    this.#client = null;
    await this.#end(former, code);
    this.#enter("closed");
  }

  #connect(): void {
    const client = new WebSocketShard(
      {
        options: shardOptions(this.#options),
        retrieveSessionInfo: async () => {
          if (client.status === WebSocketShardStatus.Idle) await this.#admit(client);
          return this.#resumption;
        },
        updateSessionInfo: (_shardId, info) => this.#update(client, info),
        waitForIdentify: (_shardId, signal) => this.#waitForIdentify(signal),
      },
      this.id,
    );
    this.#client = client;
    this.#listen(client);
    // Rejects only when a listener is removed in the meantime; the state tells how it went.
    client.connect().catch(() => undefined);
  }

  /** A client that has been replaced, and wakes up to connect again, is kept waiting for ever. */
  async #admit(client: WebSocketShard): Promise<void> {
    if (client !== this.#client) await new Promise<never>(() => undefined);
    const livedMs = this.#readyAt === 0 ? 0 : this.#options.now() - this.#readyAt;
    if (livedMs > this.#options.steadyMs) this.failures = 0;
    this.#readyAt = 0;
    this.#enter("waiting");
    await this.#hooks.admit(this);
    if (client !== this.#client) await new Promise<never>(() => undefined);
    this.failures += 1;
    this.#closeCode = null;
    if (this.#session !== null && this.failures > resumeAddressAttempts) {
      this.#session = { ...this.#session, resumeURL: this.#options.gateway.url };
    }
    this.#enter("connecting");
  }

  async #waitForIdentify(signal: AbortSignal): Promise<void> {
    this.#enter("waiting");
    await this.#hooks.waitForIdentify(this, signal);
    this.#enter("connecting");
  }

  #listen(client: WebSocketShard): void {
    const whileCurrent =
      <Values extends unknown[]>(listener: (...values: Values) => void) =>
      (...values: Values) => {
        if (client === this.#client) listener(...values);
      };
    client.on(
      WebSocketShardEvents.Dispatch,
      whileCurrent((payload) => this.#dispatch(payload)),
    );
    client.on(
      WebSocketShardEvents.HeartbeatComplete,
      whileCurrent(({ latency }) => {
        this.latencyMs = latency;
        this.#heard();
        this.#hooks.changed(this);
      }),
    );
    client.on(
      WebSocketShardEvents.Closed,
      whileCurrent((code) => {
        this.#closeCode = code;
        this.latencyMs = null;
        this.#enter("idle");
        this.#hooks.closed(this, code);
      }),
    );
    // An emitter without a listener for errors throws; what they mean comes with the close code.
    client.on(WebSocketShardEvents.Error, () => undefined);
    client.on(WebSocketShardEvents.SocketError, () => undefined);
  }

  #dispatch(payload: GatewayDispatchPayload): void {
    this.#heard();
    if (payload.t === GatewayDispatchEvents.Ready || payload.t === GatewayDispatchEvents.Resumed) {
      this.#readyAt = this.#options.now();
      this.#enter("ready");
    }
    const tracker = this.#tracker;
    const going = this.#hooks.dispatch(this, payload);
    if (going === undefined) {
      tracker?.passed(payload.s);
      return;
    }
    tracker?.begin(payload.s);
    void going.then(() => tracker?.end(payload.s));
  }

  /** The client gives null whenever it connects without resuming, a broken network included. */
  #update(client: WebSocketShard, info: SessionInfo | null): void {
    if (client !== this.#client) return;
    if (info !== null) {
      if (info.sessionId !== this.#tracker?.sessionId) {
        this.#tracker = new SequenceTracker(info.sessionId, info.sequence);
      }
      this.#session = info;
      return;
    }
    const wasRefused = this.#closeCode === null && client.status !== WebSocketShardStatus.Connecting;
    if (wasRefused || endsSession.includes(this.#closeCode ?? 0)) this.#forget();
  }

  #forget(): void {
    if (this.#session === null) return;
    this.#session = null;
    this.#tracker = null;
    this.#hooks.sessionLost(this);
  }

  async #end(client: WebSocketShard | null, code: number): Promise<void> {
    if (client === null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, closeMs);
    const ended = client.destroy({ code, reason: "The service goes" }).catch(() => undefined);
    await Promise.race([ended, promise]);
    clearTimeout(timer);
  }

  #heard(): void {
    this.lastSignAt = this.#options.now();
  }

  #enter(state: ShardState): void {
    this.state = state;
    this.stateSince = this.#options.now();
    this.#hooks.changed(this);
  }
}
