import type { MessageParam } from "@anthropic-ai/sdk/resources/messages";
import type { AppError } from "../errors.ts";
import { answers, failureAnswer, unknownOutcome } from "./answers.ts";
import type { Usage } from "./events.ts";
import { resultsMessage, textOf } from "./messages.ts";
import type { StoredStep, TurnEnd } from "./ports.ts";
import type { EndedCall } from "./run-tools.ts";
import { wasCut } from "./settle-reply.ts";
import { maxTurnTokens } from "./turn-deps.ts";
import { addUsage, freshTokens } from "./usage.ts";

/** What a turn has said and done so far, and the ends that it can come to. */
export class TurnProgress {
  /** The turn's own messages after the person's, as the model is given them back. */
  readonly messages: MessageParam[] = [];
  readonly #texts: string[] = [];
  readonly #unknown: string[] = [];
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

  spend(usage: Usage): void {
    this.#usage = addUsage(this.#usage, usage);
  }

  said(step: StoredStep): void {
    const text = textOf(step.content);
    if (text !== "") this.#texts.push(text);
    this.messages.push({ role: "assistant", content: [...step.content] });
  }

  answered(calls: readonly EndedCall[]): void {
    if (calls.length === 0) return;
    this.messages.push(resultsMessage(calls.map((call) => call.result)));
    for (const call of calls) if (call.state === "unknown") this.#unknown.push(call.toolName);
  }

  /** The last step is the answer; `note` is for the person only. */
  done(stopReason: string, note?: string): TurnEnd {
    const answer = this.#answer(...(note === undefined ? [] : [note]));
    return { state: "done", answer, closingText: null, stopReason, errorCode: null };
  }

  /** We end it in words of our own. */
  close(stopReason: string, sentence: string): TurnEnd {
    const answer = this.#answer(sentence);
    return { state: "done", answer, closingText: sentence, stopReason, errorCode: null };
  }

  cancelled(): TurnEnd {
    const answer = this.#answer(answers.stopped);
    return {
      state: "cancelled",
      answer,
      closingText: answers.stopped,
      stopReason: "cancelled",
      errorCode: "cancelled",
    };
  }

  failed(error: AppError): TurnEnd {
    const sentence = failureAnswer(error);
    return {
      state: "failed",
      answer: this.#answer(sentence),
      closingText: sentence,
      stopReason: "error",
      errorCode: error.code,
    };
  }

  #answer(...last: readonly string[]): string {
    const notes = this.#unknown.length === 0 ? [] : [unknownOutcome(this.#unknown)];
    const parts = [...this.#texts, ...last, ...notes];
    return parts.length === 0 ? answers.empty : parts.join("\n\n");
  }
}

/** Whether the turn is over with this step, and how. https://platform.claude.com/docs/en/api/handling-stop-reasons */
export function conclude(step: StoredStep, progress: TurnProgress): TurnEnd | null {
  if (step.toolCalls.length > 0 || step.stopReason === "pause_turn") {
    const spent = freshTokens(progress.usage) > maxTurnTokens;
    return spent ? progress.close("turn_tokens", answers.turnTokens) : null;
  }
  const saysSo = textOf(step.content).endsWith(answers.cutBeforeStart);
  return progress.done(step.stopReason, wasCut(step.stopReason) && !saysSo ? answers.cut : undefined);
}
