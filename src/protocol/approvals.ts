import type { Approval, ApprovalGrant, Question } from "../agent/approvals.ts";
import { AppError } from "../errors.ts";
import { withheldNote } from "../sessions/context.ts";
import type { Session } from "../sessions/ports.ts";
import { parser } from "../sessions/validation.ts";
import { inSession } from "./access.ts";
import { ApproveData, type Envelope, type ReplyData } from "./messages.ts";
import type { Caller, DirectToolCall, ProtocolDeps } from "./ports.ts";
import { seconds, wireApproval } from "./wire.ts";

const defaultApprovalMs = 15 * 60_000;

const parse = parser(ApproveData);

/** `approve`: the session's user says yes or no to what waits in the conversation. */
export function createApprove(deps: ProtocolDeps) {
  return async (envelope: Envelope, caller: Caller): Promise<ReplyData> => {
    const data = parse(envelope.data);
    return inSession(deps, caller, data.session_id, "approve", async ({ session }) => {
      const approval = await deps.turns.approval(data.approval_id);
      if (approval === null || !isOf(approval, session)) throw unknown();
      const decided = await deps.turns.decide(approval.id, data.approved, session.userId, caller.signal);
      return {
        type: "response",
        data: {
          session_id: session.id,
          approval_id: decided.id,
          approved: data.approved,
          state: decided.state,
          tool_name: decided.toolName,
        },
      };
    });
  };
}

const isOf = ({ conversationId, actor }: Approval, session: Session): boolean =>
  conversationId === session.conversationId && actor.userId === session.userId;

/** Tells a session's connections of the questions of its direct calls; those of turns are among the turns' events. */
export function announceApprovals({ turns, events }: Pick<ProtocolDeps, "turns" | "events">): void {
  turns.onApproval((approval) => {
    if (approval.turnId !== null) return;
    const event = wireApproval(approval);
    if (event !== null)
      events.publish(approval.conversationId, event, { sessionId: approval.sessionId, origin: null });
  });
}

/**
 * What somebody is asked, as they may be told it now: without its words where they could not do themselves any more what
 * it is about, or its turn rests on what they cannot read. Throws the signal's reason alone.
 */
export async function questionNow(
  {
    tools,
    sessions,
  }: {
    readonly tools: Pick<ProtocolDeps["tools"], "assertMayApprove">;
    readonly sessions: Pick<ProtocolDeps["sessions"], "assertMayHear">;
  },
  { turnId, toolName, input, actor, question }: Approval,
  session: Session,
  signal: AbortSignal,
): Promise<string> {
  try {
    if (turnId !== null) await sessions.assertMayHear(session, turnId, "live");
    if (toolName !== null) await tools.assertMayApprove({ toolName, input, actor, signal }, actor);
    return question.text;
  } catch {
    signal.throwIfAborted();
    return withheldNote;
  }
}

/** A direct call that has to be approved: its question is stored, and named in the error that this gives. */
export async function askFor(
  { turns, now, approvalMs = defaultApprovalMs }: Pick<ProtocolDeps, "turns" | "now" | "approvalMs">,
  call: DirectToolCall,
  session: Session,
  question: Question,
): Promise<AppError> {
  const approval = await turns.ask({
    kind: "tool",
    turnId: null,
    conversationId: session.conversationId,
    sessionId: session.id,
    actor: call.actor,
    step: null,
    toolUseId: null,
    toolName: call.toolName,
    input: call.input,
    question,
    askIn: "none",
    expiresAt: now() + approvalMs,
  });
  return required(approval);
}

/**
 * The yes that a direct call brings, taken: it is good for one run of this very call. Throws AppError
 * `approval_required` while nobody has decided, `permission_denied` after a no, and `approval_not_found`.
 */
export async function takeGrant(
  { turns, now }: Pick<ProtocolDeps, "turns" | "now">,
  approvalId: string,
  { toolName, input }: Pick<DirectToolCall, "toolName" | "input">,
  session: Session,
): Promise<ApprovalGrant> {
  const approval = await turns.approval(approvalId);
  if (approval === null || !isOf(approval, session) || approval.sessionId !== session.id) throw unknown();
  if (approval.turnId !== null || approval.toolName !== toolName || !Bun.deepEquals(approval.input, input))
    throw new AppError(
      "approval_not_found",
      "This approval is for another call; repeat the one that it names.",
    );
  switch (approval.state) {
    case "pending":
      if (approval.expiresAt <= now()) throw over("has expired");
      throw required(approval);
    case "approved":
      if (approval.decidedBy === null || !(await turns.useApproval(approvalId)))
        throw over("has been used, or has expired");
      return { approvalId, fingerprint: approval.question.fingerprint, approvedBy: approval.decidedBy };
    case "denied":
      throw new AppError(
        "permission_denied",
        "This call was denied when it was asked about; do not repeat it.",
        {
          data: { approval_id: approvalId },
        },
      );
    case "expired":
      throw over("has expired");
    case "withdrawn":
      throw over("was withdrawn");
    case "used":
      throw over("has been used");
    default:
      throw approval.state satisfies never;
  }
}

function required({ id, question, expiresAt }: Approval): AppError {
  return new AppError(
    "approval_required",
    "This has to be approved before it runs: send approve with this approval_id, then repeat the call with it.",
    { data: { approval_id: id, question: question.text, expires_at: seconds(expiresAt) } },
  );
}

function over(what: string): AppError {
  return new AppError(
    "approval_not_found",
    `This approval ${what}; repeat the call without approval_id to be asked again.`,
  );
}

function unknown(): AppError {
  return new AppError("approval_not_found", "Nothing of this session waits for this approval.");
}
