import type { Approval } from "../agent/approvals.ts";
import type { TurnEvent, Usage } from "../agent/events.ts";
import type { AppError } from "../errors.ts";
import { withheldNote } from "../sessions/context.ts";
import type { Envelope, ErrorFields, ErrorReply, WireUsage } from "./messages.ts";

export const seconds = (milliseconds: number): number => milliseconds / 1000;

/** A turn's event in the words of the protocol. */
export function wireEvent(event: TurnEvent): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case "turn_started":
      return { type: event.type, turn_id: event.turnId, origin: event.origin };
    case "text_delta":
      return { type: event.type, turn_id: event.turnId, step: event.step, text: event.text };
    case "step_restarted":
      return { type: event.type, turn_id: event.turnId, step: event.step };
    case "tool_started":
      return { type: event.type, ...toolCall(event), arguments: event.arguments };
    case "tool_finished":
      return { type: event.type, ...toolCall(event), outcome: event.outcome, duration_ms: event.durationMs };
    case "approval_requested":
      return requested(event);
    case "approval_decided":
      return decided(event);
    case "turn_finished":
      return {
        type: event.type,
        turn_id: event.turnId,
        response: event.response,
        stop_reason: event.stopReason,
        usage: wireUsage(event.usage),
      };
    case "turn_failed":
      return { type: event.type, turn_id: event.turnId, code: event.code, message: event.message };
    default:
      return event satisfies never;
  }
}

/**
 * The same event, as JSON, for who may not read any more what it rests on: what happens is told, and what was said is
 * not.
 */
export function withheldEvent(json: string): string {
  const event: { [field: string]: unknown } = JSON.parse(json);
  return JSON.stringify({ ...event, ...withoutContent(event), withheld: true });
}

function withoutContent({ type }: { readonly [field: string]: unknown }) {
  switch (type) {
    case "text_delta":
      return { text: "" };
    case "tool_started":
      return { arguments: {} };
    case "approval_requested":
      return { question: withheldNote };
    case "turn_finished":
      return { response: withheldNote };
    case "turn_failed":
      return { message: withheldNote };
    default:
      return {};
  }
}

/** Whether an event of ours, as JSON, asks for an approval. */
export const isQuestion = (json: string): boolean => json.startsWith('{"type":"approval_requested"');

type Requested = Omit<Extract<TurnEvent, { type: "approval_requested" }>, "type" | "turnId">;
type Decided = Omit<Extract<TurnEvent, { type: "approval_decided" }>, "type" | "turnId">;

function requested(event: Requested & { readonly turnId: string | null }) {
  return {
    type: "approval_requested",
    turn_id: event.turnId,
    approval_id: event.approvalId,
    tool_name: event.toolName,
    question: event.question,
    expires_at: seconds(event.expiresAt),
  };
}

function decided({ turnId, approvalId, state, decidedBy }: Decided & { readonly turnId: string | null }) {
  return {
    type: "approval_decided",
    turn_id: turnId,
    approval_id: approvalId,
    state,
    decided_by: decidedBy,
  };
}

/** The event of a question that belongs to no turn, which has the fields of one that does. Null: nothing to be told. */
export function wireApproval(approval: Approval): Readonly<Record<string, unknown>> | null {
  const { id: approvalId, turnId, toolName, question, expiresAt, state, decidedBy } = approval;
  if (state === "pending")
    return requested({ turnId, approvalId, toolName, question: question.text, expiresAt });
  return state === "used" ? null : decided({ turnId, approvalId, state, decidedBy });
}

function toolCall(event: { turnId: string; step: number; toolUseId: string; toolName: string }) {
  return {
    turn_id: event.turnId,
    step: event.step,
    tool_use_id: event.toolUseId,
    tool_name: event.toolName,
  };
}

export function wireUsage(usage: Usage): WireUsage {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_creation_input_tokens: usage.cacheCreationInputTokens,
    cache_read_input_tokens: usage.cacheReadInputTokens,
  };
}

/** `data` of an error: its code, when to try again, and what else helps. */
export function errorData(error: AppError): ErrorFields {
  const { code, retryAfterMs, data } = error;
  if (retryAfterMs === undefined) return { ...data, code };
  return { ...data, code, retry_after_ms: Math.ceil(retryAfterMs) };
}

export function errorReply(error: AppError, id: string, metadata?: Envelope["metadata"]): ErrorReply {
  return {
    type: "error",
    id,
    error: error.message,
    message_id: id,
    data: errorData(error),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** `data` of an event. Written by hand around an event that is JSON already, since one event goes to many. */
export function eventData(sessionId: string, epoch: string, seq: number, eventJson: string): string {
  return `{"session_id":"${sessionId}","seq":${seq},"stream_epoch":"${epoch}","event":${eventJson}}`;
}

/** A frame of the server. */
export function eventFrame(sessionId: string, epoch: string, seq: number, eventJson: string): string {
  return `{"type":"event","id":"${epoch}:${seq}","data":${eventData(sessionId, epoch, seq, eventJson)}}`;
}
