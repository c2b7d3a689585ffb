import type {
  ContentBlock,
  ContentBlockParam,
  MessageParam,
  TextBlockParam,
  Tool as ToolDefinition,
  ToolResultBlockParam,
  ToolSearchToolBm25_20251119,
} from "@anthropic-ai/sdk/resources/messages";
import type { Actor } from "../actor.ts";
import type { ErrorCode } from "../errors.ts";
import type { Approval, ApprovalGrant, NewApproval, Question, Verdict } from "./approvals.ts";
import type { ToolOutcomeKind, TurnEvent, TurnOrigin, Usage } from "./events.ts";

/* ---- the model ---------------------------------------------------------------------------------- */

/** Ours, or the Messages API's own search among those of ours that are deferred. */
export type ModelTool = ToolDefinition | ToolSearchToolBm25_20251119;

export interface ModelRequest {
  readonly system: readonly TextBlockParam[];
  readonly messages: readonly MessageParam[];
  readonly tools: readonly ModelTool[];
  readonly maxTokens: number;
  /** `none`: the tools stay named, so that the history with them is valid, and may not be called. Default: the model decides. */
  readonly toolChoice?: "none";
}

export interface ModelReply {
  readonly content: readonly ContentBlock[];
  /** As the Messages API gives it: end_turn, tool_use, max_tokens, refusal, pause_turn, stop_sequence, … */
  readonly stopReason: string;
  readonly usage: Usage;
  readonly model: string;
}

export interface ModelStreamHandlers {
  readonly onText: (delta: string) => void;
  /** A broken stream is being asked for again; the text given so far is void. */
  readonly onRestart: () => void;
}

/**
 * One model call. Retries (429, 5xx, 529, broken streams, `retry-after`) are inside.
 * Throws AppError `model_unavailable` or `model_error` when it gives up, and the signal's reason when aborted.
 */
export interface ModelPort {
  stream(request: ModelRequest, handlers: ModelStreamHandlers, signal: AbortSignal): Promise<ModelReply>;
}

/* ---- tools -------------------------------------------------------------------------------------- */

export interface ToolCallRequest {
  readonly toolName: string;
  readonly input: unknown;
  readonly actor: Actor;
  readonly sessionId: string;
  readonly turnId: string;
  readonly step: number;
  readonly toolUseId: string;
  /** What the turn has read so far, and so what its arguments may rest on. */
  readonly sources: readonly string[];
  /** Who reads the answer that it is made for. */
  readonly audience: Audience;
  /** The yes that this very call was given; null before it was asked for. */
  readonly approval: ApprovalGrant | null;
  readonly signal: AbortSignal;
}

export interface ToolCallOutcome {
  /** `asked`: it did not run and waits for the answer to `question`. */
  readonly kind: ToolOutcomeKind;
  /** What the model is given: already bounded, marked as untrusted, and readable. */
  readonly text: string;
  readonly isError: boolean;
  /** Where it came from: see `Source` in tools/sources.ts; kept with the stored block. */
  readonly sources: readonly string[];
  /** Of `asked` alone. */
  readonly question?: Question;
}

/** A tool as it is offered to the model. */
export interface OfferedTool {
  readonly definition: ToolDefinition;
  /** Always in front of the model; the others are found when they are needed. */
  readonly isCore: boolean;
  /** Finds the others for a model that cannot search them by itself. */
  readonly isFinder?: true;
}

/** The registry as the agent sees it: what may be offered to the model, and the one way to call it. */
export interface ToolPort {
  definitions(actor: Actor, activeTools: readonly string[]): readonly OfferedTool[];
  /** Never throws for what a tool does: a failure is an outcome. Throws only when aborted. */
  call(request: ToolCallRequest): Promise<ToolCallOutcome>;
  /**
   * Whether somebody else could do themselves what an approval is about: resolves, or throws AppError
   * `permission_denied` or `not_found`. `actor`: the one who wants to decide, in the approval's place.
   */
  assertMayApprove(approval: Approval, actor: Actor, signal: AbortSignal): Promise<void>;
  /** Whether running it a second time after a crash does no harm. Unknown names: true, they run nothing. */
  isRepeatable(toolName: string): boolean;
}

/* ---- where words may go -------------------------------------------------------------------------- */

/** Who will read something: those who can read a channel, everybody in a guild (or those who hold `permissions` there), or one person alone. */
export type Audience =
  | { readonly kind: "channel"; readonly guildId: string | null; readonly channelId: string }
  | { readonly kind: "guild"; readonly guildId: string; readonly permissions?: bigint }
  | { readonly kind: "user"; readonly guildId: string | null; readonly userId: string };

/** Keeps words from going, unasked, to people who could not have read what they rest on. */
export interface FlowPort {
  /**
   * Those of the sources that not everybody of the audience can read now, and those of which it cannot be said.
   * Throws the signal's reason alone.
   */
  restricted(audience: Audience, sources: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** What is done with an answer that rests on more than its channel may read: `ask` the asker, or give it to them alone. */
  policy(guildId: string | null): "ask" | "direct";
}

/* ---- the journal -------------------------------------------------------------------------------- */

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

/* ---- history ------------------------------------------------------------------------------------ */

export interface HistoryTurn {
  readonly turnId: string;
  /** Exactly what was sent and received, ready to be replayed: begins with a user message, ends with an assistant one. */
  readonly messages: readonly MessageParam[];
  /** Of its tool calls, and of the earlier turns that the model had read. */
  readonly sources: readonly string[];
  /** Whether its answer was posted in the conversation's channel. A program's turn: `asker`. */
  readonly answerTo: AnswerTo;
  /** What the person was answered; null without sources, since such a turn is replayed as it is. */
  readonly answer: string | null;
}

export interface StoredSummary {
  readonly text: string;
  /** The last turn that it covers. */
  readonly uptoTurnId: string;
  readonly sources: readonly string[];
}

export interface History {
  readonly summary: StoredSummary | null;
  /** Ended turns of the epoch after the summary, oldest first. */
  readonly turns: readonly HistoryTurn[];
}

export interface HistoryPort {
  load(conversationId: string, epoch: number): Promise<History>;
  saveSummary(conversationId: string, epoch: number, summary: StoredSummary): Promise<void>;
}

/* ---- approvals ----------------------------------------------------------------------------------- */

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

/* ---- the rest ----------------------------------------------------------------------------------- */

/** What a person wants of the agent. All fields optional; validated by `sessions/preferences.ts`. */
export interface Preferences {
  readonly language?: string;
  readonly tone?: string;
  readonly name?: string;
  readonly instructions?: string;
}

/** What is put in front of the model about this conversation. */
export interface TurnContextPort {
  /** The person's preferences and the session's tools, read at each turn's start. Active tools `[]` means all. */
  read(
    turn: TurnRecord,
  ): Promise<{ readonly preferences: Preferences; readonly activeTools: readonly string[] }>;
}

/** Token budgets per user and guild and day. What a turn has cost is booked by the journal, in the commit of its end. */
export interface BudgetPort {
  /** Throws AppError `budget_exceeded` with retryAfterMs when the day's tokens are spent. */
  check(actor: Actor): Promise<void>;
}

/** Receives each event of a conversation, in order, at once. Must not throw or block. */
export type TurnEventSink = (conversationId: string, event: TurnEvent) => void;
