import { AppError, type ErrorCode } from "../errors.ts";
import { parser } from "../sessions/validation.ts";
import { type Entered, inSession } from "./access.ts";
import { askFor, takeGrant } from "./approvals.ts";
import { type createToolCallMemory, idempotencyKey } from "./idempotency.ts";
import { type Envelope, type ReplyData, ToolCallData } from "./messages.ts";
import type { Caller, DirectToolCall, DirectToolOutcome, ProtocolDeps } from "./ports.ts";

const parse = parser(ToolCallData);

/** `tool_call`: the tool runs at once, as the session's actor, under the same rules as the model's calls. */
export function createToolCall(deps: ProtocolDeps, remember: ReturnType<typeof createToolCallMemory>) {
  return async (envelope: Envelope, caller: Caller): Promise<ReplyData> => {
    const data = parse(envelope.data);
    const key = idempotencyKey(envelope.metadata);
    return inSession(deps, caller, data.session_id, "tools", (entered) => call(data, key, entered, caller));
  };

  async function call(
    data: ToolCallData,
    key: string | null,
    { session, actor }: Entered,
    caller: Caller,
  ): Promise<ReplyData> {
    const request: DirectToolCall = {
      toolName: data.tool_name,
      input: data.arguments ?? {},
      actor,
      activeTools: session.activeTools,
      sessionId: session.id,
      tokenId: caller.principal.tokenId,
      sources: [],
      approval: null,
      signal: caller.signal,
    };
    deps.sessions.count(session, "tool_call");
    let isFirst = false;
    const run = async () => {
      isFirst = true;
      const asked =
        data.approval_id == null
          ? request
          : { ...request, approval: await takeGrant(deps, data.approval_id, request, session) };
      const outcome = await deps.tools.call(asked);
      // Within what is remembered: who repeats it meanwhile is asked the same, and who repeats it later begins anew.
      if (outcome.question !== undefined) throw await askFor(deps, request, session, outcome.question);
      return outcome;
    };
    const outcome =
      key === null ? await run() : await remember(session, key, [request.toolName, request.input], run);
    // What is remembered was read a while ago.
    if (!isFirst) await deps.sessions.assertMayRead(session, outcome.sources);
    if (outcome.kind !== "done") throw refusal(outcome);
    return {
      type: "tool_result",
      data: {
        session_id: session.id,
        tool_name: data.tool_name,
        result: outcome.value,
        ...(outcome.truncated === undefined ? {} : { truncated: outcome.truncated }),
      },
    };
  }
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
