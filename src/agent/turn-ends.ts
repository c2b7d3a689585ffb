import { getLogger } from "@logtape/logtape";
import { Listeners } from "../listeners.ts";
import { answers } from "./answers.ts";
import type { Approval } from "./approvals.ts";
import type { TurnEnd, TurnRecord } from "./journal.ts";
import { announceEnd, endTurn, type RunnerDeps } from "./turn-runner.ts";
import type { TurnWaiters } from "./turn-waiters.ts";
import type { WaitingTurns } from "./waiting-turns.ts";
import { ownWordsTo } from "./where-answers-go.ts";

const log = getLogger(["discord-mcp", "agent"]);

export interface TurnEndsDeps {
  readonly run: RunnerDeps;
  readonly waiters: Pick<TurnWaiters, "ended">;
  readonly waiting: Pick<WaitingTurns, "delete">;
  /** A question whose turn has ended before it was answered. */
  readonly onWithdrawn: (approval: Approval) => void;
}

/** Turns that end in another way than by running, and who hears of every end. */
export class TurnEnds {
  readonly listeners = new Listeners<TurnRecord>();
  readonly #deps: TurnEndsDeps;

  constructor(deps: TurnEndsDeps) {
    this.#deps = deps;
  }

  /** Its end is committed and announced. */
  tell(turn: TurnRecord): void {
    this.#deps.waiters.ended(turn);
    this.listeners.tell(turn);
  }

  /** It waits, and is not to run: ends it, and returns its id. */
  async waiting(turn: TurnRecord): Promise<string> {
    this.#deps.waiting.delete(turn.id);
    this.tell(await endTurn(turn, cancelledEnd(turn), this.#deps.run));
    return turn.id;
  }

  /** The journal has taken it out of the queue. Returns its id. */
  removed(turn: TurnRecord): string {
    this.#deps.waiting.delete(turn.id);
    const ended = withAnswer({ ...turn, state: "cancelled", errorCode: "cancelled" });
    announceEnd(ended, this.#deps.run);
    this.tell(ended);
    return turn.id;
  }

  /** The journal has ended it while it was suspended, and withdrawn what it had asked. */
  async suspended(turn: TurnRecord): Promise<void> {
    const { run, onWithdrawn } = this.#deps;
    try {
      for (const approval of await run.journal.approvals(turn.id))
        if (approval.state === "withdrawn") onWithdrawn(approval);
    } catch (error) {
      log.error("withdrawn questions could not be announced", { turn_id: turn.id, error });
    }
    announceEnd(turn, run);
    this.tell(turn);
  }
}

/** A turn that was taken out of the queue has no answer of its own. */
export const withAnswer = (turn: TurnRecord): TurnRecord => ({
  ...turn,
  answer: turn.answer ?? answers.removed,
});

function cancelledEnd(turn: TurnRecord): TurnEnd {
  return ownWordsEnd(turn.state === "queued" ? answers.removed : answers.stopped, ownWordsTo(turn));
}

/** Of a turn that waited for people's answers. */
export const stoppedEnd: TurnEnd = ownWordsEnd(answers.stopped, "channel");

function ownWordsEnd(answer: string, answerTo: TurnEnd["answerTo"]): TurnEnd {
  return {
    state: "cancelled",
    answer,
    closingText: answer,
    stopReason: "cancelled",
    errorCode: "cancelled",
    answerTo,
  };
}
