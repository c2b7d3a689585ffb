import type { ContentBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { eq, max } from "drizzle-orm";
import type { Tx } from "./connection.ts";
import { messagePlace, userBlocks } from "./replay.ts";
import { messages } from "./schema.ts";
import type { Store } from "./store.ts";
import { type TurnRow, toRecord } from "./turn-rows.ts";

interface NewMessage {
  readonly ordinal: number;
  readonly role: "user" | "assistant";
  readonly content: readonly ContentBlockParam[];
  readonly step?: number;
  readonly stopReason?: string;
  readonly model?: string;
}

export function insertMessage(store: Store, tx: Tx, turnSeq: number, message: NewMessage): void {
  const content = store.encryption.seal(
    messagePlace(turnSeq, message.ordinal),
    JSON.stringify(message.content),
  );
  tx.insert(messages)
    .values({ ...message, turnSeq, content, createdAt: store.now() })
    .run();
}

export function lastOrdinal(tx: Tx, turnSeq: number): number {
  const row = tx
    .select({ last: max(messages.ordinal) })
    .from(messages)
    .where(eq(messages.turnSeq, turnSeq))
    .get();
  return row?.last ?? -1;
}

export function storeUserMessage(store: Store, tx: Tx, row: TurnRow): void {
  if (lastOrdinal(tx, row.seq) >= 0) return;
  const { preamble, text } = toRecord(store.encryption, row);
  insertMessage(store, tx, row.seq, { ordinal: 0, role: "user", content: userBlocks(preamble, text) });
}
