import { API } from "@discordjs/core";
import { DefaultRestOptions, REST, type RESTOptions } from "@discordjs/rest";
import { fly, isFollowed } from "./flight.ts";

/** Two clients, so that a request with an effect is never repeated by the client while a reading one may be. */
export interface RestClients {
  /** For reading. Repeats a failed request once; waits for short rate limits and refuses long ones. */
  readonly reads: API;
  /**
   * For changing: no retries, since a 5xx or a time-out may have had its effect. Waits for rate limits; for long ones
   * only on behalf of a queue of ours, not while somebody waits for the answer (`follow`).
   */
  readonly writes: API;
  readonly rest: REST;
  /** Ends the timers of the clients. */
  dispose(): void;
}

/** Requests of each client. */
export interface RestPace {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

const timeoutMs = 10_000;
/** A tool call may wait this long in the queue of a rate limit; beyond it, whoever asked is told when to come back. */
const longestWaitMs = 5000;
/** Discord allows 50 requests a second, https://discord.com/developers/docs/topics/rate-limits#global-rate-limit */
export const restPace: RestPace = { readsPerSecond: 30, writesPerSecond: 18 };

/** `onTime` hears when Discord gave an answer, by its own clock, in milliseconds since 1970. */
export function createRestClients(
  token: string,
  apiUrl: string,
  { readsPerSecond, writesPerSecond } = restPace,
  onTime: (time: number) => void = () => {},
): RestClients {
  const timed =
    (send: RESTOptions["makeRequest"]): RESTOptions["makeRequest"] =>
    async (url, init) => {
      const response = await send(url, init);
      // https://www.rfc-editor.org/rfc/rfc9110#field.date
      onTime(Date.parse(response.headers.get("date") ?? ""));
      return response;
    };
  const reads = new REST({
    api: apiUrl,
    timeout: timeoutMs,
    retries: 1,
    globalRequestsPerSecond: readsPerSecond,
    rejectOnRateLimit: ({ retryAfter }) => retryAfter > longestWaitMs,
    makeRequest: timed(DefaultRestOptions.makeRequest),
  }).setToken(token);
  const writes = new REST({
    api: apiUrl,
    timeout: timeoutMs,
    retries: 0,
    globalRequestsPerSecond: writesPerSecond,
    rejectOnRateLimit: ({ retryAfter }) => isFollowed() && retryAfter > longestWaitMs,
    makeRequest: timed(sendOnce),
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

/**
 * Bun's fetch itself repeats a PUT or DELETE (not a POST or PATCH) when a kept connection is cut before an answer: a
 * deletion that took effect would then be told as "no such message". A connection of its own has no repeat.
 */
const sendOnce: RESTOptions["makeRequest"] = async (url, init) => {
  // Given up before it left: so it does not count as sent.
  init.signal?.throwIfAborted();
  const isRepeated = init.method === "PUT" || init.method === "DELETE";
  const once = isRepeated ? { ...init, keepalive: false } : init;
  return await fly(() => DefaultRestOptions.makeRequest(url, once));
};
