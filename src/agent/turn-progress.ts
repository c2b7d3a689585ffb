import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import type { AppError } from "../errors.ts";
import { answers, failureAnswer, unknownOutcome } from "./answers.ts";
import type { Usage } from "./events.ts";
import type { StoredStep, TurnEnd } from "./journal.ts";
import { resultsMessage, textOf } from "./messages.ts";
import type { EndedCall } from "./run-tools.ts";
import { wasCut } from "./settle-reply.ts";
import { maxTurnTokens } from "./turn-deps.ts";
import { addUsage, freshTokens } from "./usage.ts";

/** An end of which it is not known yet where its answer may go. */
export interface Conclusion extends Omit<TurnEnd, "answerTo"> {
  /** What is left of the answer without the model's words; null where the answer is nothing else. */
  readonly ownWords: string | null;
}

/** What a turn has read, said and done so far, and the ends that it can come to. */
export class TurnProgress {
  /** The turn's own messages after the person's, as the model is given them back. */
  readonly messages: MessageParam[] = [];
  readonly #texts: string[] = [];
  readonly #unknown: string[] = [];
  readonly #sources = new Set<string>();
  /** The same and what the model was given for the step that it is at, made when it is asked for. */
  #read: readonly string[] | null = null;
  #given: readonly string[] = [];
  #usage: Usage;

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  get usage(): Usage {
    return this.#usage;
  }

  get hasSpoken(): boolean {
    return this.#texts.length > 0;
  }

  /** What the turn rests on: what its calls have read, and what of earlier turns the model was given. */
  get sources(): readonly string[] {
    return [...this.#sources];
  }

  /** What its next words may rest on, before the step that they are of is stored. */
  get read(): readonly string[] {
    this.#read ??= [...new Set([...this.#sources, ...this.#given])];
    return this.#read;
  }

  /** What the model is given of earlier turns rests on these. */
  giving(sources: readonly string[]): void {
    this.#given = sources;
    this.#read = null;
  }

  spend(usage: Usage): void {
    this.#usage = addUsage(this.#usage, usage);
  }

  said(step: StoredStep): void {
    const text = textOf(step.content);
    if (text !== "") this.#texts.push(text);
    this.messages.push({ role: "assistant", content: [...step.content] });
    this.#add(step.sources);
  }

  answered(calls: readonly EndedCall[]): void {
    if (calls.length === 0) return;
    this.messages.push(resultsMessage(calls.map((call) => call.result)));
    for (const call of calls) {
      if (call.state === "unknown") this.#unknown.push(call.toolName);
      this.#add(call.sources);
    }
  }

  #add(sources: readonly string[]): void {
    for (const source of sources) this.#sources.add(source);
    this.#read = null;
  }

  /** The last step is the answer; `note` is for the person only. */
  done(stopReason: string, note?: string): Conclusion {
    const notes = [...(note === undefined ? [] : [note]), ...this.#notes()];
    const answer = joined([...this.#texts, ...notes]);
    return { state: "done", answer, ownWords: null, closingText: null, stopReason, errorCode: null };
  }

  /** We end it in words of our own. */
  close(stopReason: string, sentence: string): Conclusion {
    return { state: "done", ...this.#inOwnWords(sentence), stopReason, errorCode: null };
  }

  cancelled(): Conclusion {
    return {
      state: "cancelled",
      ...this.#inOwnWords(answers.stopped),
      stopReason: "cancelled",
      errorCode: "cancelled",
    };
  }

  failed(error: AppError): Conclusion {
    return {
      state: "failed",
      ...this.#inOwnWords(failureAnswer(error)),
      stopReason: "error",
      errorCode: error.code,
    };
  }

  #inOwnWords(sentence: string) {
    const own = [sentence, ...this.#notes()];
    return { answer: joined([...this.#texts, ...own]), ownWords: joined(own), closingText: sentence };
  }

  #notes(): readonly string[] {
    return this.#unknown.length === 0 ? [] : [unknownOutcome(this.#unknown)];
  }
}

const joined = (parts: readonly string[]): string =>
  parts.length === 0 ? answers.empty : parts.join("\n\n");

/** Whether the turn is over with this step, and how. https://platform.claude.com/docs/en/api/handling-stop-reasons */
export function conclude(step: StoredStep, progress: TurnProgress): Conclusion | null {
  if (step.toolCalls.length > 0 || step.stopReason === "pause_turn") {
    const spent = freshTokens(progress.usage) > maxTurnTokens;
    return spent ? progress.close("turn_tokens", answers.turnTokens) : null;
  }
  const saysSo = textOf(step.content).endsWith(answers.cutBeforeStart);
  return progress.done(step.stopReason, wasCut(step.stopReason) && !saysSo ? answers.cut : undefined);
}
