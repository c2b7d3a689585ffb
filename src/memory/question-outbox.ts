import { and, asc, eq, isNotNull, sql } from "drizzle-orm";
import type { Outbox, Post } from "../discord/ports.ts";
import { type ApprovalRow, openQuestion, toApproval } from "./approval-rows.ts";
import { isPending, isPlanned } from "./columns.ts";
import type { Tx } from "./connection.ts";
import { readOr } from "./damaged.ts";
import { approvals, posts, turns } from "./schema.ts";
import type { Store } from "./store.ts";

type QuestionMethods = Pick<Outbox, "unasked" | "planQuestion" | "unshownVerdicts" | "markShown">;

/** The outbox's part for questions: asked as one post with buttons, the one of ordinal 0, which later shows the verdict. */
export function createQuestionOutbox(
  store: Store,
  insertPosts: (tx: Tx, planned: readonly Post[]) => void,
): QuestionMethods {
  const { db, encryption } = store;
  return {
    async unasked(limit) {
      const rows = db
        .select({ approval: approvals, channelId: turns.replyChannelId, messageId: turns.replyMessageId })
        .from(approvals)
        .innerJoin(turns, eq(turns.id, approvals.turnId))
        .where(isPending(approvals.delivery))
        .orderBy(asc(approvals.seq))
        .limit(limit)
        .all();
      return rows.flatMap(({ approval, channelId, messageId }) => {
        if (approval.askIn === "none" || channelId === null || messageId === null) return [];
        const question = readOr(null, placeOf(approval), () => asked(approval));
        if (question === null) return [];
        return [{ ...question, askIn: approval.askIn, channelId, replyToMessageId: messageId }];
      });
    },
    async planQuestion(approvalId, planned) {
      const postNonce = planned.find((post) => post.ordinal === 0)?.nonce ?? null;
      store.write((tx) => {
        const due = tx
          .select({ delivery: approvals.delivery })
          .from(approvals)
          .where(and(eq(approvals.id, approvalId), isNotNull(approvals.delivery)))
          .get();
        if (due === undefined) return;
        insertPosts(tx, planned);
        tx.update(approvals)
          .set({ delivery: postNonce === null ? null : "planned", postNonce })
          .where(and(eq(approvals.id, approvalId), isPending(approvals.delivery)))
          .run();
      });
    },
    async unshownVerdicts(limit) {
      const rows = db
        .select({ approval: approvals, channelId: posts.channelId, messageId: posts.messageId })
        .from(approvals)
        .innerJoin(posts, eq(posts.nonce, approvals.postNonce))
        .where(
          and(
            isPlanned(approvals.delivery),
            sql`${approvals.state} <> 'pending'`,
            isNotNull(posts.messageId),
          ),
        )
        .orderBy(asc(approvals.seq))
        .limit(limit)
        .all();
      return rows.flatMap(({ approval, channelId, messageId }) => {
        const decided = readOr(null, placeOf(approval), () => toApproval(encryption, approval));
        return decided === null || messageId === null ? [] : [{ approval: decided, channelId, messageId }];
      });
    },
    async markShown(approvalId) {
      store.write((tx) =>
        tx.update(approvals).set({ delivery: "shown" }).where(eq(approvals.id, approvalId)).run(),
      );
    },
  };

  function asked(row: ApprovalRow) {
    const { id: approvalId, kind, userId, expiresAt } = row;
    return { approvalId, kind, userId, expiresAt, question: openQuestion(encryption, row) };
  }
}

/** One that is damaged expires like any other, and its asker is told so. */
const placeOf = ({ id }: ApprovalRow) => ({ table: "approvals", row: id });

/** Within a transaction: a question whose post Discord does not take has no message that could show a verdict. */
export function unpostable(tx: Tx, nonce: string): void {
  tx.update(approvals)
    .set({ delivery: null })
    .where(and(isPlanned(approvals.delivery), eq(approvals.postNonce, nonce)))
    .run();
}
