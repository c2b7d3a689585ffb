import { and, asc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import type { Outbox, Post } from "../discord/ports.ts";
import { isPending } from "./columns.ts";
import type { Tx } from "./connection.ts";
import { lostWords, readOr } from "./damaged.ts";
import { createQuestionOutbox, unpostable } from "./question-outbox.ts";
import { posts, turns } from "./schema.ts";
import { tombstone } from "./seen-messages.ts";
import type { Store } from "./store.ts";
import { turnPlace } from "./turn-rows.ts";

const place = (nonce: string) => ({ table: "posts", column: "content", row: nonce });

/** Failure reasons are words of ours, so this is only against accidents. */
const maxReason = 200;

export function createOutbox(store: Store): Outbox {
  const ours = store.db
    .select({ one: sql<number>`1` })
    .from(posts)
    .where(eq(posts.messageId, sql.placeholder("messageId")))
    .prepare();
  const isOpen = (nonce: string) => and(eq(posts.nonce, nonce), inArray(posts.state, ["pending", "sending"]));
  const update = (nonce: string, set: Partial<typeof posts.$inferInsert>): boolean =>
    store.write(
      (tx) =>
        tx.update(posts).set(set).where(isOpen(nonce)).returning({ seq: posts.seq }).get() !== undefined,
    );
  return {
    ...createQuestionOutbox(store, (tx, planned) => insertPosts(store, tx, planned)),
    undelivered: async (limit) => undelivered(store, limit),
    async planAnswer(turnId, planned) {
      store.write((tx) => {
        const due = tx
          .update(turns)
          .set({ delivery: "planned" })
          .where(and(eq(turns.id, turnId), isNotNull(turns.delivery)))
          .returning({ seq: turns.seq })
          .get();
        if (due !== undefined) insertPosts(store, tx, planned);
      });
    },
    planNotice: async (triggerMessageId, channelId, planned) =>
      store.write((tx) => {
        if (!tombstone(tx, triggerMessageId, channelId, store.now())) return false;
        insertPosts(store, tx, planned);
        return true;
      }),
    open: async (limit) => openPosts(store, limit),
    nextOfEach: async (limit) => nextOfEach(store, limit),
    markSending: async (nonce, now) => update(nonce, { state: "sending", sendingAt: now }),
    async markSent(nonce, messageId) {
      update(nonce, { state: "sent", messageId, content: null });
    },
    async markFailed(nonce, reason) {
      store.write((tx) => {
        const set = { state: "failed" as const, failure: reason.slice(0, maxReason), content: null };
        tx.update(posts).set(set).where(isOpen(nonce)).run();
        unpostable(tx, nonce);
      });
    },
    isOurs: async (messageId) => ours.get({ messageId }) !== undefined,
  };
}

function undelivered(store: Store, limit: number): Awaited<ReturnType<Outbox["undelivered"]>> {
  const rows = store.db
    .select({
      id: turns.id,
      userId: turns.userId,
      channelId: turns.replyChannelId,
      messageId: turns.replyMessageId,
      answer: turns.answer,
      answerTo: turns.answerTo,
    })
    .from(turns)
    .where(isPending(turns.delivery))
    .orderBy(asc(turns.seq))
    .limit(limit)
    .all();
  return rows.flatMap(({ id, userId, channelId, messageId, answer, answerTo }) => {
    if (channelId === null || messageId === null || answer === null) return [];
    const text = readOr(lostWords, { table: "turns", row: id }, () =>
      store.encryption.open(turnPlace("answer", id), answer),
    );
    return [{ turnId: id, channelId, replyToMessageId: messageId, userId, answer: text, answerTo }];
  });
}

/** A nonce that is stored already is the same post planned twice. */
function insertPosts(store: Store, tx: Tx, planned: readonly Post[]): void {
  if (planned.length === 0) return;
  const rows = planned.map((post) => ({
    ...post,
    content: store.encryption.seal(place(post.nonce), post.content),
    createdAt: store.now(),
  }));
  tx.insert(posts).values(rows).onConflictDoNothing({ target: posts.nonce }).run();
}

function openPosts(store: Store, limit: number): readonly Post[] {
  return opened(
    store,
    store.db.select().from(posts).where(areOpen).orderBy(asc(posts.seq)).limit(limit).all(),
  );
}

function nextOfEach(store: Store, limit: number): readonly Post[] {
  const rank = sql`row_number() over (partition by ${posts.channelId} order by ${posts.seq})`;
  const order = [sql`${rank}`, asc(posts.seq)];
  return opened(
    store,
    store.db
      .select()
      .from(posts)
      .where(areOpen)
      .orderBy(...order)
      .limit(limit)
      .all(),
  );
}

const areOpen = sql`state in ('pending', 'sending')`;

function opened(store: Store, rows: readonly (typeof posts.$inferSelect)[]): readonly Post[] {
  return rows.flatMap(({ content, seq: _seq, failure: _failure, createdAt: _createdAt, ...post }) => {
    if (content === null) return [];
    const read = () => store.encryption.open(place(post.nonce), content);
    return [{ ...post, content: readOr(lostWords, { table: "posts", row: post.nonce }, read) }];
  });
}
