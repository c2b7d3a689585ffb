import type { AppError } from "../errors.ts";
import { abortable } from "../waiting.ts";
import { isId } from "./fits.ts";
import { ask } from "./rest/errors.ts";

/** Who the bot is in Discord: known once Discord has been reached. */
export class Identity {
  readonly #patienceMs: number;
  readonly #signal: AbortSignal;
  readonly #found = Promise.withResolvers<string>();
  #userId: string | null = null;

  constructor(patienceMs: number, signal: AbortSignal) {
    this.#patienceMs = patienceMs;
    this.#signal = signal;
    this.#found.promise.catch(() => undefined);
  }

  get userId(): string | null {
    return this.#userId;
  }

  /** Throws AppError when Discord is not reached soon: who asks before it is told so, rather than kept waiting. */
  async wait(): Promise<string> {
    if (this.#userId !== null) return this.#userId;
    const found = (signal: AbortSignal) =>
      abortable(this.#found.promise, AbortSignal.any([signal, AbortSignal.timeout(this.#patienceMs)]));
    return await ask(this.#signal, "the bot's user", found, isId);
  }

  found(userId: string): void {
    this.#userId = userId;
    this.#found.resolve(userId);
  }

  /** Tells whoever waits why it will not be found. */
  lost(error: AppError): void {
    this.#found.reject(error);
  }
}
