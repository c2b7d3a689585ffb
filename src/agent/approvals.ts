import type { Actor } from "../actor.ts";

/** What a person is asked before something is done on their behalf. */
export interface Question {
  /** In plain words: what will happen, to what. */
  readonly text: string;
  /** The same without anything that not everybody in the channel may read; null when `text` may be read by all. */
  readonly publicText: string | null;
  /** Of the call and of the state of what it is about: a yes holds for these alone. */
  readonly fingerprint: string;
}

/** A yes as a call brings it. */
export interface ApprovalGrant {
  readonly approvalId: string;
  readonly fingerprint: string;
  /** The Discord user who gave it. */
  readonly approvedBy: string;
}

export interface Verdict {
  readonly approved: boolean;
  /** The Discord user who decides. */
  readonly by: string;
}

export type ApprovalState = "pending" | "approved" | "denied" | "expired" | "withdrawn" | "used";

export interface NewApproval {
  /** `tool`: whether a call may run. `answer`: whether the answer may be posted where it was asked for. */
  readonly kind: "tool" | "answer";
  /** Null for a program's direct call. */
  readonly turnId: string | null;
  readonly conversationId: string;
  readonly sessionId: string;
  readonly actor: Actor;
  /** The call that waits; null for `answer` and for a direct call. */
  readonly step: number | null;
  readonly toolUseId: string | null;
  /** Null for `answer`. */
  readonly toolName: string | null;
  /** The call's arguments, by which whoever presses the button is authorised. */
  readonly input: unknown;
  readonly question: Question;
  /**
   * Where Discord shows it: `channel`, as a reply to the message that led to it; `direct`, to the asker alone, since
   * the question itself is not for everybody there; `none`, for programs, which hear the event.
   */
  readonly askIn: "channel" | "direct" | "none";
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Approval extends NewApproval {
  /** "a_" and 22 base64url characters. */
  readonly id: string;
  readonly state: ApprovalState;
  readonly decidedBy: string | null;
  readonly createdAt: number;
  readonly decidedAt: number | null;
}
