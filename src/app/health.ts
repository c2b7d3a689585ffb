import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import type { DiscordStatus } from "../discord/gateway/types.ts";
import type { HealthPort } from "../http/ports.ts";
import type { Memory } from "../memory/memory.ts";
import type { Metrics } from "../metrics.ts";

export interface HealthSources {
  readonly config: Config;
  readonly memory: Pick<Memory, "ping" | "schemaVersion">;
  readonly turns: Pick<TurnService, "stats">;
  readonly discord: () => DiscordStatus;
  readonly draining: () => boolean;
  readonly version: string;
}

/**
 * How the service stands. Ready means that requests can be served: the database answers and nothing drains.
 * Discord's or Claude's absence makes it no less ready, since another process would not have them either.
 */
export function createHealth(sources: HealthSources): HealthPort {
  const { config, memory, turns, discord, draining, version } = sources;
  return {
    async report() {
      const database = memory.ping();
      return {
        ready: database && !draining(),
        details: {
          version,
          draining: draining(),
          database: { answers: database, schema_version: memory.schemaVersion },
          discord: wireStatus(discord()),
          model: { name: config.model.name, has_key: config.model.apiKey !== null },
          turns: turns.stats(),
        },
      };
    },
  };
}

function wireStatus({ state, reason, shards, intents }: DiscordStatus) {
  return {
    state,
    reason,
    shards: shards.map(({ id, state: shard, latencyMs }) => ({ id, state: shard, latency_ms: latencyMs })),
    intents: {
      message_content: intents.messageContent,
      members: intents.members,
      presences: intents.presences,
    },
  };
}

/** Gauges that are read when somebody asks for the metrics, not kept up in between. */
export function refreshGauges(
  { gauges }: Metrics,
  now: {
    readonly stats: ReturnType<TurnService["stats"]>;
    readonly discord: DiscordStatus;
    readonly connections: number;
    readonly sessions: number;
  },
): void {
  gauges.turnsRunning.set(now.stats.running);
  gauges.turnsWaiting.set(now.stats.waiting);
  gauges.connections.set(now.connections);
  gauges.activeSessions.set(now.sessions);
  const ready = now.discord.shards.filter(({ state }) => state === "ready");
  gauges.gatewayReady.set(ready.length);
  gauges.gatewayLatency.set(Math.max(0, ...ready.map(({ latencyMs }) => latencyMs ?? 0)) / 1000);
}
