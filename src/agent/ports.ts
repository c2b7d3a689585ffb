import type {
  ContentBlock,
  ContentBlockParam,
  MessageParam,
  TextBlockParam,
  Tool as ToolDefinition,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { Actor } from "../actor.ts";
import type { ErrorCode } from "../errors.ts";
import type { ToolOutcomeKind, TurnEvent, TurnOrigin, Usage } from "./events.ts";

/* ---- the model ---------------------------------------------------------------------------------- */

export interface ModelRequest {
  readonly system: readonly TextBlockParam[];
  readonly messages: readonly MessageParam[];
  readonly tools: readonly ToolDefinition[];
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
  readonly signal: AbortSignal;
}

export interface ToolCallOutcome {
  readonly kind: ToolOutcomeKind;
  /** What the model is given: already bounded, marked as untrusted, and readable. */
  readonly text: string;
  readonly isError: boolean;
  /** Where it came from, as Discord ids ("channel:1", "guild:2"); kept with the stored block. */
  readonly sources: readonly string[];
}

/** The registry as the agent sees it: what may be offered to the model, and the one way to call it. */
export interface ToolPort {
  definitions(actor: Actor, activeTools: readonly string[]): readonly ToolDefinition[];
  /** Never throws for what a tool does: a failure is an outcome. Throws only when aborted. */
  call(request: ToolCallRequest): Promise<ToolCallOutcome>;
  /** Whether running it a second time after a crash does no harm. Unknown names: true, they run nothing. */
  isRepeatable(toolName: string): boolean;
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
  | { readonly status: "accepted"; readonly turn: TurnRecord; readonly waiting: number }
  /** Seen before: the stored turn, or null when it has since been deleted (its id stays as a tombstone). */
  | { readonly status: "duplicate"; readonly turn: TurnRecord | null }
  | { readonly status: "queue_full"; readonly waiting: number };

export interface StoredToolCall {
  readonly toolUseId: string;
  readonly toolName: string;
  readonly input: unknown;
  readonly state: "pending" | "running" | "done" | "unknown";
  /** The block that answers it, once there is one. */
  readonly result: ToolResultBlockParam | null;
}

export interface StoredStep {
  readonly step: number;
  readonly content: readonly ContentBlockParam[];
  readonly stopReason: string;
  readonly toolCalls: readonly StoredToolCall[];
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
}

/**
 * The journal of turns. Each method is one transaction, committed when it resolves.
 * A conversation is (user, channel); it is made on the first accept.
 */
export interface TurnJournal {
  /** Stores the message and its id, or recognises it. `bound` is how many may wait behind a running one. */
  accept(turn: NewTurn, bound: number): Promise<AcceptResult>;
  get(turnId: string): Promise<TurnRecord | null>;
  /** All queued and running turns of all conversations, oldest first. Bounded by the queue's bound per conversation. */
  unfinished(): Promise<readonly TurnRecord[]>;
  /** The oldest queued turn of a conversation, or null. */
  nextQueued(conversationId: string): Promise<TurnRecord | null>;
  /** Marks it running, counts the start, stores its user message in the history. Null when it is no longer waiting or running. */
  begin(turnId: string): Promise<TurnRecord | null>;
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
    },
    end?: TurnEnd,
  ): Promise<void>;
  toolRunning(turnId: string, step: number, toolUseId: string): Promise<void>;
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
  readonly sources: readonly string[];
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
