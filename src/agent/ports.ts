import type {
  ContentBlock,
  MessageParam,
  TextBlockParam,
  Tool as ToolDefinition,
  ToolSearchToolBm25_20251119,
} from "@anthropic-ai/sdk/resources/messages";
import type { Actor } from "../actor.ts";
import type { Approval, ApprovalGrant, Question } from "./approvals.ts";
import type { ToolOutcomeKind, TurnEvent, Usage } from "./events.ts";
import type { AnswerTo, TurnRecord } from "./journal.ts";

/* ---- the model --------------------------------------------------------------------------------------- */

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

/* ---- tools ------------------------------------------------------------------------------------------- */

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

/* ---- where words may go ------------------------------------------------------------------------------ */

/** Who will read something: those who can read a channel, everybody in a guild (or those who hold `permissions` there), or one person alone. */
export type Audience =
  | { readonly kind: "channel"; readonly guildId: string | null; readonly channelId: string }
  | { readonly kind: "guild"; readonly guildId: string; readonly permissions?: bigint }
  | {
      readonly kind: "user";
      readonly guildId: string | null;
      readonly userId: string;
      /** It was read for them just now, with all that it takes: they only must not have lost sight of the place. */
      readonly isAsker?: boolean;
    };

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

/* ---- history ----------------------------------------------------------------------------------------- */

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

/* ---- the person, and what they may spend ------------------------------------------------------------- */

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

/**
 * Receives each event of a conversation, in order, at once. Must not throw or block. `sources`: what the turn rests on
 * by then; none where that is not known anew, such as at its end: an event rests on what those before it of its turn do.
 */
export type TurnEventSink = (conversationId: string, event: TurnEvent, sources?: readonly string[]) => void;
