import { getLogger } from "@logtape/logtape";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import { Listeners } from "../listeners.ts";
import type { Metrics } from "../metrics.ts";
import { type Delay, delay } from "../waiting.ts";
import { shutdownReason, stoppedByPerson } from "./abort.ts";
import { acceptTurn, type Room } from "./accept-turn.ts";
import { ApprovalDesk } from "./approval-desk.ts";
import type { Approval, NewApproval } from "./approvals.ts";
import { ConversationLanes } from "./conversation-lanes.ts";
import type { ApprovalStore, NewTurn, TurnRecord } from "./journal.ts";
import type { TurnEventSink } from "./ports.ts";
import { Resets } from "./resets.ts";
import { TokenGauge } from "./token-gauge.ts";
import { defaultApprovalMs, type TurnDeps } from "./turn-deps.ts";
import { stoppedEnd, TurnEnds, withAnswer } from "./turn-ends.ts";
import { type RunnerDeps, runToItsEnd } from "./turn-runner.ts";
import type { CancelResult, SubmitResult, TurnOutcome, TurnService } from "./turn-service.ts";
import { TurnWaiters } from "./turn-waiters.ts";
import { WaitingTurns } from "./waiting-turns.ts";

const log = getLogger(["discord-mcp", "agent"]);

/** What a turn needs, and what its coming and going is told to. */
export interface TurnServiceDeps extends Omit<TurnDeps, "config" | "gauge" | "now" | "approvalMs"> {
  readonly config: Pick<Config, "model" | "turn">;
  readonly approvals: ApprovalStore;
  /** How long a question waits for an answer; 15 minutes if not given. */
  readonly approvalMs?: number;
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

class Turns implements TurnService {
  readonly #deps: RunnerDeps;
  readonly #room: Room;
  readonly #lanes: ConversationLanes;
  readonly #waiters = new TurnWaiters();
  readonly #waiting: WaitingTurns;
  readonly #ends: TurnEnds;
  readonly #running = new Listeners<TurnRecord>();
  readonly #desk: ApprovalDesk;
  readonly #approvals: ApprovalStore;
  readonly #resets = new Resets();
  #state: "open" | "draining" | "drained" = "open";

  constructor(deps: TurnServiceDeps) {
    const now = deps.now ?? Date.now;
    this.#desk = new ApprovalDesk({ ...deps, now, goOn: (turn) => this.#goOn(turn) });
    this.#deps = {
      ...deps,
      now,
      delay: deps.delay ?? delay,
      gauge: new TokenGauge(),
      approvalMs: deps.approvalMs ?? defaultApprovalMs,
      onRunning: (turn) => {
        this.#waiting.delete(turn.id);
        this.#running.tell(turn);
      },
      onAsked: (approval) => this.#desk.asked(approval),
    };
    this.#approvals = deps.approvals;
    this.#waiting = new WaitingTurns(deps.config.turn);
    this.#room = { journal: deps.journal, waiting: this.#waiting, queue: deps.config.turn.queue };
    this.#ends = new TurnEnds({
      run: this.#deps,
      waiters: this.#waiters,
      waiting: this.#waiting,
      onWithdrawn: (approval) => this.#desk.withdrawn(approval),
    });
    this.#lanes = new ConversationLanes({
      journal: deps.journal,
      concurrent: deps.config.turn.concurrent,
      delay: this.#deps.delay,
      run: (turn, signal) => this.#run(turn, signal),
    });
  }

  async submit(turn: NewTurn): Promise<SubmitResult> {
    if (this.#state !== "open") throw shutdownReason();
    await this.#resets.settled(turn.actor);
    const result = await acceptTurn(turn, this.#room);
    if (result.status === "accepted") {
      if (result.withdrawn !== null) await this.#ends.suspended(result.withdrawn);
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
    const stopped = new Set<string>();
    const endSuspended = async () => {
      const turn = await this.#deps.journal.endSuspended(conversationId, turnId ?? null, stoppedEnd);
      if (turn === null) return;
      stopped.add(turn.id);
      await this.#ends.suspended(turn);
      const next = await this.#deps.journal.nextQueued(conversationId);
      if (next !== null) this.#lanes.wake(next);
    };
    if (turnId === undefined)
      for (const turn of await this.#deps.journal.cancelQueued(conversationId))
        removed.push(this.#ends.removed(turn));
    else removed.push(...(await this.#cancelWaiting(conversationId, turnId)));
    await endSuspended();
    for (const turn of this.#lanes.takeBegun(conversationId, turnId))
      removed.push(await this.#ends.waiting(turn));
    const running = await this.#lanes.stop(conversationId, stoppedByPerson(), turnId);
    if (running !== null) {
      stopped.add(running);
      // It may have been about to ask something.
      await endSuspended();
    }
    return { stopped: [...stopped].filter((id) => !removed.includes(id)), removed };
  }

  async reset(userId: string, channelId: string, guildId: string | null): Promise<void> {
    await this.#resets.run({ userId, channelId }, async () => {
      const conversationId = await this.#deps.journal.conversationId(userId, channelId, guildId);
      if (conversationId !== null) await this.cancel(conversationId);
      await this.#deps.journal.reset(userId, channelId, guildId);
    });
  }

  editQueued(discordMessageId: string, text: string): Promise<boolean> {
    return this.#deps.journal.editQueued(discordMessageId, text);
  }

  async removeQueued(discordMessageId: string): Promise<boolean> {
    const turn = await this.#deps.journal.removeQueued(discordMessageId);
    if (turn !== null) this.#ends.removed(turn);
    return turn !== null;
  }

  async resume(): Promise<void> {
    const turns = await this.#deps.journal.unfinished();
    if (turns.length > 0) log.info("unfinished turns are taken up", { turns: turns.length });
    for (const turn of turns) {
      if (this.#lanes.isRunning(turn)) continue;
      this.#waiting.add(turn.id, turn.actor);
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

  onEnded(listener: (turn: TurnRecord) => void): () => void {
    return this.#ends.listeners.add(listener);
  }

  onRunning(listener: (turn: TurnRecord) => void): () => void {
    return this.#running.add(listener);
  }

  decide(approvalId: string, approved: boolean, byUserId: string, signal: AbortSignal): Promise<Approval> {
    return this.#desk.decide(approvalId, approved, byUserId, signal);
  }

  ask(approval: NewApproval): Promise<Approval> {
    return this.#desk.ask(approval);
  }

  pendingApprovals(conversationId: string): Promise<readonly Approval[]> {
    return this.#approvals.pending(conversationId);
  }

  approval(approvalId: string): Promise<Approval | null> {
    return this.#approvals.get(approvalId);
  }

  useApproval(approvalId: string): Promise<boolean> {
    return this.#approvals.use(approvalId, this.#deps.now());
  }

  expireApprovals(): Promise<number> {
    return this.#desk.expire();
  }

  onApproval(listener: (approval: Approval) => void): () => void {
    return this.#desk.listeners.add(listener);
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
    if (run.kind === "ended") this.#ends.tell(run.turn);
    if (run.kind === "lost") this.#waiters.failed(turn.id, run.error);
  }

  async #cancelWaiting(conversationId: string, turnId: string): Promise<string[]> {
    const turn = await this.#deps.journal.get(turnId);
    if (turn?.conversationId !== conversationId || turn.state !== "queued") return [];
    // It may have begun while we looked.
    if (this.#lanes.isRunning(turn)) return [];
    return [await this.#ends.waiting(turn)];
  }

  /** Its last question is decided, and the journal has set it running again. */
  #goOn(turn: TurnRecord): void {
    this.#waiting.add(turn.id, turn.actor);
    this.#lanes.wakeBegun(turn);
  }
}
