import type { API } from "@discordjs/core";
import { DiscordAPIError } from "@discordjs/rest";
import { getLogger } from "@logtape/logtape";
import { Lru } from "../../lru.ts";
import { isChannel } from "../promised-shapes.ts";
import { ask } from "../rest/errors.ts";

const log = getLogger(["discord-mcp", "discord"]);

const knownBound = 10_000;
/** "You are opening direct messages too fast", https://discord.com/developers/docs/topics/opcodes-and-status-codes#json */
const tooFast = 40_003;

export interface DirectChannelsDeps {
  readonly api: API;
  readonly retryMs: number;
  readonly signal: AbortSignal;
  /** What was asked for is known now, or can be asked for again. */
  readonly onChange: () => void;
}

export type DirectChannel =
  | { readonly kind: "open"; readonly channelId: string }
  /** Discord does not let us write to that person. */
  | { readonly kind: "refused" };

/**
 * The direct channels of people, opened when they are first needed. Opening one that is open does no harm:
 * https://discord.com/developers/docs/resources/user#create-dm
 */
export class DirectChannels {
  readonly #deps: DirectChannelsDeps;
  readonly #known = new Lru<DirectChannel>(knownBound);
  /** People whose channel is being opened, or waited with after a failure. */
  readonly #busy = new Set<string>();

  constructor(deps: DirectChannelsDeps) {
    this.#deps = deps;
  }

  /** Null when it has to be opened first; `onChange` is called then. A refusal is told once, and tried again the next time. */
  find(userId: string): DirectChannel | null {
    const known = this.#known.get(userId) ?? null;
    if (known?.kind === "refused") this.#known.delete(userId);
    if (known === null && !this.#busy.has(userId)) void this.#open(userId);
    return known;
  }

  async #open(userId: string): Promise<void> {
    const { api, signal, retryMs, onChange } = this.#deps;
    this.#busy.add(userId);
    try {
      const { id } = await ask(
        signal,
        "direct channel",
        (s) => api.users.createDM(userId, { signal: s }),
        isChannel,
      );
      this.#known.set(userId, { kind: "open", channelId: id });
    } catch (error) {
      if (signal.aborted) return;
      if (!isRefusal(error)) {
        log.warn("a direct channel could not be opened, trying again", { error });
        const { promise, resolve } = Promise.withResolvers<void>();
        setTimeout(resolve, retryMs).unref();
        await promise;
      } else this.#known.set(userId, { kind: "refused" });
    }
    this.#busy.delete(userId);
    if (!signal.aborted) onChange();
  }
}

/** Discord does not let us write to that person, and will not the next time. */
export function isRefusal(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  if (!(cause instanceof DiscordAPIError) || cause.code === tooFast) return false;
  return cause.status === 400 || cause.status === 403 || cause.status === 404;
}
