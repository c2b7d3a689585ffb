import type { Actor } from "../actor.ts";
import type { ApprovalGrant, Question } from "../agent/approvals.ts";
import type { ToolOutcomeKind } from "../agent/events.ts";
import type { Audience } from "../agent/ports.ts";
import type { ErrorCode } from "../errors.ts";
import { fromChannel } from "./sources.ts";

export interface ToolCall {
  readonly toolName: string;
  readonly input: unknown;
  readonly actor: Actor;
  /** Tools that the session has active; empty for all. */
  readonly activeTools: readonly string[];
  readonly sessionId: string | null;
  readonly turnId?: string | null;
  readonly tokenId?: string | null;
  /** What the turn has read before it; nothing for a direct call. */
  readonly sources?: readonly string[];
  /** Who reads what is said with its result; the actor alone when left out, as for a program's direct call. */
  readonly audience?: Audience;
  /** The yes that this call was given. */
  readonly approval?: ApprovalGrant | null;
  /** Names the call for ever, so that what it posts is recognised when it is sent twice; made up when left out. */
  readonly callId?: string;
  /** UTF-8 bytes of its result, in place of the registry's bound: for who is no model, or cuts it themselves. */
  readonly resultBytes?: number;
  /** Only whether a tool that reads may be called so: it is decided and written down as a call, and nothing is read. */
  readonly isOnlyAsked?: boolean;
  readonly signal: AbortSignal;
}

export interface ToolOutcome {
  /** `refused`: it did not run. `asked`: nor did it, `question` has to be answered first. `unknown`: it may have changed something. */
  readonly kind: ToolOutcomeKind;
  /** The result as a JSON value within its bound, of a call that is `done`. */
  readonly value?: unknown;
  /** What is missing from the value, when all of it was too large; it is of its tool's output nonetheless. */
  readonly truncated?: string;
  /** For the model: the result, marked as untrusted data, or the sentence that says what to do. */
  readonly text: string;
  readonly isError: boolean;
  readonly code?: ErrorCode;
  /** Further fields of an error, such as the path of a bad argument. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What the result, or the sentence, was read from. */
  readonly sources: readonly string[];
  readonly retryAfterMs?: number;
  /** Of `asked` alone. */
  readonly question?: Question;
}

/**
 * What the arguments may rest on: what the turn has read, and what was said where it takes place. A program that calls
 * directly has read nothing here.
 */
export function restsOn({
  sources = [],
  turnId = null,
  actor,
}: Pick<ToolCall, "sources" | "turnId" | "actor">): readonly string[] {
  return turnId === null ? sources : [...new Set([fromChannel(actor.channelId), ...sources])];
}
