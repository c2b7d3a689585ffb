import { getLogger } from "@logtape/logtape";
import { FairSlots, type SlotOwner } from "../limits/fair-slots.ts";
import type { Delay } from "../waiting.ts";
import type { TurnJournal, TurnRecord } from "./journal.ts";

const log = getLogger(["discord-mcp", "agent"]);

/** When the journal fails, how long until a conversation's queue is looked at again. */
const retryMs = 1000;

interface Lane {
  /** Turns that were begun before, by an earlier process or before a question: older than all that wait. */
  readonly begun: TurnRecord[];
  running: {
    readonly turnId: string;
    readonly abort: AbortController;
    readonly over: Promise<void>;
  } | null;
  /** Known to be the oldest that waits, so that the journal need not be asked for it. */
  first: TurnRecord | null;
  /** Turns that were announced and not taken since: at least so many wait, unless they were removed. */
  announced: number;
  /** Nothing was waiting before the first of them, so that with none announced the queue is empty for certain. */
  readonly exact: boolean;
  readonly done: Promise<void>;
}

export interface LaneDeps {
  readonly journal: Pick<TurnJournal, "nextQueued">;
  /** How many turns may run at once, over all conversations. */
  readonly concurrent: number;
  /** Runs a turn to its end. When it throws, the turn has not begun and is tried again. */
  readonly run: (turn: TurnRecord, signal: AbortSignal) => Promise<void>;
  readonly delay: Delay;
}

/**
 * One turn at a time in each conversation, in the order in which they were accepted; conversations side by side,
 * as many as there are slots, which are shared fairly. The queue itself is in the journal: a lane exists only while its
 * conversation has something to do.
 */
export class ConversationLanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #closing = new AbortController();
  readonly #slots: FairSlots;
  readonly #deps: LaneDeps;
  #running = 0;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    this.#slots = new FairSlots(deps.concurrent);
  }

  get running(): number {
    return this.#running;
  }

  /** There is a turn to run. `alone`: nothing of its conversation waited or ran when it was accepted. */
  wake(turn: TurnRecord, alone = false): void {
    const lane = this.#lanes.get(turn.conversationId) ?? this.#open(turn, alone);
    if (lane !== null) lane.announced++;
  }

  /**
   * The same for a turn that was begun before, by an earlier process or before it was suspended. It may still be
   * running here, on its way out of its suspension: it is then run once more.
   */
  wakeBegun(turn: TurnRecord): void {
    const lane = this.#lanes.get(turn.conversationId) ?? this.#open(turn, false);
    if (lane?.begun.some(({ id }) => id === turn.id) === false) lane.begun.push(turn);
  }

  /** Aborts what runs in a conversation (or that one turn) and waits until it is over. Returns its id, or null. */
  async stop(conversationId: string, reason: unknown, turnId?: string): Promise<string | null> {
    const running = this.#lanes.get(conversationId)?.running ?? null;
    if (running === null || (turnId !== undefined && running.turnId !== turnId)) return null;
    running.abort.abort(reason);
    await running.over;
    return running.turnId;
  }

  isRunning(turn: Pick<TurnRecord, "id" | "conversationId">): boolean {
    return this.#lanes.get(turn.conversationId)?.running?.turnId === turn.id;
  }

  /** Takes out turns that were begun before and have not been taken up yet. */
  takeBegun(conversationId: string, turnId?: string): readonly TurnRecord[] {
    const lane = this.#lanes.get(conversationId);
    if (lane === undefined) return [];
    const taken = lane.begun.filter(({ id }) => turnId === undefined || id === turnId);
    for (const turn of taken) lane.begun.splice(lane.begun.indexOf(turn), 1);
    return taken;
  }

  /** Begins no more turns. Resolves when none runs any more. */
  async close(reason: unknown): Promise<void> {
    this.#closing.abort(reason);
    await Promise.all([...this.#lanes.values()].map((lane) => lane.done));
  }

  abortAll(reason: unknown): void {
    for (const { running } of this.#lanes.values()) running?.abort.abort(reason);
  }

  #open(turn: TurnRecord, exact: boolean): Lane | null {
    if (this.#closing.signal.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = exact ? turn : null;
    const lane: Lane = { begun: [], running: null, first, announced: 0, exact, done: promise };
    this.#lanes.set(turn.conversationId, lane);
    void this.#work(turn.conversationId, turn.actor, lane).finally(resolve);
    return lane;
  }

  async #work(conversationId: string, owner: SlotOwner, lane: Lane): Promise<void> {
    const closing = this.#closing.signal;
    do {
      try {
        const release = await this.#slots.acquire(owner, closing);
        try {
          const found = await this.#next(conversationId, lane);
          // Looked at here and not there: a turn may have been announced since.
          if (!found && isQuiet(lane)) break;
        } finally {
          release();
        }
      } catch (error) {
        if (closing.aborted) break;
        log.error("a conversation's queue is held up", { conversation_id: conversationId, error });
        await this.#deps.delay(retryMs, closing).catch(() => {});
      }
    } while (!closing.aborted && !(lane.exact && isQuiet(lane)));
    this.#lanes.delete(conversationId);
  }

  /** Runs the next turn. False when there is none. */
  async #next(conversationId: string, lane: Lane): Promise<boolean> {
    const begun = lane.begun[0];
    const { announced } = lane;
    const turn = begun ?? lane.first ?? (await this.#deps.journal.nextQueued(conversationId));
    if (turn === null) {
      lane.announced -= announced;
      return false;
    }
    if (this.#closing.signal.aborted) return false;
    if (begun !== undefined) {
      await this.#runBegun(lane, begun);
      return true;
    }
    await this.#run(lane, turn);
    lane.first = null;
    lane.announced = Math.max(0, lane.announced - 1);
    return true;
  }

  /** It is out of the lane while it runs, so that it can come again: a suspension's last question is quickly decided. */
  async #runBegun(lane: Lane, turn: TurnRecord): Promise<void> {
    lane.begun.shift();
    try {
      await this.#run(lane, turn);
    } catch (error) {
      lane.begun.unshift(turn);
      throw error;
    }
  }

  async #run(lane: Lane, turn: TurnRecord): Promise<void> {
    const abort = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    lane.running = { turnId: turn.id, abort, over: promise };
    this.#running++;
    try {
      await this.#deps.run(turn, abort.signal);
    } finally {
      this.#running--;
      lane.running = null;
      resolve();
    }
  }
}

const isQuiet = (lane: Lane): boolean => lane.announced === 0 && lane.begun.length === 0;
