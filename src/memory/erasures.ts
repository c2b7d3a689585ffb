import { and, asc, desc, eq, gt, lte, notInArray, sql } from "drizzle-orm";
import { snowflakeTime } from "../snowflake.ts";
import type { Tx } from "./connection.ts";
import { noteForgotten } from "./forgotten-people.ts";
import { channelMarks, conversations, erasures, forgottenPeople } from "./schema.ts";
import { tombstone } from "./seen-messages.ts";
import type { Store } from "./store.ts";

export interface Erasure {
  readonly kind: "user" | "guild";
  /** The user's or guild's id. */
  readonly subject: string;
  readonly stage: "all" | "quotes";
  readonly dueAt: number;
  readonly requestedAt: number;
  readonly replyTo: { readonly channelId: string; readonly messageId: string } | null;
}

/** What is to be erased. Each method is one transaction. */
export interface Erasures {
  /**
   * Puts it on the list. What is there already becomes due at the earlier time. What a person wrote until `discordNow`
   * is not taken in later; where that is not known, this machine's clock must do, until `notAfter`.
   */
  request(
    erasure: Pick<Erasure, "kind" | "subject" | "dueAt"> & { readonly discordNow?: number },
  ): Promise<void>;
  /**
   * The same on behalf of a message in Discord, with that message's tombstone. False when the message was seen before.
   */
  requestByMessage(
    userId: string,
    message: { readonly id: string; readonly channelId: string; readonly isDirect: boolean },
  ): Promise<boolean>;
  /** Nobody has asked later than that: puts right what was noted by a clock that is ahead of Discord's. */
  notAfter(discordNow: number): Promise<void>;
  get(kind: Erasure["kind"], subject: string): Promise<Erasure | null>;
  /** The oldest that is due, but for those that are passed over, such as "user:1". */
  nextDue(now: number, passedOver?: readonly string[]): Promise<Erasure | null>;
  /** All but what others work with is gone: that is looked through again at `dueAt`. */
  leaveQuotes(erasure: Erasure, dueAt: number): Promise<void>;
  /** It cannot be carried out before `dueAt`. */
  postpone(erasure: Erasure, dueAt: number): Promise<void>;
  done(erasure: Erasure): Promise<void>;
  /** False when it was not on the list. */
  cancel(kind: Erasure["kind"], subject: string): Promise<boolean>;
  /** The guilds that people have had conversations in. */
  guildsWithData(): Promise<readonly string[]>;
}

type Row = typeof erasures.$inferSelect;

const toErasure = ({ replyChannelId, replyMessageId, ...row }: Row): Erasure => ({
  ...row,
  replyTo:
    replyChannelId === null || replyMessageId === null
      ? null
      : { channelId: replyChannelId, messageId: replyMessageId },
});

export function createErasures(store: Store): Erasures {
  const { db } = store;
  const newestMark = db
    .select({ messageId: channelMarks.messageId })
    .from(channelMarks)
    .orderBy(desc(sql`length(${channelMarks.messageId})`), desc(channelMarks.messageId))
    .limit(1);
  const is = ({ kind, subject }: Pick<Erasure, "kind" | "subject">) =>
    and(eq(erasures.kind, kind), eq(erasures.subject, subject));
  /** Not one that has been asked for meanwhile. */
  const isSame = (erasure: Erasure) => and(is(erasure), eq(erasures.requestedAt, erasure.requestedAt));
  const note = (tx: Tx, { kind, subject, requestedAt }: Erasure) => {
    if (kind === "user") noteForgotten(store, tx, subject, requestedAt);
  };
  const find = (kind: Erasure["kind"], subject: string): Row | undefined =>
    db.select().from(erasures).where(is({ kind, subject })).get();
  /** Later than whatever Discord has given us: a clock that is far behind would have it earlier than what was said. */
  const machineNow = (): number => {
    const row = newestMark.get();
    return Math.max(store.now(), row == null ? 0 : snowflakeTime(row.messageId));
  };
  const put = (
    { kind, subject, dueAt, at }: Pick<Erasure, "kind" | "subject" | "dueAt"> & { readonly at: number },
    reply: Partial<Row>,
  ) => {
    const before = find(kind, subject);
    const row = {
      // Each wish has its own time, by which it is known.
      ...{ kind, subject, stage: "all" as const, requestedAt: Math.max(at, (before?.requestedAt ?? 0) + 1) },
      ...{ replyChannelId: before?.replyChannelId ?? null, replyMessageId: before?.replyMessageId ?? null },
      ...reply,
      // The quotes that are due later are looked for in the same go.
      dueAt: before?.stage === "all" ? Math.min(before.dueAt, dueAt) : dueAt,
    };
    db.insert(erasures)
      .values(row)
      .onConflictDoUpdate({ target: [erasures.kind, erasures.subject], set: row })
      .run();
  };
  return {
    request: async ({ discordNow, ...erasure }) =>
      store.write(() => put({ ...erasure, at: Math.floor(discordNow ?? machineNow()) }, {})),
    notAfter: async (discordNow) => {
      const now = Math.floor(discordNow);
      store.write((tx) => {
        tx.update(forgottenPeople).set({ at: now }).where(gt(forgottenPeople.at, now)).run();
        const ofPerson = and(eq(erasures.kind, "user"), gt(erasures.requestedAt, now));
        tx.update(erasures).set({ requestedAt: now }).where(ofPerson).run();
      });
    },
    requestByMessage: async (userId, { id, channelId, isDirect }) =>
      store.write((tx) => {
        // A direct channel is the person's alone, so that its id names them.
        if (!tombstone(tx, id, isDirect ? "" : channelId, store.now())) return false;
        // By Discord's clock, which tells what they wrote before from what they write after.
        const at = snowflakeTime(id);
        put(
          { kind: "user", subject: userId, dueAt: 0, at },
          { replyChannelId: channelId, replyMessageId: id },
        );
        return true;
      }),
    async get(kind, subject) {
      const row = find(kind, subject);
      return row === undefined ? null : toErasure(row);
    },
    async nextDue(now, passedOver = []) {
      const row = db
        .select()
        .from(erasures)
        .where(
          and(
            lte(erasures.dueAt, now),
            notInArray(sql`${erasures.kind} || ':' || ${erasures.subject}`, [...passedOver]),
          ),
        )
        .orderBy(asc(erasures.dueAt))
        .limit(1)
        .get();
      return row === undefined ? null : toErasure(row);
    },
    leaveQuotes: async (erasure, dueAt) =>
      store.write((tx) => {
        const set = { stage: "quotes" as const, dueAt, replyChannelId: null, replyMessageId: null };
        tx.update(erasures).set(set).where(isSame(erasure)).run();
        note(tx, erasure);
      }),
    postpone: async (erasure, dueAt) =>
      store.write((tx) => {
        tx.update(erasures).set({ dueAt }).where(isSame(erasure)).run();
      }),
    done: async (erasure) =>
      store.write((tx) => {
        tx.delete(erasures).where(isSame(erasure)).run();
        note(tx, erasure);
      }),
    cancel: async (kind, subject) => {
      if (find(kind, subject) === undefined) return false;
      return store.write(
        (tx) => tx.delete(erasures).where(is({ kind, subject })).returning().all().length > 0,
      );
    },
    guildsWithData: async () =>
      db
        .selectDistinct({ id: conversations.guildId })
        .from(conversations)
        .all()
        .flatMap(({ id }) => (id === null ? [] : [id])),
  };
}
