import type { ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { getLogger } from "@logtape/logtape";
import { abortable, isShutdown } from "./abort.ts";
import { toolAnswers } from "./answers.ts";
import type { TurnEvent } from "./events.ts";
import type { StoredStep, StoredToolCall, ToolCallOutcome, TurnRecord } from "./ports.ts";
import { cutCall } from "./settle-reply.ts";
import { maxCallsPerStep, type TurnDeps } from "./turn-deps.ts";

const logger = getLogger(["discord-mcp", "agent"]);

/** A call that has its answer. */
export interface EndedCall {
  readonly toolName: string;
  readonly state: "done" | "unknown";
  readonly result: ToolResultBlockParam;
}

export interface ToolRun {
  readonly turn: TurnRecord;
  readonly deps: Pick<TurnDeps, "journal" | "tools" | "now">;
  readonly emit: (event: TurnEvent) => void;
  readonly signal: AbortSignal;
  /** False: the turn may call no more tools, whatever the model says. */
  readonly allowed: boolean;
}

/**
 * Runs a step's calls side by side, each written down before and after, and returns their answers in the order
 * of the calls. What a stopped process left: answered calls stay, pending ones run, running ones run again only
 * if that does no harm. Waits for all calls before it throws the first failure, or the signal's reason.
 */
export async function runTools(step: StoredStep, run: ToolRun): Promise<readonly EndedCall[]> {
  const cut = cutCall(step);
  const ended = await Promise.allSettled(
    step.toolCalls.map((call, position) => {
      if (!run.allowed) return endCall(step, call, run, () => refuse(toolAnswers.noTools));
      if (call.toolUseId === cut) return endCall(step, call, run, () => refuse(toolAnswers.cut));
      if (position >= maxCallsPerStep) return endCall(step, call, run, () => refuse(toolAnswers.tooMany));
      return endCall(step, call, run, () => runCall(step, call, run));
    }),
  );
  return ended.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

async function endCall(
  step: StoredStep,
  call: StoredToolCall,
  { turn, deps, emit, signal }: ToolRun,
  outcomeOf: () => Promise<ToolCallOutcome>,
): Promise<EndedCall> {
  const { toolUseId, toolName } = call;
  if ((call.state === "done" || call.state === "unknown") && call.result !== null)
    return { toolName, state: call.state, result: call.result };
  signal.throwIfAborted();
  const named = { turnId: turn.id, step: step.step, toolUseId, toolName };
  emit({ type: "tool_started", ...named, arguments: call.input });
  const startedAt = deps.now();
  const outcome = await outcomeOf();
  const result = resultBlock(toolUseId, outcome);
  const state = outcome.kind === "unknown" ? "unknown" : "done";
  await deps.journal.toolEnded(turn.id, step.step, toolUseId, { state, result, sources: outcome.sources });
  emit({
    type: "tool_finished",
    ...named,
    outcome: outcome.kind,
    durationMs: Math.max(0, deps.now() - startedAt),
  });
  return { toolName, state, result };
}

async function runCall(
  step: StoredStep,
  call: StoredToolCall,
  { turn, deps, signal }: ToolRun,
): Promise<ToolCallOutcome> {
  const { toolUseId, toolName, input } = call;
  const repeatable = deps.tools.isRepeatable(toolName);
  if (call.state === "running" && !repeatable) return failure("unknown", toolAnswers.interrupted);
  await deps.journal.toolRunning(turn.id, step.step, toolUseId);
  const { actor, sessionId } = turn;
  try {
    return await abortable(
      deps.tools.call({
        toolName,
        input,
        actor,
        sessionId,
        turnId: turn.id,
        step: step.step,
        toolUseId,
        signal,
      }),
      signal,
    );
  } catch (error) {
    // The next process finds the call running and decides.
    if (isShutdown(signal)) throw signal.reason;
    if (signal.aborted)
      return repeatable
        ? failure("failed", toolAnswers.stopped)
        : failure("unknown", toolAnswers.stoppedUnknown);
    logger.error("a tool threw", { turn_id: turn.id, tool_name: toolName, error });
    return failure(repeatable ? "failed" : "unknown", toolAnswers.broken);
  }
}

const failure = (kind: ToolCallOutcome["kind"], text: string): ToolCallOutcome => ({
  kind,
  text,
  isError: true,
  sources: [],
});

const refuse = async (text: string): Promise<ToolCallOutcome> => failure("refused", text);

function resultBlock(toolUseId: string, { text, isError }: ToolCallOutcome): ToolResultBlockParam {
  const content = text.trim() === "" ? toolAnswers.blank : text;
  return isError
    ? { type: "tool_result", tool_use_id: toolUseId, content, is_error: true }
    : { type: "tool_result", tool_use_id: toolUseId, content };
}
