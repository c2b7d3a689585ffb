import { type InputRequiredResult, inputRequired, inputResponse } from "@modelcontextprotocol/server";
import type { Actor } from "../actor.ts";
import type { Approval, ApprovalGrant, Question } from "../agent/approvals.ts";
import { AppError } from "../errors.ts";
import { clientSession } from "./client-session.ts";
import type { Exchange, McpCaller, McpDeps } from "./ports.ts";
import type { CarriedState, StateSeal } from "./sealed-state.ts";

/** Under which a client puts what its person said. */
const answerKey = "approval";

export interface Approvals {
  /** The client's way to ask its person, and the state that comes back with the answer. */
  put(approval: Approval, exchange: Exchange): InputRequiredResult;
  /** What the person said to what was asked in the round before; null when it is not said yet. */
  answer(exchange: Exchange): boolean | null;
  /** What this round goes on from; null for a first one. */
  carried(exchange: Exchange): CarriedState | null;
  /** Stores the question of a call. Throws AppError `approval_required` when nobody can be asked through this client. */
  ask(call: AskedCall, question: Question, exchange: Exchange): Promise<Approval>;
  /** The yes to that call, taken: it is good for one run. Null while it is not said. Throws AppError when it was a no. */
  take(call: AskedCall, carried: CarriedState, exchange: Exchange): Promise<ApprovalGrant | Approval>;
  /** Throws AppError `approval_required`, saying how such a call can be allowed, when this client cannot carry a yes. */
  assertCanAsk(exchange: Exchange): void;
}

export interface AskedCall {
  readonly toolName: string;
  readonly input: unknown;
  readonly actor: Actor;
}

/** What a state is good for: one client of one person in one place. */
export function boundTo({ principal, actor }: McpCaller): string {
  return JSON.stringify([principal.tokenId, actor?.userId, actor?.guildId, actor?.channelId]);
}

/**
 * Questions through the Model Context Protocol: input-required in its newer revision, elicitation in the older ones
 * (which the server package makes of the same result). What is asked is stored, with the call that it is about; what
 * the client carries is its sealed name alone. So a yes holds for one run of that very call, and for nobody else's.
 */
export function createApprovals(
  deps: Pick<McpDeps, "turns" | "sessions" | "approvalMs" | "now">,
  states: StateSeal,
): Approvals {
  const { turns, approvalMs, now } = deps;

  function assertCanAsk({ caller, canElicit }: Exchange): void {
    if (!caller.principal.scopes.has("approve"))
      throw new AppError(
        "approval_required",
        "A person has to approve this first, and this token cannot carry their yes: use one with the scope approve (discord-mcp connect … --approve).",
      );
    if (!canElicit)
      throw new AppError(
        "approval_required",
        "A person has to approve this first, and this client cannot ask them (it has no elicitation): do it in Discord, or with a client that can, over standard input and output or a WebSocket.",
      );
  }

  return {
    assertCanAsk,
    put(approval, { caller }) {
      const { id: approvalId, turnId, question, expiresAt } = approval;
      const requestedSchema = { type: "object" as const, properties: {} };
      return inputRequired({
        inputRequests: {
          [answerKey]: inputRequired.elicit({ mode: "form", message: question.text, requestedSchema }),
        },
        requestState: states.seal({ approvalId, turnId, expiresAt }, boundTo(caller)),
      });
    },
    answer({ context }) {
      const said = inputResponse(context.mcpReq.inputResponses, answerKey);
      return said.kind === "elicit" ? said.action === "accept" : null;
    },
    carried: ({ context }) => context.mcpReq.requestState<CarriedState>() ?? null,
    async ask({ toolName, input, actor }, question, exchange) {
      assertCanAsk(exchange);
      const session = await clientSession(deps, exchange.caller, actor);
      return turns.ask({
        kind: "tool",
        turnId: null,
        conversationId: session.conversationId,
        sessionId: session.id,
        actor,
        step: null,
        toolUseId: null,
        toolName,
        input,
        question,
        askIn: "none",
        expiresAt: now() + approvalMs,
      });
    },
    async take(call, { approvalId }, exchange) {
      const approval = await turns.approval(approvalId);
      if (approval === null || !isOf(approval, call))
        throw new AppError(
          "approval_not_found",
          "What was asked was another call; make this one again without the state.",
        );
      const said = this.answer(exchange);
      if (said === null && approval.state === "pending") return approval;
      assertCanAsk(exchange);
      const { userId } = call.actor;
      const decided =
        approval.state === "pending"
          ? await turns.decide(approvalId, said === true, userId, exchange.signal)
          : approval;
      if (decided.state === "denied")
        throw new AppError(
          "permission_denied",
          "The person was asked whether this may be done, and said no; do not repeat it.",
        );
      if (
        decided.state !== "approved" ||
        decided.decidedBy === null ||
        !(await turns.useApproval(approvalId))
      )
        throw new AppError(
          "approval_not_found",
          "This yes has been used, or has expired; make the call again to be asked again.",
        );
      return { approvalId, fingerprint: decided.question.fingerprint, approvedBy: decided.decidedBy };
    },
  };
}

function isOf({ turnId, toolName, input, actor }: Approval, call: AskedCall): boolean {
  return (
    turnId === null &&
    toolName === call.toolName &&
    Bun.deepEquals(actor, call.actor) &&
    Bun.deepEquals(input, call.input)
  );
}
