import { AppError, type ErrorCode } from "../errors.ts";
import { parser } from "../sessions/validation.ts";
import { useSession } from "./access.ts";
import { type createToolCallMemory, idempotencyKey } from "./idempotency.ts";
import { type Envelope, type ReplyData, ToolCallData } from "./messages.ts";
import type { Caller, DirectToolCall, DirectToolOutcome, ProtocolDeps } from "./ports.ts";

const parse = parser(ToolCallData);

/** `tool_call`: the tool runs at once, as the session's actor, under the same rules as the model's calls. */
export function createToolCall(deps: ProtocolDeps, remember: ReturnType<typeof createToolCallMemory>) {
  return async (envelope: Envelope, caller: Caller): Promise<ReplyData> => {
    const data = parse(envelope.data);
    const key = idempotencyKey(envelope.metadata);
    const found = useSession(deps, caller, data.session_id, "tools");
    const session = found instanceof Promise ? await found : found;
    const request: DirectToolCall = {
      toolName: data.tool_name,
      input: data.arguments ?? {},
      actor: deps.rules.actorFor(caller.principal, session),
      activeTools: session.activeTools,
      sessionId: session.id,
      tokenId: caller.principal.tokenId,
      signal: caller.signal,
    };
    deps.sessions.count(session, "tool_call");
    const outcome =
      key === null
        ? await deps.tools.call(request)
        : await remember(session, key, [request.toolName, request.input], () => deps.tools.call(request));
    if (outcome.kind !== "done") throw refusal(outcome);
    return {
      type: "tool_result",
      data: { session_id: session.id, tool_name: data.tool_name, result: outcome.value },
    };
  };
}

function refusal(outcome: DirectToolOutcome): AppError {
  return new AppError(outcome.code ?? fallback(outcome.kind), outcome.text, {
    ...(outcome.retryAfterMs === undefined ? {} : { retryAfterMs: outcome.retryAfterMs }),
    ...(outcome.data === undefined ? {} : { data: outcome.data }),
  });
}

function fallback(kind: DirectToolOutcome["kind"]): ErrorCode {
  if (kind === "unknown") return "outcome_unknown";
  return kind === "refused" ? "permission_denied" : "internal_error";
}
