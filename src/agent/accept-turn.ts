import type { AcceptResult, NewTurn, TurnJournal } from "./journal.ts";
import type { SubmitResult } from "./turn-service.ts";
import type { WaitingTurns } from "./waiting-turns.ts";

/** Where turns wait, and how many may. */
export interface Room {
  readonly journal: Pick<TurnJournal, "accept">;
  readonly waiting: Pick<WaitingTurns, "reserve" | "settle" | "release">;
  /** Turns that may wait in one conversation. */
  readonly queue: number;
}

/** A bound of the journal that lets nothing in. */
const noRoom = -1;

/**
 * Stores a turn if there is room for it in its conversation, and for its person and its server. What was accepted
 * before is still known by its id or key, though there is no room for anything new.
 */
export async function acceptTurn(turn: NewTurn, room: Room): Promise<SubmitResult> {
  const crowded = room.waiting.reserve(turn.actor);
  const result = crowded === null ? await accept(turn, room) : await room.journal.accept(turn, noRoom);
  if (result.status === "duplicate") return result;
  if (crowded !== null) return { status: "queue_full", ...crowded };
  return result.status === "queue_full" ? { ...result, of: "conversation" } : result;
}

/** In the place that is reserved for it, which is given back when it is not taken. */
async function accept(turn: NewTurn, { journal, waiting, queue }: Room): Promise<AcceptResult> {
  try {
    const result = await journal.accept(turn, queue);
    if (result.status === "accepted") waiting.settle(result.turn.id, turn.actor);
    else waiting.release(turn.actor);
    return result;
  } catch (error) {
    waiting.release(turn.actor);
    throw error;
  }
}
