import { randomBytes } from "node:crypto";
import { and, asc, eq, type InferSelectModel, sql } from "drizzle-orm";
import type { Approval, ApprovalState, NewApproval } from "../agent/approvals.ts";
import { isPending } from "./columns.ts";
import type { Encryption } from "./encryption.ts";
import { fromOwnJson } from "./json.ts";
import { prepared } from "./prepared.ts";
import { approvals } from "./schema.ts";
import type { Store } from "./store.ts";

export type ApprovalRow = InferSelectModel<typeof approvals>;

export const approvalPlace = (column: "input" | "question" | "public_text", id: string) => ({
  table: "approvals",
  column,
  row: id,
});

const byId = prepared((db) =>
  db
    .select()
    .from(approvals)
    .where(eq(approvals.id, sql.placeholder("id")))
    .prepare(),
);
const ofTurn = prepared((db) =>
  db
    .select()
    .from(approvals)
    .where(eq(approvals.turnId, sql.placeholder("turnId")))
    .orderBy(asc(approvals.seq))
    .prepare(),
);
const pendingOfTurn = prepared((db) =>
  db
    .select()
    .from(approvals)
    .where(and(eq(approvals.turnId, sql.placeholder("turnId")), eq(approvals.state, "pending")))
    .prepare(),
);

export const findApproval = (store: Store, id: string): ApprovalRow | null => byId(store).get({ id }) ?? null;

export const approvalsOfTurn = (store: Store, turnId: string): readonly ApprovalRow[] =>
  ofTurn(store).all({ turnId });

export const pendingApprovalsOfTurn = (store: Store, turnId: string): readonly ApprovalRow[] =>
  pendingOfTurn(store).all({ turnId });

export function openQuestion(encryption: Encryption, row: ApprovalRow): Approval["question"] {
  const { id, publicText, fingerprint } = row;
  return {
    text: encryption.open(approvalPlace("question", id), row.question),
    publicText: publicText === null ? null : encryption.open(approvalPlace("public_text", id), publicText),
    fingerprint,
  };
}

export function toApproval(encryption: Encryption, row: ApprovalRow): Approval {
  return {
    id: row.id,
    kind: row.kind,
    turnId: row.turnId,
    conversationId: row.conversationId,
    sessionId: row.sessionId,
    actor: { kind: row.actorKind, userId: row.userId, guildId: row.guildId, channelId: row.channelId },
    step: row.step,
    toolUseId: row.toolUseId,
    toolName: row.toolName,
    input: fromOwnJson(encryption.open(approvalPlace("input", row.id), row.input)),
    question: openQuestion(encryption, row),
    askIn: row.askIn,
    expiresAt: row.expiresAt,
    state: row.state,
    decidedBy: row.decidedBy,
    createdAt: row.createdAt,
    decidedAt: row.decidedAt,
  };
}

/** Within a transaction. `isPosted`: there is a message in Discord under which the question can be put. */
export function insertApproval(store: Store, approval: NewApproval, isPosted: boolean): Approval {
  const id = `a_${randomBytes(16).toString("base64url")}`;
  const { actor, question, input, ...rest } = approval;
  const { encryption } = store;
  const row = store.db
    .insert(approvals)
    .values({
      ...rest,
      id,
      actorKind: actor.kind,
      userId: actor.userId,
      guildId: actor.guildId,
      channelId: actor.channelId,
      input: encryption.seal(approvalPlace("input", id), JSON.stringify(input ?? null)),
      question: encryption.seal(approvalPlace("question", id), question.text),
      publicText:
        question.publicText === null
          ? null
          : encryption.seal(approvalPlace("public_text", id), question.publicText),
      fingerprint: question.fingerprint,
      state: "pending",
      createdAt: store.now(),
      delivery: isPosted && approval.askIn !== "none" ? "pending" : null,
    })
    .returning()
    .get();
  return toApproval(encryption, row);
}

/** Within a transaction, for one that is pending. A question that has not been posted yet is not posted any more. */
export function settleApproval(
  store: Store,
  row: ApprovalRow,
  state: Exclude<ApprovalState, "pending" | "used">,
  decidedBy: string | null,
  now: number,
): Approval {
  const settled = store.db
    .update(approvals)
    .set({ state, decidedBy, decidedAt: now, delivery: row.delivery === "pending" ? null : row.delivery })
    .where(and(eq(approvals.seq, row.seq), isPending(approvals.state)))
    .returning()
    .get();
  if (settled === undefined) throw new Error("An approval that is not pending was to be settled.");
  return toApproval(store.encryption, settled);
}

/** Within a transaction: those of a turn that ends before they were decided. */
export function withdrawApprovals(store: Store, turnId: string): void {
  for (const row of pendingApprovalsOfTurn(store, turnId))
    settleApproval(store, row, "withdrawn", null, store.now());
}
