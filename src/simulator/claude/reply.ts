import type { MessageCreateParams, StopReason, Usage } from "@anthropic-ai/sdk/resources/messages";
import type { ApiErrorType } from "./errors.ts";

/** What a brain or a script says, before it is cut to limits, counted and given ids. */
export type ReplyBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly thinking: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "tool_use"; readonly name: string; readonly input: unknown; readonly id?: string }
  /** The API's own search among the deferred tools of the request: its call and its result. */
  | { readonly type: "tool_search"; readonly query: string; readonly limit?: number };

/** How a stream goes wrong once it has begun. Events are counted as the client sees them, pings included. */
export type StreamFault =
  | { readonly kind: "cut"; readonly afterEvents: number }
  | { readonly kind: "cut_bytes"; readonly afterBytes: number }
  | {
      readonly kind: "error";
      readonly afterEvents: number;
      readonly type: ApiErrorType;
      readonly message?: string;
    }
  | { readonly kind: "malformed"; readonly afterEvents: number }
  | { readonly kind: "stall"; readonly afterEvents: number; readonly until: Promise<StallEnd> };

export type StallEnd = "go_on" | "cut";

export interface Reply {
  readonly blocks: readonly ReplyBlock[];
  /** Default: `tool_use` when there is such a block, else `end_turn`. `max_tokens` and `stop_sequence` also come of themselves. */
  readonly stopReason?: StopReason;
  /** What a `refusal` says. */
  readonly refusal?: {
    readonly category: "cyber" | "bio" | "general_harms" | null;
    readonly explanation: string | null;
  };
  /** Replaces single fields of the computed usage. */
  readonly usage?: Partial<Usage>;
  readonly fault?: StreamFault;
}

export type Brain = (request: MessageCreateParams) => Reply | Promise<Reply>;

/** A string is a reply of one text block; a function sees the request. */
export type ScriptedReply =
  | string
  | Reply
  | readonly ReplyBlock[]
  | ((request: MessageCreateParams) => string | Reply | readonly ReplyBlock[]);

export function text(value: string): ReplyBlock {
  return { type: "text", text: value };
}

export function thinking(value: string): ReplyBlock {
  return { type: "thinking", thinking: value };
}

export function toolUse(name: string, input: unknown, id?: string): ReplyBlock {
  return { type: "tool_use", name, input, ...(id === undefined ? {} : { id }) };
}

export function toolSearch(query: string, limit?: number): ReplyBlock {
  return { type: "tool_search", query, ...(limit === undefined ? {} : { limit }) };
}

export function toReply(scripted: ScriptedReply, request: MessageCreateParams): Reply {
  const value = typeof scripted === "function" ? scripted(request) : scripted;
  if (typeof value === "string") return { blocks: [text(value)] };
  return isBlocks(value) ? { blocks: value } : value;
}

function isBlocks(value: Reply | readonly ReplyBlock[]): value is readonly ReplyBlock[] {
  return Array.isArray(value);
}
