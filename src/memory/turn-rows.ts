import { eq, type InferSelectModel, sql } from "drizzle-orm";
import type { NewTurn, TurnRecord } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
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

export function toRecord(encryption: Encryption, row: TurnRow): TurnRecord {
  const open = (column: Parameters<typeof turnPlace>[0], sealed: Uint8Array) =>
    encryption.open(turnPlace(column, row.id), sealed);
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
    state: row.state,
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
  const read = (id: string): TurnRow | null => byId.get({ id }) ?? null;
  return {
    byId: read,
    byMessage: (id: string): TurnRow | null => byMessage.get({ id }) ?? null,
    /** Throws AppError `turn_not_found`. */
    need(id: string): TurnRow {
      const row = read(id);
      if (row === null)
        throw new AppError("turn_not_found", "There is no such turn; it may have been deleted.");
      return row;
    },
  };
}

export const hasEnded = (row: TurnRow): boolean => row.endedAt !== null;
