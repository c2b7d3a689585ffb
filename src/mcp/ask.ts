import type { CallToolResult, InputRequiredResult, Tool } from "@modelcontextprotocol/server";
import { Type } from "typebox";
import { type Actor, atOnce } from "../actor.ts";
import type { TurnEvent } from "../agent/events.ts";
import type { TurnRecord } from "../agent/journal.ts";
import { programTurn } from "../agent/program-turn.ts";
import { AppError, toAppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import { parser } from "../sessions/validation.ts";
import type { Approvals } from "./approvals.ts";
import { clientSession } from "./client-session.ts";
import { idempotencyKey, keyConflict } from "./idempotency.ts";
import type { Exchange, McpDeps } from "./ports.ts";
import { progressOf, stillWorking } from "./progress.ts";
import { toolRefused } from "./results.ts";
import type { Arguments, Surface } from "./surface.ts";
import { actorOf, assertThere } from "./tools.ts";

/** As much as the other doors take in one message. */
const messageLength = 32_768;

const parse = parser(
  Type.Object(
    { message: Type.String({ minLength: 1, maxLength: messageLength }) },
    { additionalProperties: false },
  ),
  "invalid_arguments",
);

const definition: Tool = {
  name: "ask",
  title: "Ask the agent",
  description:
    "Hand a whole question or task about Discord to the agent that lives there. It remembers what you asked before, uses Discord's tools with your permissions, asks you before it changes something, and answers in words. For a single step, call the tool itself.",
  inputSchema: {
    type: "object",
    properties: {
      message: {
        type: "string",
        minLength: 1,
        maxLength: messageLength,
        description: "What you want to know or to have done, in plain words.",
      },
    },
    required: ["message"],
    additionalProperties: false,
  },
  outputSchema: {
    type: "object",
    properties: {
      answer: { type: "string" },
      turn_id: { type: "string" },
    },
    required: ["answer", "turn_id"],
  },
  annotations: {
    title: "Ask the agent",
    readOnlyHint: false,
    destructiveHint: true,
    idempotentHint: false,
    openWorldHint: true,
  },
};

type Deps = Pick<McpDeps, "rules" | "places" | "sessions" | "turns" | "onTurnEvent" | "onBehalf" | "now">;

/** A turn of the agent as a tool: the whole loop, with its memory, in a session of the client's. */
export function askSurface(deps: Deps, approvals: Approvals): Pick<Surface, "tools" | "call"> {
  const { turns, rules, onBehalf = atOnce } = deps;

  async function ask(given: Arguments, exchange: Exchange): Promise<CallToolResult | InputRequiredResult> {
    const { caller } = exchange;
    const { message } = parse(given);
    rules.assertScope(caller.principal, "turns");
    const actor = actorOf(caller);
    return onBehalf(actor, () => askAs(actor, message, exchange));
  }

  async function askAs(actor: Actor, message: string, exchange: Exchange) {
    const { caller, signal } = exchange;
    await assertThere(deps, actor, signal);
    const carried = approvals.carried(exchange);
    // Nothing is stored for what cannot go on, such as after its person was forgotten.
    if (carried !== null && (await turns.approval(carried.approvalId)) === null) throw otherCall();
    const session = await clientSession(deps, caller, actor);
    const key = idempotencyKey(exchange);
    const { turnId, isBack } =
      carried === null
        ? await submit(deps, session, actor, message, key)
        : { turnId: await goOn(carried.turnId, carried.approvalId, session, exchange), isBack: true };
    const end = await finish(turnId, session, exchange, key !== null);
    // A turn takes its time, in which its person may have lost the place, or what the answer rests on.
    await assertThere(deps, actor, signal);
    await deps.sessions.assertMayHear(session, turnId, isBack ? "again" : "live");
    return end;
  }

  /** The person's answer reaches the turn that has asked. */
  async function goOn(turnId: string | null, approvalId: string, session: Session, exchange: Exchange) {
    const approval = await turns.approval(approvalId);
    if (turnId === null || approval?.turnId !== turnId || approval.conversationId !== session.conversationId)
      throw otherCall();
    const said = approvals.answer(exchange);
    if (said !== null && approval.state === "pending") {
      approvals.assertCanAsk(exchange);
      await turns.decide(approvalId, said, session.userId, exchange.signal);
    }
    return turnId;
  }

  /**
   * To the turn's end, or to what it has to ask its person. Who gives up stops the turn, unless they have named it, so
   * as to come back for the answer.
   */
  async function finish(turnId: string, session: Session, exchange: Exchange, isNamed: boolean) {
    const { signal } = exchange;
    const progress = progressOf(exchange);
    let bell = Promise.withResolvers<void>();
    const unsubscribe = deps.onTurnEvent((event) => {
      if (event.turnId !== turnId) return;
      const message = messageOf(event);
      if (message !== null) progress.tell(message);
      if (event.type !== "approval_requested") return;
      bell.resolve();
      bell = Promise.withResolvers();
    });
    const ended = turns.wait(turnId, signal);
    ended.catch(() => {});
    try {
      for (;;) {
        const rung = bell.promise;
        const question = await nextQuestion(turnId, session);
        if (question !== null && canAsk(exchange)) return approvals.put(question, exchange);
        if (question === null) {
          const end = await Promise.race([ended, rung]);
          if (end !== undefined) return answerOf(end.turn);
        } else {
          // Nobody could say yes through this client: the model is told so, and goes on without.
          await turns.decide(question.id, false, session.userId, signal);
        }
      }
    } catch (error) {
      if (signal.aborted && !isNamed) await turns.cancel(session.conversationId, turnId);
      throw error;
    } finally {
      unsubscribe();
    }
  }

  const canAsk = (exchange: Exchange): boolean =>
    exchange.canElicit && exchange.caller.principal.scopes.has("approve");

  async function nextQuestion(turnId: string, { conversationId }: Session) {
    const pending = await turns.pendingApprovals(conversationId);
    return pending.find((approval) => approval.turnId === turnId) ?? null;
  }

  async function call(given: Arguments, exchange: Exchange) {
    try {
      return await stillWorking(exchange, "The agent is still at work.", ask(given, exchange));
    } catch (error) {
      exchange.signal.throwIfAborted();
      const failure = toAppError(error);
      if (failure.code === "internal_error") throw error;
      return toolRefused(failure);
    }
  }

  return {
    tools: ({ caller }) => (caller.principal.scopes.has("turns") ? [definition] : []),
    call: (name, given, exchange) => (name === definition.name ? call(given, exchange) : null),
  };
}

const otherCall = (): AppError =>
  new AppError("approval_not_found", "What was asked belongs to another call; ask again.");

async function submit(
  { turns, now }: Deps,
  session: Session,
  actor: TurnRecord["actor"],
  text: string,
  idempotencyKey: string | null,
): Promise<{ readonly turnId: string; readonly isBack: boolean }> {
  const said = { sessionId: session.id, actor, text, idempotencyKey };
  const result = await turns.submit(programTurn(said, now()));
  if (result.status === "accepted") return { turnId: result.turn.id, isBack: false };
  if (result.status === "queue_full")
    throw new AppError(
      "queue_full",
      `${result.waiting} questions of this ${result.of} are waiting already; ask again when one of them is answered.`,
    );
  if (result.turn === null) throw keyConflict("The turn of this idempotency key has been deleted since.");
  if (result.turn.text !== text) throw keyConflict("This idempotency key was used for another question.");
  return { turnId: result.turn.id, isBack: true };
}

function messageOf(event: TurnEvent): string | null {
  switch (event.type) {
    case "turn_started":
      return "The agent has begun.";
    case "step_restarted":
      return "The model's answer broke off and is asked for again.";
    case "tool_started":
      return `The agent uses ${event.toolName}.`;
    case "tool_finished":
      return `${event.toolName}: ${event.outcome}.`;
    case "approval_requested":
    case "approval_decided":
    case "text_delta":
    case "turn_finished":
    case "turn_failed":
      return null;
    default:
      return event satisfies never;
  }
}

function answerOf(turn: TurnRecord): CallToolResult {
  const answer = turn.answer ?? "";
  if (turn.state === "done")
    return { content: [{ type: "text", text: answer }], structuredContent: { answer, turn_id: turn.id } };
  const code = turn.errorCode ?? (turn.state === "cancelled" ? "cancelled" : "turn_failed");
  throw new AppError(code, answer === "" ? "The turn failed; please ask again." : answer, {
    data: { turn_id: turn.id },
  });
}
