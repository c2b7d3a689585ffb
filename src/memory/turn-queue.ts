import { and, asc, count, eq, sql } from "drizzle-orm";
import type { AcceptResult, NewTurn, TurnEnd, TurnJournal, TurnRecord } from "../agent/journal.ts";
import { isUnfinished } from "./columns.ts";
import type { Tx } from "./connection.ts";
import { ensureConversation, findConversation, raiseEpoch } from "./conversations.ts";
import type { StoredHistory } from "./history.ts";
import { prepared } from "./prepared.ts";
import { idempotencyKeys, seenMessages, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { insertTurn, type TurnReader, type TurnRow, toRecord, toWork, turnPlace } from "./turn-rows.ts";
import { endWithApprovals, findSuspended } from "./turn-suspension.ts";

type QueueMethods = Pick<
  TurnJournal,
  | "accept"
  | "get"
  | "unfinished"
  | "nextQueued"
  | "editQueued"
  | "removeQueued"
  | "cancelQueued"
  | "reset"
  | "conversationId"
>;

/**
 * How a turn ends whose question was passed over with a new message. It stands here and not with the agent's other
 * words, since it is written in the transaction that takes the new message in.
 */
const passedOver: TurnEnd = {
  state: "done",
  answer: "I left this undone: you wrote something else before my question was answered.",
  closingText: "I left this undone: you wrote something else before my question was answered.",
  stopReason: "withdrawn",
  errorCode: null,
  answerTo: "channel",
};

/** The part of the journal before a turn begins. Order is that of `seq`, never of a clock. */
export function createTurnQueue(store: Store, reader: TurnReader, history: StoredHistory): QueueMethods {
  const record = (row: TurnRow): TurnRecord => toRecord(store.encryption, row);
  const conversation = findConversation(store);
  const isWaiting = and(eq(turns.state, "queued"), eq(turns.starts, 0));
  return {
    async accept(turn, bound) {
      const result = store.write((tx) => accept(store, reader, tx, turn, bound));
      if (result.status === "accepted" && result.withdrawn !== null) {
        const { id, conversationId, epoch } = result.withdrawn;
        const ended = reader.byId(id);
        if (ended !== null) history.turnEnded(conversationId, epoch, ended.seq);
      }
      return result;
    },
    async get(turnId) {
      const row = reader.byId(turnId);
      return row === null ? null : record(row);
    },
    async unfinished() {
      const rows = store.db
        .select()
        .from(turns)
        .where(isUnfinished(turns.state))
        .orderBy(asc(turns.seq))
        .all();
      return rows.map((row) => toWork(store.encryption, row));
    },
    async nextQueued(conversationId) {
      if (findSuspended(store, conversationId) !== null) return null;
      const row = store.db
        .select()
        .from(turns)
        .where(
          and(isUnfinished(turns.state), eq(turns.conversationId, conversationId), eq(turns.state, "queued")),
        )
        .orderBy(asc(turns.seq))
        .limit(1)
        .get();
      return row === undefined ? null : toWork(store.encryption, row);
    },
    editQueued: async (discordMessageId, text) =>
      store.write((tx) => {
        const row = reader.byMessage(discordMessageId);
        if (row === null || row.state !== "queued") return false;
        const sealed = store.encryption.seal(turnPlace("text", row.id), text);
        tx.update(turns).set({ text: sealed }).where(eq(turns.seq, row.seq)).run();
        return true;
      }),
    removeQueued: async (discordMessageId) =>
      store.write((tx) => {
        const row = reader.byMessage(discordMessageId);
        if (row === null || row.state !== "queued") return null;
        tx.delete(turns).where(eq(turns.seq, row.seq)).run();
        return record({ ...row, state: "cancelled", stopReason: "cancelled", errorCode: "cancelled" });
      }),
    cancelQueued: async (conversationId) =>
      store.write((tx) =>
        tx
          .update(turns)
          .set({
            state: "cancelled",
            stopReason: "cancelled",
            errorCode: "cancelled",
            endedAt: store.now(),
          })
          .where(and(eq(turns.conversationId, conversationId), isUnfinished(turns.state), isWaiting))
          .returning()
          .all()
          .sort((a, b) => a.seq - b.seq)
          .map(record),
      ),
    reset: async (userId, channelId, guildId) => raiseEpoch(store, { userId, channelId, guildId }),
    conversationId: async (userId, channelId, guildId) => conversation({ userId, channelId, guildId }),
  };
}

function accept(store: Store, reader: TurnReader, tx: Tx, turn: NewTurn, bound: number): AcceptResult {
  const known = findDuplicate(store, reader, tx, turn);
  if (known !== null) return known;
  const conversation = ensureConversation(
    store,
    { userId: turn.actor.userId, channelId: turn.actor.channelId, guildId: turn.actor.guildId },
    store.now(),
  );
  const before = countUnfinished(store, conversation.id);
  if (before > bound) return { status: "queue_full", waiting: before - 1 };
  const suspended = findSuspended(store, conversation.id);
  const withdrawn = suspended === null ? null : endWithApprovals(store, reader, tx, suspended, passedOver);
  const row = insertTurn(store, turn, conversation);
  const seenAt = row.acceptedAt;
  if (turn.discordMessageId !== null)
    tx.insert(seenMessages)
      .values({ messageId: turn.discordMessageId, channelId: turn.actor.channelId, seenAt })
      .run();
  if (turn.idempotencyKey !== null)
    tx.insert(idempotencyKeys)
      .values({ hash: keyHash(store, turn, turn.idempotencyKey), turnId: row.id, seenAt })
      .run();
  return { status: "accepted", turn: toRecord(store.encryption, row), waiting: before, withdrawn };
}

/** A full queue leaves no tombstone behind: whoever tells the person so decides that the message is passed over. */
function findDuplicate(store: Store, reader: TurnReader, tx: Tx, turn: NewTurn): AcceptResult | null {
  const duplicate = (row: TurnRow | null): AcceptResult => ({
    status: "duplicate",
    turn: row === null ? null : toRecord(store.encryption, row),
  });
  if (turn.discordMessageId !== null) {
    const seen = tx
      .select({ id: seenMessages.messageId })
      .from(seenMessages)
      .where(eq(seenMessages.messageId, turn.discordMessageId))
      .get();
    if (seen !== undefined) return duplicate(reader.byMessage(turn.discordMessageId));
  }
  if (turn.idempotencyKey !== null) {
    const seen = tx
      .select({ turnId: idempotencyKeys.turnId })
      .from(idempotencyKeys)
      .where(eq(idempotencyKeys.hash, keyHash(store, turn, turn.idempotencyKey)))
      .get();
    if (seen !== undefined) return duplicate(reader.byId(seen.turnId));
  }
  return null;
}

/** Clients choose ids of sessions: one that has ended can begin anew as somebody else's, who must not get these answers. */
const keyHash = (store: Store, { sessionId, actor }: NewTurn, key: string): Uint8Array => {
  const { userId, channelId, guildId } = actor;
  return store.encryption.hash("idempotency_key", [userId, channelId, guildId ?? "", sessionId, key]);
};

const unfinished = prepared((db) =>
  db
    .select({ n: count(sql`*`) })
    .from(turns)
    .where(and(isUnfinished(turns.state), eq(turns.conversationId, sql.placeholder("conversationId"))))
    .prepare(),
);

function countUnfinished(store: Store, conversationId: string): number {
  return unfinished(store).get({ conversationId })?.n ?? 0;
}
