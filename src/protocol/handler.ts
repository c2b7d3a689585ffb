import { getLogger } from "@logtape/logtape";
import { AppError, type ErrorCode, toAppError } from "../errors.ts";
import { announceApprovals, createApprove } from "./approvals.ts";
import { createToolCallMemory } from "./idempotency.ts";
import type { Envelope, Reply, ReplyData } from "./messages.ts";
import type { Caller, ProtocolDeps } from "./ports.ts";
import { createProcess } from "./process.ts";
import { createSessionRequests } from "./session-requests.ts";
import { createToolCall } from "./tool-call.ts";
import { errorReply } from "./wire.ts";

const log = getLogger(["discord-mcp", "protocol"]);

export interface Protocol {
  /** Answers a request: one reply for each, whatever happens. Never rejects. */
  handle(envelope: Envelope, caller: Caller): Promise<Reply>;
}

/** The JSON message protocol without a transport: request in, reply out; events go through the hub. */
export function createProtocol(deps: ProtocolDeps): Protocol {
  const requests = createSessionRequests(deps);
  const process = createProcess(deps);
  const approve = createApprove(deps);
  const toolCall = createToolCall(deps, createToolCallMemory(deps.onForgotten));

  announceApprovals(deps);

  function answer(envelope: Envelope, caller: Caller): Promise<ReplyData> {
    switch (envelope.type) {
      case "initialize":
        return requests.initialize(envelope, caller);
      case "tool_call":
        return toolCall(envelope, caller);
      case "context_update":
        return requests.contextUpdate(envelope, caller);
      case "process":
        return process(envelope, caller);
      case "cancel":
        return requests.cancel(envelope, caller);
      case "approve":
        return approve(envelope, caller);
      default:
        return envelope.type satisfies never;
    }
  }

  return {
    async handle(envelope, caller) {
      const { id, metadata } = envelope;
      try {
        const reply = await answer(envelope, caller);
        return metadata === undefined ? { ...reply, id } : { ...reply, id, metadata };
      } catch (error) {
        return errorReply(failure(error, envelope, caller), id, metadata);
      }
    },
  };
}

/** Our own faults are logged with their cause; the receiver is told that they are ours. */
function failure(error: unknown, envelope: Envelope, caller: Caller): AppError {
  const aborted = caller.signal.aborted || (error instanceof DOMException && error.name === "AbortError");
  if (aborted && !(error instanceof AppError))
    return new AppError("cancelled", "The request was given up before it was done.");
  const failed = toAppError(error);
  if (failed.code === "internal_error")
    log.error("a request failed", { type: envelope.type, request_id: envelope.id, error: failed.cause });
  return failed;
}

/** For metrics: how a reply ended. */
export function outcomeOf(reply: Reply): "success" | ErrorCode {
  return reply.type === "error" ? reply.data.code : "success";
}
