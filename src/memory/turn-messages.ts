import type { ContentBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { eq, max, sql } from "drizzle-orm";
import { prepared } from "./prepared.ts";
import { messagePlace, userBlocks } from "./replay.ts";
import { messages } from "./schema.ts";
import type { Store } from "./store.ts";
import { type TurnRow, toWork } from "./turn-rows.ts";

interface NewMessage {
  readonly ordinal: number;
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlockParam[];
  readonly step?: number;
  readonly stopReason?: string;
  readonly model?: string;
  readonly sources?: readonly string[];
}

const insert = prepared((db) =>
  db
    .insert(messages)
    .values({
      turnSeq: sql.placeholder("turnSeq"),
      ordinal: sql.placeholder("ordinal"),
      step: sql.placeholder("step"),
      role: sql.placeholder("role"),
      content: sql.placeholder("content"),
      stopReason: sql.placeholder("stopReason"),
      model: sql.placeholder("model"),
      createdAt: sql.placeholder("createdAt"),
      sources: sql.placeholder("sources"),
    })
    .prepare(),
);
const last = prepared((db) =>
  db
    .select({ last: max(messages.ordinal) })
    .from(messages)
    .where(eq(messages.turnSeq, sql.placeholder("turnSeq")))
    .prepare(),
);

/** Within a transaction, as all that writes here. */
export function insertMessage(store: Store, turnSeq: number, message: NewMessage): void {
  const { ordinal, role, step = null, stopReason = null, model = null, sources = [] } = message;
  const content = store.encryption.seal(messagePlace(turnSeq, ordinal), JSON.stringify(message.content));
  insert(store).run({
    turnSeq,
    ordinal,
    step,
    role,
    content,
    stopReason,
    model,
    createdAt: store.now(),
    sources: sources.length === 0 ? null : sources,
  });
}

export function lastOrdinal(store: Store, turnSeq: number): number {
  return last(store).get({ turnSeq })?.last ?? -1;
}

export function storeUserMessage(store: Store, row: TurnRow): void {
  if (lastOrdinal(store, row.seq) >= 0) return;
  const { preamble, text } = toWork(store.encryption, row);
  insertMessage(store, row.seq, { ordinal: 0, role: "user", content: userBlocks(preamble, text) });
}
