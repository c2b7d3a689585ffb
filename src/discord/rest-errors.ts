import { DiscordAPIError, HTTPError, RateLimitError } from "@discordjs/rest";
import { AppError } from "../errors.ts";

/** How long one request may take, its wait in the rate-limit queue included. */
const boundMs = 20_000;

/**
 * Runs one request within its bounds and throws AppError: `not_found`, `permission_denied` (the bot's), `rate_limited`
 * (with retryAfterMs), `discord_unavailable` (5xx, network, time-out, abort) or `discord_error`.
 * The signal is raced as well as passed on: the REST client sleeps through rate limits without looking at it.
 */
export async function ask<T>(
  signal: AbortSignal,
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(boundMs)]);
  try {
    return await raceAbort(run(bound), bound);
  } catch (error) {
    throw toDiscordError(error, what);
  }
}

/** Settles as the promise does, or rejects with the signal's reason at once. */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Discord's error codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json */
export function toDiscordError(cause: unknown, what: string): AppError {
  if (cause instanceof AppError) return cause;
  if (cause instanceof RateLimitError) {
    const retryAfterMs = Math.max(1, Math.ceil(cause.retryAfter));
    const seconds = Math.ceil(retryAfterMs / 1000);
    const sentence = `Discord limits how often ${what} may be asked for; try again in ${seconds} s.`;
    return new AppError("rate_limited", sentence, { retryAfterMs, cause });
  }
  if (cause instanceof DiscordAPIError) return refusal(cause, what);
  const status = cause instanceof HTTPError ? ` (status ${cause.status})` : "";
  return new AppError(
    "discord_unavailable",
    `Discord gave no answer${status} when asked for ${what}; try again in a moment.`,
    { cause },
  );
}

function refusal(cause: DiscordAPIError, what: string): AppError {
  const { status, code } = cause;
  const data = { discord_code: code };
  if (status === 404) return new AppError("not_found", `Discord knows no such ${what}.`, { data, cause });
  if (status === 403) {
    const sentence = `The bot is not allowed to reach ${what}; somebody who manages the server can give its role access.`;
    return new AppError("permission_denied", sentence, { data, cause });
  }
  if (status === 401) {
    const sentence =
      "Discord does not accept the bot's token; the operator has to set a valid DISCORD_TOKEN and restart.";
    return new AppError("discord_unavailable", sentence, { data, cause });
  }
  if (status === 429) {
    return new AppError("rate_limited", `Discord limits how often ${what} may be asked for.`, {
      retryAfterMs: 1000,
      data,
      cause,
    });
  }
  return new AppError("discord_error", `Discord refused the request for ${what} (code ${code}).`, {
    data,
    cause,
  });
}
