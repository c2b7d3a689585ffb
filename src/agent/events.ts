import type { ErrorCode } from "../errors.ts";

/** Tokens of one turn, added up over its steps, as the Messages API counts them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheCreationInputTokens: number;
  readonly cacheReadInputTokens: number;
}

/**
 * How a tool call ended: `unknown` is one that changes something and whose effect cannot be established; `asked` one
 * that did not run, since a person has to approve it first.
 */
export type ToolOutcomeKind = "done" | "failed" | "refused" | "unknown" | "asked";

/**
 * What happens in a turn, in order. Discord's typing and reply, a socket and server-sent events are consumers
 * of this one stream; `protocol/` gives it its wire form.
 */
export type TurnEvent =
  | { readonly type: "turn_started"; readonly turnId: string; readonly origin: TurnOrigin }
  | { readonly type: "text_delta"; readonly turnId: string; readonly step: number; readonly text: string }
  /** The model's stream broke and the step is asked for again: forget this step's deltas. */
  | { readonly type: "step_restarted"; readonly turnId: string; readonly step: number }
  | {
      readonly type: "tool_started";
      readonly turnId: string;
      readonly step: number;
      readonly toolUseId: string;
      readonly toolName: string;
      readonly arguments: unknown;
    }
  | {
      readonly type: "tool_finished";
      readonly turnId: string;
      readonly step: number;
      readonly toolUseId: string;
      readonly toolName: string;
      readonly outcome: ToolOutcomeKind;
      readonly durationMs: number;
    }
  | {
      readonly type: "approval_requested";
      readonly turnId: string;
      readonly approvalId: string;
      /** Null: the question is where the answer may go. */
      readonly toolName: string | null;
      readonly question: string;
      readonly expiresAt: number;
    }
  | {
      readonly type: "approval_decided";
      readonly turnId: string;
      readonly approvalId: string;
      readonly state: "approved" | "denied" | "expired" | "withdrawn";
      /** The Discord user who decided; null when time or a new message did. */
      readonly decidedBy: string | null;
    }
  | {
      readonly type: "turn_finished";
      readonly turnId: string;
      readonly response: string;
      readonly stopReason: string;
      readonly usage: Usage;
    }
  /** `message` is the answer that the person gets; a cancelled turn ends with code `cancelled`. */
  | {
      readonly type: "turn_failed";
      readonly turnId: string;
      readonly code: ErrorCode;
      readonly message: string;
    };

export type TurnOrigin = "discord" | "program";
