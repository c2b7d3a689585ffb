import type { API } from "@discordjs/core";
import type { GatewayDispatchPayload } from "discord-api-types/v10";
import type { Config } from "../../config.ts";
import type { AppError } from "../../errors.ts";
import type { Metrics } from "../../metrics.ts";
import type { GatewaySessions, IdentifyLog } from "../ports.ts";
import type { ShardState } from "./shard.ts";

/** Times in milliseconds; the defaults are for Discord itself. */
export interface GatewayTiming {
  /** Between the first failed connections; doubles. */
  readonly reconnectMs: number;
  /** Between identifies of one concurrency bucket, https://discord.com/developers/docs/events/gateway#rate-limiting */
  readonly identifyMs: number;
  readonly steadyMs: number;
  /** What a shard told is trusted for so long after it was last heard of; heartbeats come every 41 s. */
  readonly trustMs: number;
  /** A shard that is silent, or does not get ready, for so long is replaced. */
  readonly stuckMs: number;
  readonly watchMs: number;
}

export const gatewayTiming: GatewayTiming = {
  reconnectMs: 1000,
  identifyMs: 5000,
  steadyMs: 5000,
  trustMs: 60_000,
  stuckMs: 150_000,
  watchMs: 15_000,
};

export interface GatewayEvents {
  /** A promise says that the handling goes on until it settles; it must not reject. */
  dispatch(shardId: number, payload: GatewayDispatchPayload): Promise<void> | undefined;
  /** A shard began a new session instead of going on with one: events may have been missed. Called before its READY is dispatched. */
  sessionBegan(shardId: number, shardCount: number): void;
  /** The gateway cannot go on until an operator acts. */
  fatal(error: AppError): void;
}

export interface GatewayDeps {
  readonly config: Config["discord"] & { readonly token: string };
  readonly api: API;
  readonly sessions: GatewaySessions;
  readonly identifies: IdentifyLog;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly timing: GatewayTiming;
  readonly events: GatewayEvents;
}

export interface DiscordStatus {
  /** `waiting`: before a connection is allowed again. `degraded`: ready, without intents that were asked for. */
  readonly state: "off" | "connecting" | "waiting" | "ready" | "degraded" | "failed" | "closed";
  /** One sentence for an operator; "" when all is well. */
  readonly reason: string;
  readonly shards: readonly {
    readonly id: number;
    readonly state: ShardState;
    readonly latencyMs: number | null;
  }[];
  readonly intents: {
    readonly messageContent: boolean;
    readonly members: boolean;
    readonly presences: boolean;
  };
}
