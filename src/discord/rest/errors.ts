import { DiscordAPIError, HTTPError, RateLimitError } from "@discordjs/rest";
import { AppError } from "../../errors.ts";
import type { Change } from "../../tools/discord-port.ts";
import { abortable } from "../../waiting.ts";
import { type Fits, isAnything } from "../fits.ts";
import { badToken, refusal } from "./discord-refusals.ts";
import { Flight, follow } from "./flight.ts";

/** How long one request may take, its wait in the rate-limit queue included. */
const boundMs = 20_000;
/** https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-audit-log-entry-structure */
const reasonBound = 512;

/**
 * Runs one request within its bounds and throws AppError: `not_found`, `permission_denied` (the bot's), `rate_limited`
 * (with retryAfterMs), `discord_unavailable` (5xx, network, time-out, abort) or `discord_error`.
 * What does not fit is a `discord_error`.
 * The signal is raced as well as passed on: the REST client sleeps through rate limits without looking at it.
 */
export async function ask<T>(
  signal: AbortSignal,
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
  fits: Fits<T>,
): Promise<T> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(boundMs)]);
  try {
    return sensible(await abortable(run(bound), bound), what, fits);
  } catch (error) {
    throw toDiscordError(error, what);
  }
}

/** The answer itself. Throws AppError `discord_error` when it does not fit. */
export function sensible<T>(answer: T, what: string, fits: Fits<T>): T {
  if (fits(answer)) return answer;
  throw new AppError(
    "discord_error",
    `Discord's answer about ${what} makes no sense; try again in a moment.`,
  );
}

/** What a method of the client takes besides its body. */
export interface WriteOptions {
  readonly signal: AbortSignal;
  readonly reason?: string;
}

/**
 * Runs one request that changes something, once. Throws as `ask` does when it had no effect for certain: Discord
 * refused it, or it never left. Throws `outcome_unknown` when it left and no answer says what became of it.
 * `what` is the thing that is changed, `did` what Discord has perhaps done, such as "deleted the message".
 */
export async function tell<T>(
  change: Change,
  what: string,
  did: string,
  run: (options: WriteOptions) => Promise<T>,
  fits: Fits<T> = isAnything,
): Promise<T> {
  const bound = AbortSignal.any([change.signal, AbortSignal.timeout(boundMs)]);
  const reason = change.reason === undefined ? "" : cutReason(change.reason);
  const options = { signal: bound, ...(reason === "" ? {} : { reason }) };
  const flight = new Flight();
  try {
    bound.throwIfAborted();
    const answer = await abortable(
      follow(flight, () => run(options)),
      bound,
    );
    if (!fits(answer)) throw new Error("What Discord answered makes no sense.");
    return answer;
  } catch (error) {
    throw toWriteError(error, what, did, flight);
  }
}

/** Well-formed, since it is percent-encoded, and never half a character at its end. */
function cutReason(reason: string): string {
  const cut = reason.slice(0, reasonBound);
  const isHalved = reason.length > reasonBound && /[\uD800-\uDBFF]$/.test(cut);
  return (isHalved ? cut.slice(0, -1) : cut).toWellFormed().trim();
}

export function toDiscordError(cause: unknown, what: string): AppError {
  if (cause instanceof AppError) return cause;
  if (cause instanceof RateLimitError) {
    const retryAfterMs = Math.max(1, Math.ceil(cause.retryAfter));
    const seconds = Math.ceil(retryAfterMs / 1000);
    const sentence = `Discord limits how often ${what} may be asked for; try again in ${seconds} s.`;
    return new AppError("rate_limited", sentence, { retryAfterMs, cause });
  }
  if (cause instanceof DiscordAPIError) return refusal(cause, what);
  if (isWithoutToken(cause)) return badToken(cause);
  const status = cause instanceof HTTPError ? ` (status ${cause.status})` : "";
  return new AppError(
    "discord_unavailable",
    `Discord gave no answer${status} when asked for ${what}; try again in a moment.`,
    { cause },
  );
}

/** The client forgets a token that Discord has refused, and then has none for the next request. */
function isWithoutToken(cause: unknown): boolean {
  return cause instanceof Error && cause.message.startsWith("Expected token to be set");
}

/** A cause may be an AppError with which the caller gave up: what had left by then is unknown all the same. */
function toWriteError(cause: unknown, what: string, did: string, flight: Flight): AppError {
  const isAnswer = cause instanceof DiscordAPIError && cause.status !== 408;
  if (isAnswer || flight.stage !== "sent" || isUnsent(cause)) {
    if (flight.stage !== "refused" || isAnswer) return toDiscordError(cause, what);
    return new AppError("discord_error", `Discord refused the request for ${what}.`, { cause });
  }
  const status = cause instanceof HTTPError ? ` (status ${cause.status})` : "";
  return new AppError(
    "outcome_unknown",
    `Discord gave no clear answer${status}, so it cannot be told whether it has ${did}; look before you try again.`,
    { cause },
  );
}

/** No connection was made, so nothing can have left. */
const unsent = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ConnectionRefused", "FailedToOpenSocket"];

function isUnsent(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && unsent.some((code) => code === cause.code);
}
