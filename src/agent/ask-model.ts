import type { MessageParam, TextBlockParam } from "@anthropic-ai/sdk/resources/messages";
import type { TurnEvent } from "./events.ts";
import { prepareHistory } from "./history.ts";
import type { StoredStep, TurnRecord } from "./journal.ts";
import { userMessage, withCacheMarks } from "./messages.ts";
import { offerTools, type ToolOffer, usesToolSearch } from "./offered-tools.ts";
import { lastStepBlock, systemPrompt } from "./prompt.ts";
import { settleReply, toStep } from "./settle-reply.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { conclude, type TurnProgress } from "./turn-progress.ts";
import { addUsage, noUsage, promptTokens } from "./usage.ts";
import { endAtOnce } from "./where-answers-go.ts";

interface Asking {
  readonly turn: TurnRecord;
  readonly deps: TurnDeps;
  readonly progress: TurnProgress;
  readonly emit: (event: TurnEvent) => void;
  readonly signal: AbortSignal;
}

/** What stays the same over a turn's steps. */
interface Prompt {
  readonly system: readonly TextBlockParam[];
  readonly tools: ToolOffer;
  /** History, and the person's message as its last. */
  readonly messages: readonly MessageParam[];
  /** Ids of all tool calls in them and since. */
  readonly callIds: Set<string>;
  /** What the history in it rests on. */
  readonly sources: readonly string[];
}

/** A function that asks the model for a step and stores it. The prompt is put together when first needed. */
export function createAsker(asking: Asking): (number: number) => Promise<StoredStep> {
  const { turn, deps, progress, emit, signal } = asking;
  let prompt: Prompt | undefined;
  /** What a summary has cost is put on the account of the step for which it was made. */
  let unbooked = noUsage;

  const prepare = async (): Promise<Prompt> => {
    const { preferences, activeTools } = await deps.context.read(turn);
    const history = await prepareHistory(turn, deps, signal);
    unbooked = history.usage;
    const messages = [...history.messages, userMessage(turn)];
    return {
      system: systemPrompt(turn, preferences, deps.config.model.systemPrompt),
      tools: offerTools(deps.tools.definitions(turn.actor, activeTools), usesToolSearch(deps.config.model)),
      messages,
      callIds: callIdsIn([...messages, ...progress.messages]),
      sources: history.sources,
    };
  };

  return async (number) => {
    prompt ??= await prepare();
    const { system, callIds } = prompt;
    const { tools, messages, inFront } = prompt.tools.forRequest(prompt.messages, progress.messages);
    progress.giving(prompt.sources);
    const isLast = number === deps.config.turn.maxSteps && tools.length > 0;
    const reply = await deps.model.stream(
      {
        system: isLast ? [...system, lastStepBlock] : system,
        messages: withCacheMarks(messages),
        tools,
        maxTokens: deps.config.model.maxTokens,
        ...(isLast ? { toolChoice: "none" } : {}),
      },
      {
        onText: (text) => emit({ type: "text_delta", turnId: turn.id, step: number, text }),
        onRestart: () => emit({ type: "step_restarted", turnId: turn.id, step: number }),
      },
      signal,
    );
    if (progress.messages.length === 0)
      deps.gauge.learn(jsonBytes([system, inFront, messages]), promptTokens(reply.usage));

    const { stopReason, model } = reply;
    const content = settleReply(reply, callIds, progress.hasSpoken);
    const usage = addUsage(reply.usage, unbooked);
    unbooked = noUsage;
    const step = toStep(number, stopReason, content, prompt.sources);
    progress.spend(usage);
    progress.said(step);
    // The last step and the end of the turn are one commit, unless it has to be found out first where it may go.
    const conclusion = step.toolCalls.length === 0 ? conclude(step, progress) : null;
    const end = conclusion === null ? null : endAtOnce(turn, conclusion, progress);
    await deps.journal.saveStep(
      turn.id,
      { step: number, content, stopReason, usage, model, sources: step.sources },
      end ?? undefined,
    );
    return step;
  };
}

function callIdsIn(messages: readonly MessageParam[]): Set<string> {
  const ids = new Set<string>();
  for (const { content } of messages) {
    if (typeof content === "string") continue;
    for (const block of content) if (block.type === "tool_use") ids.add(block.id);
  }
  return ids;
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
