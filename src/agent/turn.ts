import { getLogger } from "@logtape/logtape";
import { toAppError } from "../errors.ts";
import { isShutdown } from "./abort.ts";
import { stepLimit } from "./answers.ts";
import { createAsker } from "./ask-model.ts";
import type { TurnEvent } from "./events.ts";
import { loggedCause } from "./logged-cause.ts";
import { textOf } from "./messages.ts";
import type { StoredStep, TurnEnd, TurnRecord } from "./ports.ts";
import { runTools } from "./run-tools.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { conclude, TurnProgress } from "./turn-progress.ts";

const logger = getLogger(["discord-mcp", "agent"]);

/**
 * A turn, from the person's message to how it ends, which the caller commits. Every step is stored before its
 * tools run, so a turn that is begun again takes what is stored, and asks and runs only what is missing.
 *
 * Does not throw for what goes wrong in it: that becomes an end with an answer. Throws the signal's reason when
 * the process shuts down, and has then left the turn as it stands for the next one.
 */
export async function runTurn(
  turn: TurnRecord,
  deps: TurnDeps,
  emit: (event: TurnEvent) => void,
  signal: AbortSignal,
): Promise<TurnEnd> {
  const { maxSteps } = deps.config.turn;
  const progress = new TurnProgress(turn.usage);
  emit({ type: "turn_started", turnId: turn.id, origin: turn.origin });
  try {
    const stored = await deps.journal.steps(turn.id);
    if (stored.length === 0) await deps.budgets.check(turn.actor);
    const askModel = createAsker({ turn, deps, progress, emit, signal });

    for (let number = 1; number <= maxSteps; number++) {
      signal.throwIfAborted();
      const known = stored[number - 1];
      const step = known ?? (await askModel(number));
      if (known !== undefined) {
        retell(turn, known, emit);
        progress.said(known);
      }

      const calls = await runTools(step, { turn, deps, emit, signal, allowed: number < maxSteps });
      progress.answered(calls);

      const end = conclude(step, progress);
      if (end !== null) return end;
    }
    return progress.close("max_steps", stepLimit(maxSteps));
  } catch (error) {
    if (isShutdown(signal)) throw signal.reason;
    if (signal.aborted) return progress.cancelled();
    const failure = toAppError(error);
    logger.error("a turn failed", { turn_id: turn.id, code: failure.code, cause: loggedCause(failure) });
    return progress.failed(failure);
  }
}

/** Whoever listens now has not heard what was said before the process was restarted. */
function retell(turn: TurnRecord, step: StoredStep, emit: (event: TurnEvent) => void): void {
  const text = textOf(step.content);
  if (text !== "") emit({ type: "text_delta", turnId: turn.id, step: step.step, text });
}
