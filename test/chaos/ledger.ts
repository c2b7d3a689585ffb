import type { APIMessage } from "discord-api-types/v10";
import { answers } from "../../src/agent/answers.ts";
import { isWhole, lastLine, linesIn, outcomeIn, type Question } from "./questions.ts";

/** A question that has been asked, and what has arrived for it. */
interface Asked {
  readonly question: Question;
  readonly channelId: string;
  readonly arrived: number[];
  /** How often it was said that it was interrupted too often. */
  givenUp: number;
  /** What the answer says of the tool that wrote. */
  outcome: ReturnType<typeof outcomeIn>;
  readonly whole: PromiseWithResolvers<void>;
  /** Of the message that asked it; null for what a program has asked. */
  messageId: string | null;
}

export interface Count {
  /** Questions with exactly one whole answer, whose tool wrote at most once. */
  readonly answered: number;
  /** Those that were interrupted too often: they have one answer, which says so. */
  readonly givenUp: readonly string[];
  /** Those of whose answer something is missing, or came in the wrong order. */
  readonly lost: readonly string[];
  /** Those of whose answer something came twice, or whose tool wrote twice. */
  readonly duplicated: readonly string[];
  /** Those who were told that something was written which was not, or the other way round. */
  readonly misled: readonly string[];
}

type Posted = Pick<APIMessage, "content" | "channel_id" | "message_reference">;

/** What people have asked and what they have got, counted where people see it: in Discord's channels. */
export class Ledger {
  readonly #asked = new Map<string, Asked>();
  #marks = 0;

  newMark(): string {
    this.#marks += 1;
    return `q${this.#marks}`;
  }

  /** Resolves when the whole answer has arrived. */
  ask(question: Question, channelId: string): Promise<void> {
    const whole = Promise.withResolvers<void>();
    this.#asked.set(question.mark, {
      question,
      channelId,
      arrived: [],
      givenUp: 0,
      outcome: null,
      whole,
      messageId: null,
    });
    return whole.promise;
  }

  saidAs(mark: string, messageId: string): void {
    const asked = this.#asked.get(mark);
    if (asked !== undefined) asked.messageId = messageId;
  }

  messageOf(mark: string): string | null {
    return this.#asked.get(mark)?.messageId ?? null;
  }

  /** A message of the bot's, as it is posted. */
  posted({ content, channel_id, message_reference }: Posted): void {
    if (content === answers.tooOften) this.#gaveUp(message_reference?.message_id ?? null);
    for (const { mark, line, words } of linesIn(content)) {
      const asked = this.#asked.get(mark);
      if (asked === undefined || asked.channelId !== channel_id)
        throw new Error(`An answer to ${mark} was posted in ${channel_id}, where nobody asked it.`);
      asked.arrived.push(line);
      asked.outcome ??= outcomeIn(words);
      if (line === lastLine(asked.question)) asked.whole.resolve();
    }
  }

  #gaveUp(messageId: string | null): void {
    for (const { question, messageId: askedBy } of this.#asked.values())
      if (askedBy === messageId) this.gaveUp(question.mark);
  }

  gaveUp(mark: string): void {
    const asked = this.#asked.get(mark);
    if (asked === undefined) throw new Error(`${mark} was given up, and nobody asked it.`);
    asked.givenUp += 1;
    asked.whole.resolve();
  }

  get size(): number {
    return this.#asked.size;
  }

  /** Those that still wait. */
  get open(): readonly string[] {
    return [...this.#asked.values()]
      .filter(({ question, arrived, givenUp }) => givenUp === 0 && !arrived.includes(lastLine(question)))
      .map(({ question }) => question.mark);
  }

  /** `entries`: how often the tool wrote for each question. */
  count(entries: ReadonlyMap<string, number>): Count {
    let answered = 0;
    const gone: string[] = [];
    const lost: string[] = [];
    const duplicated: string[] = [];
    const misled: string[] = [];
    for (const { question, arrived, givenUp, outcome } of this.#asked.values()) {
      const given = givenUp + (arrived.length > 0 ? 1 : 0);
      const cameTwice = given > 1 || new Set(arrived).size < arrived.length;
      if (cameTwice || (entries.get(question.mark) ?? 0) > 1) duplicated.push(question.mark);
      else if (givenUp === 1) gone.push(question.mark);
      else if (isWhole(question, arrived)) answered += 1;
      else lost.push(question.mark);
      if (question.kind === "write" && isUntrue(outcome, entries.get(question.mark) ?? 0))
        misled.push(question.mark);
    }
    return { answered, givenUp: gone, lost, duplicated, misled };
  }
}

function isUntrue(outcome: ReturnType<typeof outcomeIn>, written: number): boolean {
  return (outcome === "done" && written === 0) || (outcome === "refused" && written > 0);
}
