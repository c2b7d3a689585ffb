import type { Site } from "../e2e/site.ts";
import type { Ledger } from "./ledger.ts";
import { kinds, textOf } from "./questions.ts";
import type { Random } from "./random.ts";
import { botId } from "./world.ts";

/** Somebody and where they talk; what a direct message needs no mention for. */
export interface Person {
  readonly userId: string;
  readonly channelId: string;
  readonly isDirect: boolean;
}

const chatter = [
  "so I said to him",
  "did you see the game",
  "brb",
  "the wind is up again",
  "lunch?",
] as const;

/**
 * Somebody who asks, waits for the whole answer, and asks again, whether the service is there or not. Ends when told
 * so; what has been asked by then still waits for its answer.
 */
export async function talk(person: Person, site: Site, ledger: Ledger, random: Random, signal: AbortSignal) {
  const { userId, channelId, isDirect } = person;
  while (!signal.aborted) {
    if (!isDirect && random.chance(0.4)) site.say(random.pick(chatter), { userId, channelId });
    const question = { mark: ledger.newMark(), kind: random.pick(kinds) };
    const answered = ledger.ask(question, channelId);
    const address = isDirect ? "" : `<@${botId}> `;
    site.say(`${address}${textOf(question)} please`, { userId, channelId });
    await Promise.race([answered, aborted(signal)]);
    await pause(random.between(20, 400), signal);
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
