import type { Approval, NewApproval } from "./approvals.ts";
import type { AcceptResult, NewTurn, TurnRecord } from "./journal.ts";

export type SubmitResult =
  | Exclude<AcceptResult, { readonly status: "queue_full" }>
  /** So many wait already: of the conversation, of the person everywhere, of the server, or of everybody. */
  | {
      readonly status: "queue_full";
      readonly of: "conversation" | "person" | "server" | "service";
      readonly waiting: number;
    };

/** How a turn ended, for whoever waits for it. */
export interface TurnOutcome {
  readonly turn: TurnRecord;
}

export interface CancelResult {
  /** Turns that were stopped while running. */
  readonly stopped: readonly string[];
  /** Waiting turns that were taken out of the queue. */
  readonly removed: readonly string[];
}

/**
 * Turns as the two doors see them: accept durably, run one at a time per conversation, wait, stop, resume.
 * Implemented by `createTurnService`.
 */
export interface TurnService extends AsyncDisposable {
  /** Resolves once the turn is committed. Throws AppError `shutting_down` while draining. */
  submit(turn: NewTurn): Promise<SubmitResult>;
  /**
   * Resolves when the turn has ended, at once when it already has. Rejects with the signal's reason, or AppError:
   * `turn_not_found`; `shutting_down` when a drain left it to the next process; `storage_unavailable` when its end
   * could not be stored.
   */
  wait(turnId: string, signal?: AbortSignal): Promise<TurnOutcome>;
  /** Stops the running turn and everything waiting of a conversation, or one turn of it. */
  cancel(conversationId: string, turnId?: string): Promise<CancelResult>;
  /** Stops what runs and waits, then raises the epoch. */
  reset(userId: string, channelId: string, guildId: string | null): Promise<void>;
  editQueued(discordMessageId: string, text: string): Promise<boolean>;
  removeQueued(discordMessageId: string): Promise<boolean>;
  /** Takes up every unfinished turn of an earlier process. */
  resume(): Promise<void>;
  /** Takes no more work, lets running turns finish for at most `boundMs`, hands the rest to the next process. */
  drain(boundMs: number): Promise<void>;
  /** Called each time a turn has ended (its end is committed), also for one that was taken out of the queue. */
  onEnded(listener: (turn: TurnRecord) => void): () => void;
  /** Called each time a turn begins or goes on running. */
  onRunning(listener: (turn: TurnRecord) => void): () => void;
  /**
   * Decides a question that waits; a turn whose last one it was goes on. Whoever decides must be able to do
   * themselves what it is about (of where an answer may go: the asker alone decides). Throws AppError
   * `approval_not_found` (none, or decided or expired by then: the sentence says which), `permission_denied`, or what
   * kept the permission from being established.
   */
  decide(approvalId: string, approved: boolean, byUserId: string, signal: AbortSignal): Promise<Approval>;
  /** Asks for a call that belongs to no turn. */
  ask(approval: NewApproval): Promise<Approval>;
  /** The questions of a conversation that wait for an answer, oldest first. */
  pendingApprovals(conversationId: string): Promise<readonly Approval[]>;
  /** Null when there is none. */
  approval(approvalId: string): Promise<Approval | null>;
  /** Takes the yes of a call that belongs to no turn: true once. */
  useApproval(approvalId: string): Promise<boolean>;
  /** Ends what nobody answered in time, and lets its turns go on. Resolves with how many there were. */
  expireApprovals(): Promise<number>;
  /** Called each time a question is asked, decided or expires. */
  onApproval(listener: (approval: Approval) => void): () => void;
  stats(): { readonly running: number; readonly waiting: number };
}
