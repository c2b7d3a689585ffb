/** What is known before an identify. Discord resets the token of a bot that identifies too often in a day. */
export interface IdentifyRecord {
  /** Identifies of the past hour, of this process and those before it. */
  readonly inLastHour: number;
  /** Milliseconds since the last of them. */
  readonly sinceLastMs: number;
  readonly shardCount: number;
  /** `session_start_limit` of GET /gateway/bot; null when it could not be asked. */
  readonly limit: { readonly remaining: number; readonly resetAfterMs: number } | null;
}

const freePerShard = 5;
const firstDelayMs = 5000;
const longestDelayMs = 10 * 60 * 1000;

/**
 * How long to wait before identifying. Five an hour and shard are free; after that the wait doubles up to ten minutes.
 * It counts from the last identify, so that processes which live for less than it do not begin it anew each, and
 * never connect. This keeps a process that crashes again and again far below the thousand of a day:
 * https://discord.com/developers/docs/events/gateway#session-start-limit-object
 */
export function identifyDelay({ inLastHour, sinceLastMs, shardCount, limit }: IdentifyRecord): {
  readonly delayMs: number;
  readonly reason: string;
} {
  if (limit !== null && limit.remaining <= 0) {
    return { delayMs: limit.resetAfterMs, reason: "Discord's daily limit of identifies is used up" };
  }
  const beyond = Math.floor(inLastHour / Math.max(1, shardCount)) - freePerShard;
  if (beyond < 0) return { delayMs: 0, reason: "" };
  const pauseMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(beyond, 20));
  // A clock that was set back since may say that the last one is still to come.
  const delayMs = Math.max(0, pauseMs - Math.max(0, sinceLastMs));
  return { delayMs, reason: `${inLastHour} identifies in the past hour: is the service crashing?` };
}

/** How long to wait before the nth connection in a row that did not become ready. */
export function reconnectDelay(failures: number, baseMs: number, jitter: number): number {
  if (failures <= 1) return 0;
  return Math.min(60_000, baseMs * 2 ** Math.min(failures - 2, 10)) * (0.75 + jitter / 2);
}
