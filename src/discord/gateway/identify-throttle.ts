import { delay } from "../../waiting.ts";

/** Lets shards of one concurrency bucket identify one after the other: https://discord.com/developers/docs/events/gateway#sharding-max-concurrency */
export class IdentifyThrottle {
  readonly #maxConcurrency: number;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #free = new Map<number, number>();

  constructor(maxConcurrency: number, intervalMs: number, now: () => number) {
    this.#maxConcurrency = Math.max(1, maxConcurrency);
    this.#intervalMs = intervalMs;
    this.#now = now;
  }

  /** Rejects with the signal's reason when that fires first; the turn it had is then lost, which only costs time. */
  async wait(shardId: number, signal: AbortSignal): Promise<void> {
    const bucket = shardId % this.#maxConcurrency;
    const now = this.#now();
    const at = Math.max(now, this.#free.get(bucket) ?? 0);
    this.#free.set(bucket, at + this.#intervalMs);
    if (at > now) await delay(at - now, signal);
  }
}
