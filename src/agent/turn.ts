import { getLogger } from "@logtape/logtape";
import { toAppError } from "../errors.ts";
import { isShutdown } from "./abort.ts";
import { stepLimit } from "./answers.ts";
import type { Approval, NewApproval } from "./approvals.ts";
import { createAsker } from "./ask-model.ts";
import type { TurnEvent } from "./events.ts";
import type { StoredStep, TurnEnd, TurnRecord } from "./journal.ts";
import { loggedCause } from "./logged-cause.ts";
import { textOf } from "./messages.ts";
import { type AskedCall, runTools } from "./run-tools.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { type Conclusion, conclude, TurnProgress } from "./turn-progress.ts";
import { answerQuestion, placeAnswer } from "./where-answers-go.ts";

const log = getLogger(["discord-mcp", "agent"]);

/** The turn waits for people's answers, in the journal: nobody holds it until the last of them is there. */
export interface Suspended {
  readonly state: "suspended";
  readonly approvals: readonly Approval[];
}

interface Running {
  readonly turn: TurnRecord;
  readonly deps: TurnDeps;
  readonly progress: TurnProgress;
  readonly emit: (event: TurnEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * A turn, from the person's message to how it ends, which the caller commits, or to where it is suspended, which is
 * committed. Every step is stored before its tools run, so a turn that is begun again takes what is stored, and
 * asks and runs only what is missing.
 *
 * Does not throw for what goes wrong in it: that becomes an end with an answer. Throws the signal's reason when
 * the process shuts down, and has then left the turn as it stands for the next one.
 */
export async function runTurn(
  turn: TurnRecord,
  deps: TurnDeps,
  tell: (event: TurnEvent, sources: readonly string[]) => void,
  signal: AbortSignal,
): Promise<TurnEnd | Suspended> {
  const progress = new TurnProgress(turn.usage);
  const emit = (event: TurnEvent) => tell(event, progress.read);
  const running = { turn, deps, progress, emit, signal };
  emit({ type: "turn_started", turnId: turn.id, origin: turn.origin });
  try {
    return await runSteps(running);
  } catch (error) {
    if (isShutdown(signal)) throw signal.reason;
    if (signal.aborted) return finish(running, progress.cancelled());
    const failure = toAppError(error);
    log.error("a turn failed", { turn_id: turn.id, code: failure.code, cause: loggedCause(failure) });
    return finish(running, progress.failed(failure));
  }
}

async function runSteps(running: Running): Promise<TurnEnd | Suspended> {
  const { turn, deps, progress, emit, signal } = running;
  const { maxSteps } = deps.config.turn;
  const stored = await deps.journal.steps(turn.id);
  if (stored.length === 0) await deps.budgets.check(turn.actor);
  const approvals = stored.length === 0 ? [] : await deps.journal.approvals(turn.id);
  const askModel = createAsker(running);

  for (let number = 1; number <= maxSteps; number++) {
    signal.throwIfAborted();
    const known = stored[number - 1];
    const step = known ?? (await askModel(number));
    if (known !== undefined) {
      progress.said(known);
      retell(turn, known, emit, approvals.length > 0);
    }

    const allowed = number < maxSteps;
    const { sources } = progress;
    const { ended, asked } = await runTools(step, { turn, deps, emit, signal, allowed, sources, approvals });
    if (asked.length > 0) return suspend(running, questionsOf(step, asked, running));
    progress.answered(ended);

    const conclusion = conclude(step, progress);
    if (conclusion !== null) return finish(running, conclusion, approvals);
  }
  return finish(running, progress.close("max_steps", stepLimit(maxSteps)));
}

async function finish(
  running: Running,
  conclusion: Conclusion,
  approvals: readonly Approval[] = [],
): Promise<TurnEnd | Suspended> {
  const { turn, deps, progress, signal } = running;
  const verdict = approvals.findLast(({ kind }) => kind === "answer") ?? null;
  const end = await placeAnswer(turn, conclusion, { flow: deps.flow, progress, verdict }, signal);
  return end === "ask" ? suspend(running, [answerQuestion(turn, deps.now() + deps.approvalMs)]) : end;
}

async function suspend(
  { turn, deps, signal }: Running,
  questions: readonly NewApproval[],
): Promise<Suspended> {
  signal.throwIfAborted();
  return { state: "suspended", approvals: await deps.journal.suspend(turn.id, questions) };
}

function questionsOf(
  { step }: StoredStep,
  asked: readonly AskedCall[],
  { turn, deps }: Running,
): readonly NewApproval[] {
  const { id: turnId, conversationId, sessionId, actor, origin } = turn;
  const expiresAt = deps.now() + deps.approvalMs;
  return asked.map(({ call: { toolUseId, toolName, input }, question }) => ({
    kind: "tool",
    turnId,
    conversationId,
    sessionId,
    actor,
    step,
    toolUseId,
    toolName,
    input,
    question,
    askIn: origin === "program" ? "none" : question.publicText === null ? "channel" : "direct",
    expiresAt,
  }));
}

/**
 * Whoever listens now has not heard what was said before the process was restarted. After a question they may have:
 * what they know of the step is then void.
 */
function retell(
  turn: TurnRecord,
  { step, content }: StoredStep,
  emit: (event: TurnEvent) => void,
  wasSuspended: boolean,
): void {
  const text = textOf(content);
  if (text === "") return;
  if (wasSuspended) emit({ type: "step_restarted", turnId: turn.id, step });
  emit({ type: "text_delta", turnId: turn.id, step, text });
}
