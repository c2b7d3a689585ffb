import type { ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { getLogger } from "@logtape/logtape";
import { abortable } from "../waiting.ts";
import { isShutdown } from "./abort.ts";
import { notApproved, toolAnswers } from "./answers.ts";
import type { Approval, ApprovalGrant, Question } from "./approvals.ts";
import type { TurnEvent } from "./events.ts";
import type { StoredStep, StoredToolCall, TurnRecord } from "./journal.ts";
import type { ToolCallOutcome } from "./ports.ts";
import { cutCall } from "./settle-reply.ts";
import { maxApprovals, maxCallsPerStep, type TurnDeps } from "./turn-deps.ts";
import { answerAudience } from "./where-answers-go.ts";

const log = getLogger(["discord-mcp", "agent"]);

/** A call that has its answer. */
export interface EndedCall {
  readonly kind: "ended";
  readonly toolName: string;
  readonly state: "done" | "unknown";
  readonly result: ToolResultBlockParam;
  readonly sources: readonly string[];
}

/** A call that did not run, since a person has to be asked first. */
export interface AskedCall {
  readonly kind: "asked";
  readonly call: StoredToolCall;
  readonly question: Question;
}

export interface ToolsRun {
  /** In the order of the calls. */
  readonly ended: readonly EndedCall[];
  readonly asked: readonly AskedCall[];
}

export interface ToolRun {
  readonly turn: TurnRecord;
  readonly deps: Pick<TurnDeps, "journal" | "tools" | "now">;
  readonly emit: (event: TurnEvent) => void;
  readonly signal: AbortSignal;
  /** False: the turn may call no more tools, whatever the model says. */
  readonly allowed: boolean;
  /** What the turn rests on so far, and so what its arguments may. */
  readonly sources: readonly string[];
  /** Every question that the turn has asked, decided by now. */
  readonly approvals: readonly Approval[];
}

/**
 * Runs a step's calls side by side, each written down before and after, and returns their answers, and which of
 * them a person has to be asked about. What a stopped process left: answered calls stay, pending ones run, running
 * ones run again only if that does no harm; what was asked about runs with the yes that it got, and not without.
 * Waits for all calls before it throws the first failure, or the signal's reason.
 */
export async function runTools(step: StoredStep, run: ToolRun): Promise<ToolsRun> {
  const cut = cutCall(step);
  const questions = { left: maxApprovals - run.approvals.length };
  const settled = await Promise.allSettled(
    step.toolCalls.map((call, position) => {
      const settle = (outcomeOf: () => Promise<ToolCallOutcome>) =>
        settleCall(step, call, run, questions, outcomeOf);
      if (!run.allowed) return settle(() => refuse(toolAnswers.noTools));
      if (call.toolUseId === cut) return settle(() => refuse(toolAnswers.cut));
      if (position >= maxCallsPerStep) return settle(() => refuse(toolAnswers.tooMany));
      return settle(() => runCall(step, call, run));
    }),
  );
  const calls = settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  return {
    ended: calls.filter((call) => call.kind === "ended"),
    asked: calls.filter((call) => call.kind === "asked"),
  };
}

async function settleCall(
  step: StoredStep,
  call: StoredToolCall,
  { turn, deps, emit, signal }: ToolRun,
  questions: { left: number },
  outcomeOf: () => Promise<ToolCallOutcome>,
): Promise<EndedCall | AskedCall> {
  const { toolUseId, toolName } = call;
  if ((call.state === "done" || call.state === "unknown") && call.result !== null)
    return { kind: "ended", toolName, state: call.state, result: call.result, sources: call.sources };
  signal.throwIfAborted();
  const named = { turnId: turn.id, step: step.step, toolUseId, toolName };
  emit({ type: "tool_started", ...named, arguments: call.input });
  const startedAt = deps.now();
  const given = await outcomeOf();
  if (given.kind === "asked" && given.question !== undefined && questions.left > 0) {
    questions.left--;
    await deps.journal.toolAsked(turn.id, step.step, toolUseId);
    return { kind: "asked", call, question: given.question };
  }
  const outcome = given.kind === "asked" ? failure("refused", toolAnswers.tooManyQuestions) : given;
  const { sources } = outcome;
  const result = resultBlock(toolUseId, outcome);
  const state = outcome.kind === "unknown" ? "unknown" : "done";
  await deps.journal.toolEnded(turn.id, step.step, toolUseId, { state, result, sources });
  emit({
    type: "tool_finished",
    ...named,
    outcome: outcome.kind,
    durationMs: Math.max(0, deps.now() - startedAt),
  });
  return { kind: "ended", toolName, state, result, sources };
}

async function runCall(
  step: StoredStep,
  call: StoredToolCall,
  { turn, deps, signal, sources, approvals }: ToolRun,
): Promise<ToolCallOutcome> {
  const { toolUseId, toolName, input } = call;
  const repeatable = deps.tools.isRepeatable(toolName);
  if (call.state === "running" && !repeatable) return failure("unknown", toolAnswers.interrupted);
  // A changed target is asked about anew: the newest question is the one that counts.
  const asked = approvals.findLast((one) => one.step === step.step && one.toolUseId === toolUseId) ?? null;
  if (asked !== null && asked.state !== "approved") return failure("refused", notApproved(asked));
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
        sources,
        audience: answerAudience(turn),
        approval: asked === null ? null : grantOf(asked),
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
    log.error("a tool threw", { turn_id: turn.id, tool_name: toolName, error });
    return failure(repeatable ? "failed" : "unknown", toolAnswers.broken);
  }
}

const grantOf = ({ id, question, decidedBy, actor }: Approval): ApprovalGrant => ({
  approvalId: id,
  fingerprint: question.fingerprint,
  approvedBy: decidedBy ?? actor.userId,
});

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
