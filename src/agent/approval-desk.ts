import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import { Listeners } from "../listeners.ts";
import type { Approval } from "./approvals.ts";
import type { ApprovalStore, Decided, TurnRecord } from "./journal.ts";
import type { ToolPort, TurnEventSink } from "./ports.ts";

export interface DeskDeps {
  readonly approvals: ApprovalStore;
  readonly tools: Pick<ToolPort, "assertMayApprove">;
  readonly emit: TurnEventSink;
  readonly now: () => number;
  /** Called with a turn that is running again in the journal, and that nobody runs. */
  readonly goOn: (turn: TurnRecord) => void;
}

/** Where questions are announced and decided. It holds nothing: all that waits is in the journal. */
export class ApprovalDesk {
  readonly #deps: DeskDeps;
  readonly listeners = new Listeners<Approval>();

  constructor(deps: DeskDeps) {
    this.#deps = deps;
  }

  /** A turn has asked it. */
  asked(approval: Approval): void {
    const { id: approvalId, conversationId, turnId, toolName, question, expiresAt } = approval;
    if (turnId !== null)
      this.#deps.emit(conversationId, {
        type: "approval_requested",
        turnId,
        approvalId,
        toolName,
        question: question.text,
        expiresAt,
      });
    this.listeners.tell(approval);
  }

  async ask(approval: Parameters<ApprovalStore["add"]>[0]): Promise<Approval> {
    const asked = await this.#deps.approvals.add(approval);
    this.asked(asked);
    return asked;
  }

  /** See `TurnService.decide`. */
  async decide(approvalId: string, approved: boolean, by: string, signal: AbortSignal): Promise<Approval> {
    const { approvals, now } = this.#deps;
    const approval = await approvals.get(approvalId);
    if (approval === null || approval.state !== "pending" || approval.expiresAt <= now())
      throw notWaiting(approval);
    await this.#assertMayDecide(approval, approved, by, signal);
    const decided = await approvals.decide(approvalId, { approved, by }, now());
    if (decided === null) throw notWaiting(await approvals.get(approvalId));
    this.#settled(decided);
    return decided.approval;
  }

  async expire(): Promise<number> {
    for (let total = 0; ; ) {
      const expired = await this.#deps.approvals.expire(this.#deps.now());
      if (expired.length === 0) return total;
      total += expired.length;
      for (const decided of expired) this.#settled(decided);
    }
  }

  /** Its turn has ended before it was decided. */
  withdrawn(approval: Approval): void {
    this.#settled({ approval, turn: null });
  }

  async #assertMayDecide(
    approval: Approval,
    approved: boolean,
    by: string,
    signal: AbortSignal,
  ): Promise<void> {
    const isAsker = by === approval.actor.userId;
    if (approval.kind === "answer") {
      if (isAsker) return;
      throw new AppError("permission_denied", "Only the person who asked can say where their answer goes.");
    }
    if (isAsker && !approved) return;
    // Whoever stands in for the bot is still a person, with a person's permissions.
    const actor: Actor = isAsker ? approval.actor : { ...approval.actor, kind: "user", userId: by };
    await this.#deps.tools.assertMayApprove(approval, actor, signal);
  }

  #settled({ approval, turn }: Decided): void {
    const { id: approvalId, conversationId, turnId, state, decidedBy } = approval;
    if (turnId !== null && state !== "pending" && state !== "used")
      this.#deps.emit(conversationId, { type: "approval_decided", turnId, approvalId, state, decidedBy });
    this.listeners.tell(approval);
    if (turn !== null) this.#deps.goOn(turn);
  }
}

function notWaiting(approval: Approval | null): AppError {
  const sentence = {
    none: "There is no such question; it may have been deleted.",
    pending: "This question has expired; ask for it again.",
    approved: "This question has been answered already: it was approved.",
    used: "This question has been answered already: it was approved, and has been carried out.",
    denied: "This question has been answered already: it was denied.",
    expired: "This question has expired; ask for it again.",
    withdrawn: "This question does not stand any more: it was withdrawn before it was answered.",
  } as const;
  return new AppError("approval_not_found", sentence[approval?.state ?? "none"]);
}
