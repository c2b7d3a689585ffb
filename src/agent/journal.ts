import type { ContentBlockParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import type { Actor } from "../actor.ts";
import type { ErrorCode } from "../errors.ts";
import type { Approval, NewApproval, Verdict } from "./approvals.ts";
import type { TurnOrigin, Usage } from "./events.ts";

export type TurnState = "queued" | "running" | "suspended" | "done" | "failed" | "cancelled";

/** Where a turn's answer is posted in Discord. `null` for a program's turn. */
export interface ReplyTarget {
  readonly channelId: string;
  readonly messageId: string;
}

export interface NewTurn {
  readonly sessionId: string;
  readonly actor: Actor;
  readonly origin: TurnOrigin;
  /** What the person wrote, mentions resolved; at most 32 KiB. */
  readonly text: string;
  /** Context lines for the model (who speaks, what was replied to), already marked as data. May be "". */
  readonly preamble: string;
  /** Discord's message id: the same one is accepted once, for ever. */
  readonly discordMessageId: string | null;
  /** `metadata.idempotency_key` of a program, unique within its session. */
  readonly idempotencyKey: string | null;
  readonly replyTo: ReplyTarget | null;
}

export interface TurnRecord extends NewTurn {
  readonly id: string;
  readonly conversationId: string;
  readonly epoch: number;
  readonly state: TurnState;
  /** How often it was begun by a process: 1 while it runs for the first time. */
  readonly starts: number;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
  /** The final answer, of whatever kind, once the turn has ended. */
  readonly answer: string | null;
  readonly stopReason: string | null;
  readonly errorCode: ErrorCode | null;
  readonly usage: Usage;
}

export type AcceptResult =
  | {
      readonly status: "accepted";
      readonly turn: TurnRecord;
      readonly waiting: number;
      /** The suspended turn of the conversation that this message has ended, its approvals with it. */
      readonly withdrawn: TurnRecord | null;
    }
  /** Seen before: the stored turn, or null when it has since been deleted (its id stays as a tombstone). */
  | { readonly status: "duplicate"; readonly turn: TurnRecord | null }
  | { readonly status: "queue_full"; readonly waiting: number };

export interface StoredToolCall {
  readonly toolUseId: string;
  readonly toolName: string;
  readonly input: unknown;
  /** `waiting`: for an approval. */
  readonly state: "pending" | "waiting" | "running" | "done" | "unknown";
  /** The block that answers it, once there is one. */
  readonly result: ToolResultBlockParam | null;
  /** What the result was read from. */
  readonly sources: readonly string[];
}

export interface StoredStep {
  readonly step: number;
  readonly content: readonly ContentBlockParam[];
  readonly stopReason: string;
  readonly toolCalls: readonly StoredToolCall[];
  /** What the model had read of earlier turns when it wrote this. */
  readonly sources: readonly string[];
}

export interface TurnEnd {
  readonly state: "done" | "failed" | "cancelled";
  /** What the person is shown; never empty. Stored as the turn's answer and, for Discord, due for delivery. */
  readonly answer: string;
  /** Appended to the history as an assistant message so that what is replayed always ends in one; null when
   * the last stored step already is that message. */
  readonly closingText: string | null;
  readonly stopReason: string;
  readonly errorCode: ErrorCode | null;
  /** `asker`: it rests on what not everybody in the channel may read, and goes to the person alone, in a direct message. */
  readonly answerTo: AnswerTo;
}

export type AnswerTo = "channel" | "asker";

/**
 * The journal of turns. Each method is one transaction, committed when it resolves.
 * A conversation is (user, channel); it is made on the first accept.
 */
export interface TurnJournal {
  /**
   * Stores the message and its id, or recognises it. `bound` is how many may wait behind a running one; below 0 it only
   * recognises.
   */
  accept(turn: NewTurn, bound: number): Promise<AcceptResult>;
  get(turnId: string): Promise<TurnRecord | null>;
  /** All queued and running turns of all conversations, oldest first. Bounded by the queue's bound per conversation. */
  unfinished(): Promise<readonly TurnRecord[]>;
  /** The oldest queued turn of a conversation, or null; also null while a turn of it is suspended. */
  nextQueued(conversationId: string): Promise<TurnRecord | null>;
  /** Marks it running, counts the start, stores its user message in the history. Null when it is no longer waiting or running. */
  begin(turnId: string): Promise<TurnRecord | null>;
  /**
   * Stores the questions, marks their calls as waiting and the turn as suspended; this start is not counted against it.
   * The turn is then held by nobody: it goes on when its last question is decided.
   */
  suspend(turnId: string, approvals: readonly NewApproval[]): Promise<readonly Approval[]>;
  /** All approvals of a turn, oldest first. */
  approvals(turnId: string): Promise<readonly Approval[]>;
  /** Hands a running turn back untouched to the next process: its start is not counted against it (clean shutdown). */
  yield(turnId: string): Promise<void>;
  steps(turnId: string): Promise<readonly StoredStep[]>;
  /** Commits a step's blocks, its usage, and its tool calls as `pending`; with `end`, the turn ends in the same commit. */
  saveStep(
    turnId: string,
    step: {
      readonly step: number;
      readonly content: readonly ContentBlockParam[];
      readonly stopReason: string;
      readonly usage: Usage;
      readonly model: string;
      /** See `StoredStep`. */
      readonly sources: readonly string[];
    },
    end?: TurnEnd,
  ): Promise<void>;
  toolRunning(turnId: string, step: number, toolUseId: string): Promise<void>;
  /** A running call did nothing and has to be asked about: it is `pending` again. */
  toolAsked(turnId: string, step: number, toolUseId: string): Promise<void>;
  toolEnded(
    turnId: string,
    step: number,
    toolUseId: string,
    end: {
      readonly state: "done" | "unknown";
      readonly result: ToolResultBlockParam;
      readonly sources: readonly string[];
    },
  ): Promise<void>;
  /** Ends it; a tool call without a result gets an error result in the same transaction so that history can be replayed. */
  end(turnId: string, end: TurnEnd): Promise<void>;
  /** A waiting message that its author edited. False when it is not waiting any more. */
  editQueued(discordMessageId: string, text: string): Promise<boolean>;
  /** A waiting message that was deleted: the turn goes, the tombstone stays. */
  removeQueued(discordMessageId: string): Promise<TurnRecord | null>;
  /** Ends the suspended turn of a conversation (or that one turn) with the end that is made for it, its approvals as withdrawn. */
  endSuspended(conversationId: string, turnId: string | null, end: TurnEnd): Promise<TurnRecord | null>;
  /** Removes all waiting turns of a conversation and returns them (for `!stop`, `cancel`, `!reset`). */
  cancelQueued(conversationId: string): Promise<readonly TurnRecord[]>;
  /** Raises the epoch: what is older is not replayed any more. Returns the new epoch. */
  reset(userId: string, channelId: string, guildId: string | null): Promise<number>;
  conversationId(userId: string, channelId: string, guildId: string | null): Promise<string | null>;
}

export interface Decided {
  readonly approval: Approval;
  /** The turn that can go on now, running again in the journal; null while another question of it is open, or without one. */
  readonly turn: TurnRecord | null;
}

/** Where approvals are kept. Each method is one transaction. */
export interface ApprovalStore {
  get(approvalId: string): Promise<Approval | null>;
  /** Those of a conversation that still wait, oldest first. */
  pending(conversationId: string): Promise<readonly Approval[]>;
  /** For a call that belongs to no turn. Throws AppError `rate_limited` when too many of the session wait. */
  add(approval: NewApproval): Promise<Approval>;
  /** Null when it does not wait any more (or has expired by then): what was decided first stays. */
  decide(approvalId: string, verdict: Verdict, now: number): Promise<Decided | null>;
  /** Those whose time is up. Bounded; call until it returns none. */
  expire(now: number): Promise<readonly Decided[]>;
  /** Takes the yes of a call that belongs to no turn: true once, and only while it is approved and not expired. */
  use(approvalId: string, now: number): Promise<boolean>;
}
