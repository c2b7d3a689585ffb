import { DiscordAPIError } from "@discordjs/rest";
import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import { delay } from "../waiting.ts";
import type { Fits } from "./fits.ts";
import { reconnectDelay } from "./gateway/identify-guard.ts";
import { sensible } from "./rest/errors.ts";

const log = getLogger(["discord-mcp", "discord"]);

export const badToken =
  "Discord does not accept DISCORD_TOKEN: it was mistyped or reset. Make a new one in the Developer Portal, page Bot, and restart.";

/** Asks Discord again and again, ever more slowly, while it gives no answer that fits. Throws AppError when it does not accept the token. */
export async function untilAnswered<T>(
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
  fits: Fits<T>,
  { baseMs, signal }: { readonly baseMs: number; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 2; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return sensible(await run(signal), what, fits);
    } catch (error) {
      if (error instanceof DiscordAPIError && error.status === 401) {
        throw new AppError("discord_unavailable", badToken, { cause: error });
      }
      const delayMs = Math.round(reconnectDelay(failures, baseMs, Math.random()));
      log.warn("Discord could not be asked, trying again", { what, delay_ms: delayMs, error });
      await delay(delayMs, signal);
    }
  }
}
