import { type Static, type TSchema, Type } from "typebox";
import type { ErrorCode } from "../errors.ts";
import { WireContext } from "../sessions/context.ts";
import { PreferencesUpdate } from "../sessions/preferences.ts";
import { sessionIdPattern } from "../sessions/service.ts";

/*
 * Each message once: its TypeScript type, its validator and its JSON Schema (for OpenAPI) come from here.
 * Unknown fields of `data` are passed over, so that a newer client can talk to an older server.
 */

export const requestTypes = [
  "initialize",
  "tool_call",
  "context_update",
  "process",
  "cancel",
  "approve",
] as const;
export type RequestType = (typeof requestTypes)[number];

/** Characters of a request's id and of an idempotency key. */
export const idLength = 128;
/** Bytes of a message to `process`. */
export const messageBytes = 32 * 1024;

const snowflake = (description: string) => Type.String({ pattern: "^[0-9]{1,20}$", description });
const SessionId = Type.String({ pattern: sessionIdPattern });
const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const Seconds = Type.Number({ description: "Seconds since 1970" });

export const InitializeData = Type.Object({
  session_id: Type.Optional(nullable(SessionId)),
  user_id: snowflake("The Discord user that the session acts as"),
  channel_id: snowflake("The channel that the conversation belongs to"),
  guild_id: Type.Optional(nullable(snowflake("Absent or null: a direct message"))),
  last_seq: Type.Optional(Type.Integer({ minimum: 0, description: "Send again what came after this event" })),
  stream_epoch: Type.Optional(
    nullable(Type.String({ maxLength: 64, description: "What last_seq counts in" })),
  ),
});
export type InitializeData = Static<typeof InitializeData>;

export const ToolCallData = Type.Object({
  session_id: SessionId,
  tool_name: Type.String({ minLength: 1, maxLength: 64 }),
  arguments: Type.Optional(nullable(Type.Object({}))),
  approval_id: Type.Optional(
    nullable(
      Type.String({ maxLength: 64, description: "Of the answer approval_required, once it is approved" }),
    ),
  ),
});
export type ToolCallData = Static<typeof ToolCallData>;

export const ContextUpdateData = Type.Object({
  session_id: SessionId,
  user_preferences: Type.Optional(PreferencesUpdate),
  active_tools: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 128 })),
});
export type ContextUpdateData = Static<typeof ContextUpdateData>;

export const ProcessData = Type.Object({
  session_id: SessionId,
  message: Type.String({ minLength: 1, maxLength: messageBytes, pattern: "\\S" }),
});
export type ProcessData = Static<typeof ProcessData>;

export const CancelData = Type.Object({
  session_id: SessionId,
  turn_id: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 64 }))),
});
export type CancelData = Static<typeof CancelData>;

export const ApproveData = Type.Object({
  session_id: SessionId,
  approval_id: Type.String({ minLength: 1, maxLength: 64 }),
  approved: Type.Boolean(),
});
export type ApproveData = Static<typeof ApproveData>;

export const ToolDescription = Type.Object({
  name: Type.String(),
  description: Type.String(),
  parameters: Type.Unknown({ description: "JSON Schema of the arguments" }),
});

export const PendingApproval = Type.Object({
  approval_id: Type.String(),
  turn_id: nullable(Type.String()),
  tool_name: nullable(Type.String()),
  question: Type.String(),
  expires_at: Seconds,
});

export const InitializeReply = Type.Object({
  session_id: Type.String(),
  available_tools: Type.Array(Type.String()),
  tools: Type.Array(ToolDescription),
  context: WireContext,
  token: Type.String({ description: "Bearer token that is good for this session alone" }),
  expires_at: Type.Number({ description: "When the token ends, in seconds since 1970" }),
  stream_epoch: Type.String({ description: "What seq counts in; another one after a restart" }),
  seq: Type.Integer({ description: "The newest event of the stream" }),
  missed_too_much: Type.Boolean({ description: "True when last_seq is older than what is still known" }),
  pending_approvals: Type.Array(PendingApproval, { description: "Questions that wait for approve" }),
});
export type InitializeReply = Static<typeof InitializeReply>;

export const ToolResult = Type.Object({
  session_id: Type.String(),
  tool_name: Type.String(),
  result: Type.Unknown(),
  truncated: Type.Optional(
    Type.String({ description: "What is missing from the result, when all of it was too large" }),
  ),
});
export type ToolResult = Static<typeof ToolResult>;

export const ContextUpdateReply = Type.Object({ session_id: Type.String(), context: WireContext });
export type ContextUpdateReply = Static<typeof ContextUpdateReply>;

export const WireUsage = Type.Object({
  input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
  cache_creation_input_tokens: Type.Integer(),
  cache_read_input_tokens: Type.Integer(),
});
export type WireUsage = Static<typeof WireUsage>;

export const ProcessReply = Type.Object({
  session_id: Type.String(),
  response: Type.String(),
  turn_id: Type.String(),
  stop_reason: nullable(Type.String()),
  usage: WireUsage,
});
export type ProcessReply = Static<typeof ProcessReply>;

export const CancelReply = Type.Object({
  session_id: Type.String(),
  stopped: Type.Array(Type.String(), { description: "Turns that ran" }),
  removed: Type.Array(Type.String(), { description: "Turns that waited" }),
});
export type CancelReply = Static<typeof CancelReply>;

export const ApproveReply = Type.Object({
  session_id: Type.String(),
  approval_id: Type.String(),
  approved: Type.Boolean(),
  state: Type.String({ description: "approved or denied" }),
  tool_name: nullable(Type.String({ description: "Null: the question is where an answer may be posted" })),
});
export type ApproveReply = Static<typeof ApproveReply>;

export const TicketReply = Type.Object({ ticket: Type.String(), expires_at: Seconds });
export type TicketReply = Static<typeof TicketReply>;

export const ErrorData = Type.Object({
  code: Type.String(),
  retry_after_ms: Type.Optional(Type.Integer()),
  path: Type.Optional(Type.String({ description: "The field that is wrong" })),
});

export type Metadata = Readonly<Record<string, unknown>>;

export interface Envelope {
  readonly type: RequestType;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Metadata | undefined;
}

export type ReplyData =
  | { readonly type: "initialize"; readonly data: InitializeReply }
  | { readonly type: "tool_result"; readonly data: ToolResult }
  | { readonly type: "context_update"; readonly data: ContextUpdateReply }
  | { readonly type: "response"; readonly data: ProcessReply | CancelReply | ApproveReply };

/** `data` of an error, and of HTTP's `{ error, code, data }`. */
export interface ErrorFields {
  readonly code: ErrorCode;
  readonly retry_after_ms?: number;
  readonly [further: string]: unknown;
}

export interface ErrorReply {
  readonly type: "error";
  readonly id: string;
  /** One sentence: what is wrong and what to do about it. */
  readonly error: string;
  readonly message_id: string;
  readonly data: ErrorFields;
  readonly metadata?: Metadata;
}

export type SuccessReply = ReplyData & { readonly id: string; readonly metadata?: Metadata };
export type Reply = SuccessReply | ErrorReply;
