import type { Actor, OnBehalf, OnForgotten } from "../actor.ts";
import type { ApprovalGrant, Question } from "../agent/approvals.ts";
import type { ToolOutcomeKind } from "../agent/events.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { PlacesPort, Principal } from "../auth/ports.ts";
import type { Rules } from "../auth/rules.ts";
import type { ErrorCode } from "../errors.ts";
import type { EventHub } from "../sessions/events.ts";
import type { Session } from "../sessions/ports.ts";
import type { Sessions } from "../sessions/service.ts";

export interface ToolInfo {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
}

export interface DirectToolCall {
  readonly toolName: string;
  readonly input: unknown;
  readonly actor: Actor;
  readonly activeTools: readonly string[];
  readonly sessionId: string;
  readonly tokenId: string | null;
  /** What its arguments may rest on: nothing but what the program knows. */
  readonly sources: readonly string[];
  /** The yes that this very call was given. */
  readonly approval: ApprovalGrant | null;
  readonly signal: AbortSignal;
}

export interface DirectToolOutcome {
  /** `asked`: it did not run and waits for the answer to `question`. */
  readonly kind: ToolOutcomeKind;
  /** The result as a JSON value, of a call that is `done`. */
  readonly value?: unknown;
  /** What is missing from it, when all of it was too large. */
  readonly truncated?: string;
  /** What it was read from. */
  readonly sources: readonly string[];
  /** Of any other: why. */
  readonly code?: ErrorCode;
  /** Of any other: the sentence that says what to do. */
  readonly text: string;
  readonly retryAfterMs?: number;
  /** Of any other: further fields, such as the path of a bad argument. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Of `asked` alone. */
  readonly question?: Question;
}

/** The registry as this protocol sees it. */
export interface ToolsPort {
  /** What the actor may use, narrowed to the active ones; none named means all. */
  describe(actor: Actor, activeTools: readonly string[]): readonly ToolInfo[];
  /** Throws only when aborted. */
  call(request: DirectToolCall): Promise<DirectToolOutcome>;
  /** Whether somebody could do now, as themselves, what that call does. Throws AppError as a call would be refused. */
  assertMayApprove(
    call: Pick<DirectToolCall, "toolName" | "input" | "actor" | "signal">,
    approver: Actor,
  ): Promise<void>;
}

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface ProtocolDeps {
  readonly turns: Pick<
    TurnService,
    | "submit"
    | "wait"
    | "cancel"
    | "decide"
    | "ask"
    | "approval"
    | "pendingApprovals"
    | "useApproval"
    | "onApproval"
  >;
  readonly sessions: Pick<
    Sessions,
    | "open"
    | "get"
    | "cached"
    | "touch"
    | "count"
    | "context"
    | "updateContext"
    | "assertMayHear"
    | "assertMayRead"
  >;
  readonly events: EventHub;
  readonly tools: ToolsPort;
  readonly rules: Rules;
  readonly places: PlacesPort;
  readonly onForgotten?: OnForgotten;
  /** What may store something of a session's person is done by this. */
  readonly onBehalf?: OnBehalf;
  /** How long the question of a direct call waits, and its yes is good, in milliseconds; 15 minutes if not given. */
  readonly approvalMs?: number;
  /** A bearer token for this session, which dies with the token that `principal` came with. */
  readonly issueToken: (session: Session, principal: Principal) => IssuedToken;
  readonly now: () => number;
}

/** What following a session's events came to. */
export interface Followed {
  readonly epoch: string;
  readonly seq: number;
  readonly missedTooMuch: boolean;
}

export interface Follow {
  readonly since?: { readonly afterSeq: number; readonly epoch: string | null };
  /** The person has been found where the session is, just now. */
  readonly isThere?: true;
}

/** The connection that a request came over, as far as a request may act on it. */
export interface ConnectionPort {
  /** Has the session's events sent, as far as its person may hear them. A second time is harmless. Throws when it follows too many. */
  follow(session: Session, how?: Follow): Followed;
}

export interface Caller {
  readonly principal: Principal;
  /** Null for a plain HTTP request. */
  readonly connection: ConnectionPort | null;
  /** The one session of a socket that is bound to it. */
  readonly boundSessionId: string | null;
  /** Aborted when nobody waits for the answer any more. A turn goes on all the same. */
  readonly signal: AbortSignal;
  /** Hears of the turn as soon as it is accepted. */
  readonly onTurn?: (turnId: string, session: Session) => void;
}
