import { getLogger } from "@logtape/logtape";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { type Delay, delay, shutdownReason, stoppedByPerson } from "./abort.ts";
import { answers } from "./answers.ts";
import { ConversationLanes } from "./conversation-lanes.ts";
import type { NewTurn, TurnEnd, TurnEventSink, TurnRecord } from "./ports.ts";
import { TokenGauge } from "./token-gauge.ts";
import type { TurnDeps } from "./turn-deps.ts";
import { announceEnd, endTurn, type RunnerDeps, runToItsEnd } from "./turn-runner.ts";
import type { CancelResult, SubmitResult, TurnOutcome, TurnService } from "./turn-service.ts";
import { TurnWaiters } from "./turn-waiters.ts";

const logger = getLogger(["discord-mcp", "agent"]);

/** What a turn needs, and what its coming and going is told to. */
export interface TurnServiceDeps extends Omit<TurnDeps, "config" | "gauge" | "now"> {
  readonly config: Pick<Config, "model" | "turn">;
  /** Receives every event of every turn. */
  readonly emit: TurnEventSink;
  readonly metrics?: Pick<Metrics, "turnEnded">;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly delay?: Delay;
}

export function createTurnService(deps: TurnServiceDeps): TurnService {
  return new Turns(deps);
}

type Listener = (turn: TurnRecord) => void;

class Turns implements TurnService {
  readonly #deps: RunnerDeps;
  readonly #queueBound: number;
  readonly #lanes: ConversationLanes;
  readonly #waiters = new TurnWaiters();
  /** Turns that this process knows to be waiting: as many as the journal's bounds allow. */
  readonly #waiting = new Set<string>();
  readonly #endedListeners = new Set<Listener>();
  readonly #runningListeners = new Set<Listener>();
  /** Conversations that are being reset, by person and channel: new turns wait for it, so as to be of the new epoch. */
  readonly #resets = new Map<string, Promise<void>>();
  #state: "open" | "draining" | "drained" = "open";

  constructor(deps: TurnServiceDeps) {
    this.#deps = {
      ...deps,
      now: deps.now ?? Date.now,
      delay: deps.delay ?? delay,
      gauge: new TokenGauge(),
      onRunning: (turn) => {
        this.#waiting.delete(turn.id);
        notify(this.#runningListeners, turn);
      },
    };
    this.#queueBound = deps.config.turn.queue;
    this.#lanes = new ConversationLanes({
      journal: deps.journal,
      concurrent: deps.config.turn.concurrent,
      delay: this.#deps.delay,
      run: (turn, signal) => this.#run(turn, signal),
    });
  }

  async submit(turn: NewTurn): Promise<SubmitResult> {
    if (this.#state !== "open") throw shutdownReason();
    await this.#resets.get(placeOf(turn.actor.userId, turn.actor.channelId));
    const result = await this.#deps.journal.accept(turn, this.#queueBound);
    if (result.status === "accepted") {
      this.#waiting.add(result.turn.id);
      this.#lanes.wake(result.turn, result.waiting === 0);
    }
    return result;
  }

  async wait(turnId: string, signal?: AbortSignal): Promise<TurnOutcome> {
    const ended = this.#waiters.wait(turnId, signal);
    const turn = await this.#deps.journal.get(turnId).catch((error: unknown) => {
      this.#waiters.failed(turnId, error);
      return null;
    });
    if (turn === null)
      this.#waiters.failed(
        turnId,
        new AppError("turn_not_found", "There is no such turn; it may have been deleted."),
      );
    else if (turn.state === "done" || turn.state === "failed" || turn.state === "cancelled")
      this.#waiters.ended(withAnswer(turn));
    else if (this.#state === "drained") this.#waiters.failed(turnId, shutdownReason());
    return { turn: await ended };
  }

  async cancel(conversationId: string, turnId?: string): Promise<CancelResult> {
    const removed: string[] = [];
    if (turnId === undefined)
      for (const turn of await this.#deps.journal.cancelQueued(conversationId))
        removed.push(this.#removed(turn));
    else removed.push(...(await this.#cancelWaiting(conversationId, turnId)));
    for (const turn of this.#lanes.takeBegun(conversationId, turnId))
      removed.push(await this.#endWaiting(turn));
    const stopped = await this.#lanes.stop(conversationId, stoppedByPerson(), turnId);
    return { stopped: stopped === null || removed.includes(stopped) ? [] : [stopped], removed };
  }

  async reset(userId: string, channelId: string, guildId: string | null): Promise<void> {
    const place = placeOf(userId, channelId);
    const reset = (this.#resets.get(place) ?? Promise.resolve()).then(async () => {
      const conversationId = await this.#deps.journal.conversationId(userId, channelId, guildId);
      if (conversationId !== null) await this.cancel(conversationId);
      await this.#deps.journal.reset(userId, channelId, guildId);
    });
    const settled = reset.catch(() => {});
    this.#resets.set(place, settled);
    void settled.then(() => {
      if (this.#resets.get(place) === settled) this.#resets.delete(place);
    });
    await reset;
  }

  editQueued(discordMessageId: string, text: string): Promise<boolean> {
    return this.#deps.journal.editQueued(discordMessageId, text);
  }

  async removeQueued(discordMessageId: string): Promise<boolean> {
    const turn = await this.#deps.journal.removeQueued(discordMessageId);
    if (turn !== null) this.#removed(turn);
    return turn !== null;
  }

  async resume(): Promise<void> {
    const turns = await this.#deps.journal.unfinished();
    if (turns.length > 0) logger.info("unfinished turns are taken up", { turns: turns.length });
    for (const turn of turns) {
      if (this.#lanes.isRunning(turn)) continue;
      this.#waiting.add(turn.id);
      if (turn.state === "running") this.#lanes.wakeBegun(turn);
      else this.#lanes.wake(turn);
    }
  }

  async drain(boundMs: number): Promise<void> {
    if (this.#state === "open") this.#state = "draining";
    const reason = shutdownReason();
    const finished = new AbortController();
    const closed = this.#lanes.close(reason).finally(() => finished.abort(reason));
    // A second call with a shorter bound hurries the first.
    if (boundMs > 0) await this.#deps.delay(boundMs, finished.signal).catch(() => {});
    this.#lanes.abortAll(reason);
    await closed;
    this.#state = "drained";
    this.#waiters.failAll(reason);
  }

  onEnded(listener: Listener): () => void {
    return listen(this.#endedListeners, listener);
  }

  onRunning(listener: Listener): () => void {
    return listen(this.#runningListeners, listener);
  }

  stats(): { readonly running: number; readonly waiting: number } {
    return { running: this.#lanes.running, waiting: this.#waiting.size };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain(0);
  }

  async #run(turn: TurnRecord, signal: AbortSignal): Promise<void> {
    const run = await runToItsEnd(turn.id, this.#deps, signal);
    this.#waiting.delete(turn.id);
    if (run.kind === "ended") this.#tell(run.turn);
    if (run.kind === "lost") this.#waiters.failed(turn.id, run.error);
  }

  async #cancelWaiting(conversationId: string, turnId: string): Promise<string[]> {
    const turn = await this.#deps.journal.get(turnId);
    if (turn?.conversationId !== conversationId || turn.state !== "queued") return [];
    // It may have begun while we looked.
    if (this.#lanes.isRunning(turn)) return [];
    return [await this.#endWaiting(turn)];
  }

  async #endWaiting(turn: TurnRecord): Promise<string> {
    this.#waiting.delete(turn.id);
    this.#tell(await endTurn(turn, cancelledEnd(turn), this.#deps));
    return turn.id;
  }

  /** The journal has taken it out of the queue. */
  #removed(turn: TurnRecord): string {
    this.#waiting.delete(turn.id);
    const ended = withAnswer({ ...turn, state: "cancelled", errorCode: "cancelled" });
    announceEnd(ended, this.#deps);
    this.#tell(ended);
    return turn.id;
  }

  #tell(turn: TurnRecord): void {
    this.#waiters.ended(turn);
    notify(this.#endedListeners, turn);
  }
}

const placeOf = (userId: string, channelId: string): string => `${userId}/${channelId}`;

const withAnswer = (turn: TurnRecord): TurnRecord => ({ ...turn, answer: turn.answer ?? answers.removed });

function cancelledEnd(turn: TurnRecord): TurnEnd {
  const answer = turn.state === "queued" ? answers.removed : answers.stopped;
  return {
    state: "cancelled",
    answer,
    closingText: answer,
    stopReason: "cancelled",
    errorCode: "cancelled",
  };
}

function listen(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** One listener's failure must not keep the others, or the queue, from going on. */
function notify(listeners: ReadonlySet<Listener>, turn: TurnRecord): void {
  for (const listener of listeners) {
    try {
      listener(turn);
    } catch (error) {
      logger.error("a listener of turns failed", { turn_id: turn.id, error });
    }
  }
}
