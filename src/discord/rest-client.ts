import { API } from "@discordjs/core";
import { REST } from "@discordjs/rest";

/** Two clients, so that a request with an effect is never repeated by the client while a reading one may be. */
export interface RestClients {
  /** For reading. Repeats a failed request once; waits for short rate limits and refuses long ones. */
  readonly reads: API;
  /** For posting: no retries, since a 5xx or a time-out may have had its effect. Waits for rate limits. */
  readonly writes: API;
  readonly rest: REST;
  /** Ends the timers of the clients. */
  dispose(): void;
}

const timeoutMs = 10_000;
/** A tool call may wait this long in the queue of a rate limit; beyond it, whoever asked is told when to come back. */
const longestWaitMs = 5000;
/** Discord allows 50 requests a second, https://discord.com/developers/docs/topics/rate-limits#global-rate-limit */
const readsPerSecond = 30;
const writesPerSecond = 18;

export function createRestClients(token: string, apiUrl: string): RestClients {
  const reads = new REST({
    api: apiUrl,
    timeout: timeoutMs,
    retries: 1,
    globalRequestsPerSecond: readsPerSecond,
    rejectOnRateLimit: ({ retryAfter }) => retryAfter > longestWaitMs,
  }).setToken(token);
  const writes = new REST({
    api: apiUrl,
    timeout: timeoutMs,
    retries: 0,
    globalRequestsPerSecond: writesPerSecond,
  }).setToken(token);
  return {
    reads: new API(reads),
    writes: new API(writes),
    rest: reads,
    dispose() {
      for (const rest of [reads, writes]) {
        rest.clearHashSweeper();
        rest.clearHandlerSweeper();
      }
    },
  };
}
