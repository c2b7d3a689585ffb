import { eq, type InferSelectModel, sql } from "drizzle-orm";
import type { NewTurn, TurnRecord, TurnState } from "../agent/journal.ts";
import { AppError } from "../errors.ts";
import { lostMessage, readOr } from "./damaged.ts";
import type { Encryption } from "./encryption.ts";
import { prepared } from "./prepared.ts";
import { turns } from "./schema.ts";
import type { Store } from "./store.ts";

export type TurnRow = InferSelectModel<typeof turns>;

export const turnPlace = (column: "text" | "preamble" | "answer" | "idempotency_key", id: string) => ({
  table: "turns",
  column,
  row: id,
});

const states: ReadonlySet<TurnState> = new Set([
  "queued",
  "running",
  "suspended",
  "done",
  "failed",
  "cancelled",
] as const satisfies readonly TurnState[]);

/** A turn in no state that there is would be waited for without end. */
function knownState(state: TurnState): TurnState {
  if (states.has(state)) return state;
  throw new Error("A stored turn is in a state that is not known.");
}

/** Throws when any of it is damaged. */
export function toRecord(encryption: Encryption, row: TurnRow): TurnRecord {
  return record(row, (column, sealed) => encryption.open(turnPlace(column, row.id), sealed));
}

/** For what has to be worked off, whatever it is: words that are damaged say so. */
export function toWork(encryption: Encryption, row: TurnRow): TurnRecord {
  return record(row, (column, sealed) =>
    readOr(column === "text" ? lostMessage : "", { table: "turns", row: row.id }, () =>
      encryption.open(turnPlace(column, row.id), sealed),
    ),
  );
}

type Column = Parameters<typeof turnPlace>[0];

function record(row: TurnRow, open: (column: Column, sealed: Uint8Array) => string): TurnRecord {
  return {
    id: row.id,
    conversationId: row.conversationId,
    epoch: row.epoch,
    sessionId: row.sessionId,
    actor: { kind: row.actorKind, userId: row.userId, guildId: row.guildId, channelId: row.channelId },
    origin: row.origin,
    text: open("text", row.text),
    preamble: open("preamble", row.preamble),
    discordMessageId: row.discordMessageId,
    idempotencyKey: row.idempotencyKey === null ? null : open("idempotency_key", row.idempotencyKey),
    replyTo:
      row.replyChannelId === null || row.replyMessageId === null
        ? null
        : { channelId: row.replyChannelId, messageId: row.replyMessageId },
    state: knownState(row.state),
    starts: row.starts,
    acceptedAt: row.acceptedAt,
    answer: row.answer === null ? null : open("answer", row.answer),
    stopReason: row.stopReason,
    errorCode: row.errorCode,
    usage: {
      inputTokens: row.inputTokens,
      outputTokens: row.outputTokens,
      cacheCreationInputTokens: row.cacheCreationInputTokens,
      cacheReadInputTokens: row.cacheReadInputTokens,
    },
  };
}

const insert = prepared((db) =>
  db
    .insert(turns)
    .values({
      id: sql.placeholder("id"),
      conversationId: sql.placeholder("conversationId"),
      epoch: sql.placeholder("epoch"),
      sessionId: sql.placeholder("sessionId"),
      actorKind: sql.placeholder("actorKind"),
      userId: sql.placeholder("userId"),
      guildId: sql.placeholder("guildId"),
      channelId: sql.placeholder("channelId"),
      origin: sql.placeholder("origin"),
      discordMessageId: sql.placeholder("discordMessageId"),
      idempotencyKey: sql.placeholder("idempotencyKey"),
      replyChannelId: sql.placeholder("replyChannelId"),
      replyMessageId: sql.placeholder("replyMessageId"),
      text: sql.placeholder("text"),
      preamble: sql.placeholder("preamble"),
      state: "queued",
      acceptedAt: sql.placeholder("acceptedAt"),
    })
    .returning()
    .prepare(),
);

export function insertTurn(
  store: Store,
  turn: NewTurn,
  conversation: { readonly id: string; readonly epoch: number },
): TurnRow {
  const id = Bun.randomUUIDv7();
  const seal = (column: Parameters<typeof turnPlace>[0], text: string) =>
    store.encryption.seal(turnPlace(column, id), text);
  return insert(store).get({
    id,
    conversationId: conversation.id,
    epoch: conversation.epoch,
    sessionId: turn.sessionId,
    actorKind: turn.actor.kind,
    userId: turn.actor.userId,
    guildId: turn.actor.guildId,
    channelId: turn.actor.channelId,
    origin: turn.origin,
    discordMessageId: turn.discordMessageId,
    idempotencyKey: turn.idempotencyKey === null ? null : seal("idempotency_key", turn.idempotencyKey),
    replyChannelId: turn.replyTo?.channelId ?? null,
    replyMessageId: turn.replyTo?.messageId ?? null,
    text: seal("text", turn.text),
    preamble: seal("preamble", turn.preamble),
    acceptedAt: store.now(),
  });
}

export type TurnReader = ReturnType<typeof createTurnReader>;

/** Reads of one turn, prepared once. */
export function createTurnReader(store: Store) {
  const byId = store.db
    .select()
    .from(turns)
    .where(eq(turns.id, sql.placeholder("id")))
    .prepare();
  const byMessage = store.db
    .select()
    .from(turns)
    .where(eq(turns.discordMessageId, sql.placeholder("id")))
    .prepare();
  const seqById = store.db
    .select({ seq: turns.seq })
    .from(turns)
    .where(eq(turns.id, sql.placeholder("id")))
    .prepare();
  const read = (id: string): TurnRow | null => byId.get({ id }) ?? null;
  return {
    byId: read,
    byMessage: (id: string): TurnRow | null => byMessage.get({ id }) ?? null,
    /** Throws AppError `turn_not_found`. */
    need(id: string): TurnRow {
      const row = read(id);
      if (row === null) throw noTurn();
      return row;
    },
    /** By what all that belongs to it is found. Throws AppError `turn_not_found`. */
    needSeq(id: string): number {
      const row = seqById.get({ id });
      if (row === undefined) throw noTurn();
      return row.seq;
    },
  };
}

const noTurn = () => new AppError("turn_not_found", "There is no such turn; it may have been deleted.");

export const hasEnded = (row: TurnRow): boolean => row.endedAt !== null;
