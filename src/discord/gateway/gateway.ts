import { getLogger } from "@logtape/logtape";
import {
  type APIGatewayBotInfo,
  GatewayCloseCodes as Codes,
  GatewayDispatchEvents as Events,
} from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { shardOf } from "../../snowflake.ts";
import { isGatewayInfo } from "../promised-shapes.ts";
import { badToken, untilAnswered } from "../until-answered.ts";
import { Admission } from "./admission.ts";
import {
  grantedIntents,
  intentBits,
  missingSwitches,
  type PrivilegedIntents,
  wantsPrivileged,
} from "./intents.ts";
import { Shard, type ShardHooks } from "./shard.ts";
import type { DiscordStatus, GatewayDeps } from "./types.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** Close codes after which only an operator can help: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes */
const fatalSentences: Partial<Record<number, string>> = {
  [Codes.AuthenticationFailed]: badToken,
  [Codes.InvalidShard]: "Discord refused the shard: set DISCORD_SHARDS to auto and restart.",
  [Codes.ShardingRequired]:
    "The bot is in too many servers for this number of shards: set DISCORD_SHARDS to auto, or to more, and restart.",
  [Codes.InvalidAPIVersion]: "Discord no longer speaks this version of its gateway: update discord-mcp.",
  [Codes.InvalidIntents]: "Discord does not know the intents that were asked for: update discord-mcp.",
  [Codes.DisallowedIntents]:
    "Discord refuses even the ordinary intents: check the application in the Developer Portal.",
};

/** All shards of the bot in this process: connects, goes on with stored sessions, and says how it stands. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #stop = new AbortController();
  readonly #shards: Shard[] = [];
  readonly #stored = new Map<number, string>();
  #granted: PrivilegedIntents;
  #failure: AppError | null = null;
  #admission: Admission | null = null;
  #watch: ReturnType<typeof setInterval> | null = null;
  #isNarrowing = false;
  readonly #ready = Promise.withResolvers<void>();

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#granted = deps.config.privilegedIntents;
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves when all shards are ready for the first time; rejects with what makes that impossible. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get intents(): PrivilegedIntents {
    return this.#granted;
  }

  get shardCount(): number {
    return Math.max(1, this.#shards.length);
  }

  /** Whether all that happens in this guild has been heard of until just now. */
  isTrusted(guildId: string): boolean {
    const shard = this.#shards[shardOf(guildId, this.shardCount)];
    return shard?.state === "ready" && this.#deps.now() - shard.lastSignAt < this.#deps.timing.trustMs;
  }

  /** Asks for members of a guild, who come in chunks with that nonce, or not. */
  requestMembers(guildId: string, userIds: readonly string[], nonce: string): void {
    this.#shards[shardOf(guildId, this.shardCount)]?.requestMembers(guildId, userIds, nonce);
  }

  /** Resolves when every shard has begun to connect. Throws what an operator has to mend, and when it is closed meanwhile. */
  async start(): Promise<void> {
    const { api, config, timing, identifies, now } = this.#deps;
    const { signal } = this.#stop;
    const info = await untilAnswered("gateway", (s) => api.gateway.getBot({ signal: s }), isGatewayInfo, {
      baseMs: timing.reconnectMs,
      signal,
    });
    const maxConcurrency = info.session_start_limit.max_concurrency;
    this.#admission = new Admission({ api, identifies, now, timing, maxConcurrency, signal });
    await this.#spawn(info, config.shards === "auto" ? info.shards : config.shards);
    this.#watch = setInterval(() => this.#replaceStuck(), timing.watchMs);
    this.#watch.unref();
  }

  /** Stores how far each shard has come. An older sequence is safe, so this is called in batches. */
  async checkpoint(): Promise<void> {
    for (const shard of this.#shards) {
      const session = shard.checkpoint;
      if (session === null) continue;
      const { sessionId, sequence, resumeURL: resumeUrl, shardCount } = session;
      const key = `${sessionId} ${sequence} ${resumeUrl}`;
      if (this.#stored.get(shard.id) === key) continue;
      await this.#deps.sessions.set({ shardId: shard.id, shardCount, sessionId, resumeUrl, sequence });
      this.#stored.set(shard.id, key);
    }
  }

  status(): DiscordStatus {
    const shards = this.#shards.map(({ id, state, latencyMs }) => ({ id, state, latencyMs }));
    const of = (state: DiscordStatus["state"], reason: string): DiscordStatus => {
      return { state, reason, shards, intents: this.#granted };
    };
    if (this.#failure !== null) return of("failed", this.#failure.message);
    if (this.#stop.signal.aborted) return of("closed", "");
    const waiting = this.#admission?.reason ?? "";
    if (waiting !== "") return of("waiting", waiting);
    if (shards.length === 0 || shards.some(({ state }) => state !== "ready")) return of("connecting", "");
    const missing = missingSwitches(this.#deps.config.privilegedIntents, this.#granted);
    if (missing.length === 0) return of("ready", "");
    return of("degraded", `Switched off in the Developer Portal: ${missing.join(", ")}.`);
  }

  /** Nothing connects any more until a restart; the rest of the service goes on. */
  fail(error: AppError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    log.fatal("{sentence}", { sentence: error.message });
    this.#ready.reject(error);
    this.#deps.events.fatal(error);
  }

  /** Ends all connections: resumable by a later process, or not. What is checkpointed afterwards still counts. */
  async close({ resumable }: { readonly resumable: boolean }): Promise<void> {
    if (this.#watch !== null) clearInterval(this.#watch);
    const gone = new AppError("shutting_down", "The service is going down; try again in a minute.");
    this.#stop.abort(gone);
    this.#ready.reject(gone);
    await Promise.all(this.#shards.map((shard) => shard.close(resumable ? 4200 : 1000)));
    if (!resumable) for (const { id } of this.#shards) await this.#deps.sessions.clear(id);
  }

  async #spawn(gateway: APIGatewayBotInfo, shardCount: number): Promise<void> {
    const { config, now, timing, sessions } = this.#deps;
    const { token } = config;
    const { steadyMs } = timing;
    const intents = () => intentBits(this.#granted);
    for (let id = 0; id < shardCount; id += 1) {
      this.#shards.push(new Shard(id, { token, intents, shardCount, gateway, steadyMs, now }, this.#hooks()));
    }
    for (const shard of this.#shards) {
      const stored = await sessions.get(shard.id);
      const isUsable = stored !== null && stored.shardCount === shardCount;
      if (stored !== null && !isUsable) await sessions.clear(shard.id);
      if (this.#stop.signal.aborted) return;
      shard.start(isUsable ? { ...stored, resumeURL: stored.resumeUrl } : null);
    }
  }

  #hooks(): ShardHooks {
    const { metrics, events } = this.#deps;
    return {
      admit: (shard) => this.#admit(shard),
      waitForIdentify: async (shard, signal) => this.#admission?.waitForIdentify(shard, signal),
      dispatch: (shard, payload) => {
        metrics.gatewayEvent(payload.t);
        if (payload.t === Events.Ready) {
          log.info("shard ready with a new session", { shard_id: shard.id });
          events.sessionBegan(shard.id, shard.shardCount);
        } else if (payload.t === Events.Resumed) {
          log.info("shard resumed its session", { shard_id: shard.id });
        }
        try {
          return events.dispatch(shard.id, payload);
        } catch (error) {
          // What one dispatch is made of must not end the process: the next one, and a resume, would bring it again.
          metrics.discordFailure("dispatch");
          log.error("a dispatch makes no sense and is passed over", { type: payload.t, error });
          return undefined;
        }
      },
      sessionLost: (shard) => void this.#clearStored(shard),
      closed: (shard, code) => this.#closed(shard, code),
      changed: () => this.#measure(),
    };
  }

  /** Never rejects, and never resolves once the gateway is to stay down. */
  async #admit(shard: Shard): Promise<void> {
    const isAdmitted = await this.#admission?.admit(shard).then(
      () => this.#failure === null,
      () => false,
    );
    if (!isAdmitted) await new Promise<never>(() => undefined);
  }

  #closed(shard: Shard, code: number): void {
    log.info("shard disconnected", { shard_id: shard.id, code });
    if (code === Codes.DisallowedIntents && (this.#isNarrowing || wantsPrivileged(this.#granted))) {
      if (!this.#isNarrowing) void this.#narrow();
      return;
    }
    const sentence = fatalSentences[code];
    if (sentence !== undefined) this.fail(new AppError("discord_unavailable", sentence));
  }

  /** Close code 4014: goes on with the intents that are switched on, and says which are not. */
  async #narrow(): Promise<void> {
    this.#isNarrowing = true;
    const asked = this.#granted;
    this.#granted = await grantedIntents(this.#deps.api, asked, this.#stop.signal);
    this.#isNarrowing = false;
    const switches = missingSwitches(asked, this.#granted).join(", ");
    log.warn(
      "Discord refused privileged intents; going on without them. Developer Portal, page Bot, Privileged Gateway Intents: switch on {switches} and restart, or take them out of DISCORD_INTENTS.",
      { switches },
    );
    if (this.#stop.signal.aborted) return;
    for (const shard of this.#shards) shard.replace(false);
  }

  async #clearStored(shard: Shard): Promise<void> {
    this.#stored.delete(shard.id);
    await this.#deps.sessions.clear(shard.id).catch((error: unknown) => {
      log.error("a gateway session could not be forgotten", { shard_id: shard.id, error });
    });
  }

  #replaceStuck(): void {
    const { now, timing } = this.#deps;
    if (this.#failure !== null || this.#isNarrowing) return;
    for (const shard of this.#shards) {
      if (shard.state === "waiting" || shard.state === "closed") continue;
      const since = shard.state === "ready" ? shard.lastSignAt : shard.stateSince;
      if (now() - since < timing.stuckMs) continue;
      log.warn("shard is stuck and gets a new connection", { shard_id: shard.id, state: shard.state });
      shard.replace(true);
    }
  }

  #measure(): void {
    const { gauges } = this.#deps.metrics;
    const ready = this.#shards.filter((shard) => shard.state === "ready").length;
    gauges.gatewayReady.set(ready);
    if (ready > 0 && ready === this.#shards.length) this.#ready.resolve();
    const slowest = Math.max(0, ...this.#shards.map((shard) => shard.latencyMs ?? 0));
    gauges.gatewayLatency.set(slowest / 1000);
  }
}
