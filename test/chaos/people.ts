import type { APIMessage } from "discord-api-types/v10";
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
  /** Where they have things written. */
  readonly ledgerId: string;
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
  const { userId, channelId, isDirect, ledgerId } = person;
  while (!signal.aborted) {
    if (!isDirect && random.chance(0.4)) site.say(random.pick(chatter), { userId, channelId });
    const question = { mark: ledger.newMark(), kind: random.pick(kinds), ledgerId };
    const answered = ledger.ask(question, channelId);
    const address = isDirect ? "" : `<@${botId}> `;
    const { id } = site.say(`${address}${textOf(question)} please`, { userId, channelId });
    ledger.saidAs(question.mark, id);
    await Promise.race([answered, aborted(signal)]);
    await pause(random.between(20, 400), signal);
  }
}

const pressAgainMs = 1500;

/** Says yes to a question of the bot's, again and again until its buttons are gone: a press can get lost as well. */
export async function approve({ id, referenced_message }: APIMessage, site: Site, signal: AbortSignal) {
  const userId = referenced_message?.author.id;
  if (userId === undefined) throw new Error("A question of the bot's replies to nobody.");
  while (!signal.aborted) {
    const customId = yesOf(site.discord.world.messages.get(id));
    if (customId === null) return;
    site.discord.interact.press({ userId, messageId: id, customId });
    await pause(pressAgainMs, signal);
  }
}

/** What the first button of a message says when it is pressed; null when there is none. */
export function yesOf(message: APIMessage | null): string | null {
  const [row] = message?.components ?? [];
  if (row === undefined || !("components" in row)) return null;
  const [button] = row.components;
  return button !== undefined && "custom_id" in button ? button.custom_id : null;
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
