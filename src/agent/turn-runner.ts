import { getLogger, withContext } from "@logtape/logtape";
import type { Config } from "../config.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import type { Delay } from "../waiting.ts";
import { isShutdown } from "./abort.ts";
import { answers, failureAnswer } from "./answers.ts";
import type { Approval } from "./approvals.ts";
import type { TurnEnd, TurnRecord } from "./journal.ts";
import { loggedCause } from "./logged-cause.ts";
import type { TurnEventSink } from "./ports.ts";
import { runTurn, type Suspended } from "./turn.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { ownWordsTo } from "./where-answers-go.ts";

const log = getLogger(["discord-mcp", "agent"]);

/** How often a turn's end is tried to be written, and how long is waited in between. */
const endAttempts = 5;
const endWaitMs = 200;

export interface RunnerDeps extends TurnDeps {
  readonly config: TurnDeps["config"] & { readonly turn: Pick<Config["turn"], "maxResumes" | "maxAgeMs"> };
  readonly emit: TurnEventSink;
  readonly metrics?: Pick<Metrics, "turnEnded">;
  readonly delay: Delay;
  /** Called once the turn is marked as running. */
  readonly onRunning: (turn: TurnRecord) => void;
  /** Called for each question, once it is stored. */
  readonly onAsked: (approval: Approval) => void;
}

/**
 * `gone`: it is not waiting any more; `suspended`: it waits for people's answers; `yielded`: it was handed to the
 * next process; `lost`: its end could not be written, and the next process takes it up.
 */
export type TurnRun =
  | { readonly kind: "ended"; readonly turn: TurnRecord }
  | { readonly kind: "lost"; readonly error: AppError }
  | { readonly kind: "gone" }
  | { readonly kind: "suspended" }
  | { readonly kind: "yielded" };

/**
 * One turn from its beginning to its committed end or suspension, announced to all who listen.
 * Throws what the journal throws when the beginning cannot be written: then nothing has happened.
 */
export async function runToItsEnd(turnId: string, deps: RunnerDeps, signal: AbortSignal): Promise<TurnRun> {
  const turn = await deps.journal.begin(turnId);
  if (turn === null) return { kind: "gone" };
  return withContext({ turn_id: turn.id, conversation_id: turn.conversationId }, async () => {
    deps.onRunning(turn);
    let end: TurnEnd | Suspended;
    try {
      end =
        (await tooLate(turn, deps)) ??
        (await runTurn(
          turn,
          deps,
          (event, sources) => deps.emit(turn.conversationId, event, sources),
          signal,
        ));
    } catch (error) {
      if (isShutdown(signal)) {
        await deps.journal.yield(turn.id);
        return { kind: "yielded" };
      }
      end = unexpected(turn, error);
    }
    if (end.state === "suspended") {
      for (const approval of end.approvals) deps.onAsked(approval);
      return { kind: "suspended" };
    }
    return endRun(turn, end, deps);
  });
}

async function endRun(turn: TurnRecord, end: TurnEnd, deps: RunnerDeps): Promise<TurnRun> {
  try {
    return { kind: "ended", turn: await endTurn(turn, end, deps) };
  } catch (error) {
    const failure = toAppError(error);
    const { code, message } = failure;
    deps.emit(turn.conversationId, { type: "turn_failed", turnId: turn.id, code, message });
    return { kind: "lost", error: failure };
  }
}

/** Commits a turn's end and announces it. */
export async function endTurn(turn: TurnRecord, end: TurnEnd, deps: RunnerDeps): Promise<TurnRecord> {
  await commitEnd(turn, end, deps);
  const { state, answer, stopReason, errorCode } = end;
  const ended = (await deps.journal.get(turn.id)) ?? { ...turn, state, answer, stopReason, errorCode };
  announceEnd(ended, deps);
  return ended;
}

export function announceEnd(turn: TurnRecord, deps: Pick<RunnerDeps, "emit" | "metrics">): void {
  const { id: turnId, conversationId, state, errorCode, usage } = turn;
  const answer = turn.answer ?? "";
  deps.metrics?.turnEnded(state, turn.origin);
  if (state === "done")
    deps.emit(conversationId, {
      type: "turn_finished",
      turnId,
      response: answer,
      stopReason: turn.stopReason ?? "end_turn",
      usage,
    });
  else {
    const code = errorCode ?? (state === "cancelled" ? "cancelled" : "turn_failed");
    deps.emit(conversationId, { type: "turn_failed", turnId, code, message: answer });
  }
  log.info("a turn ended", {
    turn_id: turnId,
    state,
    stop_reason: turn.stopReason,
    code: errorCode,
    starts: turn.starts,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
  });
}

/** A turn that keeps killing its process, or that nobody waits for any more, is answered and not run. */
async function tooLate(
  turn: TurnRecord,
  { config: { turn: bounds }, journal, now }: RunnerDeps,
): Promise<TurnEnd | null> {
  if (turn.starts > 1 + bounds.maxResumes) return failed(turn, "too_many_starts", answers.tooOften);
  if (now() - turn.acceptedAt <= bounds.maxAgeMs) return null;
  // The time that people took to answer is theirs.
  const decided = (await journal.approvals(turn.id)).map(({ decidedAt }) => decidedAt ?? 0);
  if (now() - Math.max(turn.acceptedAt, ...decided) <= bounds.maxAgeMs) return null;
  return failed(turn, "too_old", answers.tooOld);
}

const failed = (turn: TurnRecord, stopReason: string, sentence: string): TurnEnd => ({
  state: "failed",
  answer: sentence,
  closingText: sentence,
  stopReason,
  errorCode: "turn_failed",
  answerTo: ownWordsTo(turn),
});

function unexpected(turn: TurnRecord, error: unknown): TurnEnd {
  const failure = toAppError(error);
  log.error("a turn failed", { code: failure.code, cause: loggedCause(failure) });
  return { ...failed(turn, "error", failureAnswer(failure)), errorCode: failure.code };
}

async function commitEnd(turn: TurnRecord, end: TurnEnd, deps: RunnerDeps): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await deps.journal.end(turn.id, end);
    } catch (error) {
      log.error("the end of a turn could not be written", { turn_id: turn.id, attempt, error });
      if (attempt >= endAttempts)
        throw new AppError(
          "storage_unavailable",
          "The answer could not be stored. The turn is taken up again as soon as there is room, or when the service restarts.",
          { cause: error },
        );
      await deps.delay(endWaitMs * attempt);
    }
  }
}
