import type { API } from "@discordjs/core";
import { getLogger } from "@logtape/logtape";
import { delay } from "../../waiting.ts";
import type { IdentifyLog } from "../ports.ts";
import { isGatewayInfo } from "../promised-shapes.ts";
import { identifyDelay, reconnectDelay } from "./identify-guard.ts";
import { IdentifyThrottle } from "./identify-throttle.ts";
import type { Shard } from "./shard.ts";
import type { GatewayTiming } from "./types.ts";

const log = getLogger(["discord-mcp", "discord"]);

const hourMs = 60 * 60 * 1000;
const askMs = 10_000;

export interface AdmissionDeps {
  readonly api: API;
  readonly identifies: IdentifyLog;
  readonly now: () => number;
  readonly timing: GatewayTiming;
  readonly maxConcurrency: number;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/** When a shard may connect, and when it may identify. */
export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #throttle: IdentifyThrottle;
  readonly #waiting = new Map<number, string>();

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
    this.#throttle = new IdentifyThrottle(deps.maxConcurrency, deps.timing.identifyMs, deps.now);
  }

  /** What is waited for, as a sentence for an operator; "" when nothing is. */
  get reason(): string {
    return this.#waiting.values().next().value ?? "";
  }

  /** Waits as long as failures before demand it. Rejects only when stopped. */
  async admit(shard: Shard): Promise<void> {
    const { timing, signal } = this.#deps;
    const delayMs = reconnectDelay(shard.failures, timing.reconnectMs, Math.random());
    if (delayMs > 0) {
      log.warn("shard waits before it connects again", {
        shard_id: shard.id,
        failures: shard.failures,
        delay_ms: Math.round(delayMs),
      });
      await delay(delayMs, signal);
    }
    if (!shard.hasSession) await this.#backOff(shard);
    signal.throwIfAborted();
  }

  async waitForIdentify(shard: Shard, signal: AbortSignal): Promise<void> {
    await this.#throttle.wait(shard.id, signal);
    // Written before it is sent: one too many costs a wait, one too few can cost the token.
    await this.#deps.identifies.record(this.#deps.now()).catch((error: unknown) => {
      log.error("an identify could not be recorded", { shard_id: shard.id, error });
    });
  }

  async #backOff(shard: Shard): Promise<void> {
    const { identifies, now, signal } = this.#deps;
    const { count, latestAt } = await identifies.since(now() - hourMs).catch((error: unknown) => {
      log.error("the log of identifies cannot be read", { error });
      return { count: 0, latestAt: null };
    });
    const limit = await this.#limit();
    const { delayMs, reason } = identifyDelay({
      inLastHour: count,
      sinceLastMs: now() - (latestAt ?? 0),
      shardCount: shard.shardCount,
      limit,
    });
    if (delayMs === 0) return;
    const seconds = Math.ceil(delayMs / 1000);
    this.#waiting.set(shard.id, `Waiting ${seconds} s before connecting to Discord: ${reason}.`);
    log.warn("backing off before an identify", { shard_id: shard.id, delay_s: seconds, reason });
    try {
      await delay(delayMs, signal);
    } finally {
      this.#waiting.delete(shard.id);
    }
  }

  async #limit() {
    const signal = AbortSignal.any([this.#deps.signal, AbortSignal.timeout(askMs)]);
    const info = await this.#deps.api.gateway.getBot({ signal }).catch(() => null);
    if (info === null || !isGatewayInfo(info)) return null;
    const { remaining, reset_after } = info.session_start_limit;
    return { remaining, resetAfterMs: reset_after };
  }
}
