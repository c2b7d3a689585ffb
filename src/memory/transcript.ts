import type { ContentBlockParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages";
import { and, count, desc, eq, inArray, lt, max, sql } from "drizzle-orm";
import type { HistoryEntry, TranscriptPort } from "../sessions/ports.ts";
import { openBlocks, openResult } from "./replay.ts";
import { conversations, messages, toolCalls, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { turnPlace } from "./turn-rows.ts";

/** Turns that are read at a time, newest first, until there are entries enough. */
const pageTurns = 25;
const maxEntries = 1000;
const maxConversations = 1000;

const hasBegun = sql`exists (select 1 from ${messages} where ${messages.turnSeq} = ${turns.seq})`;

/** Blocks as a person reads them: the text alone. */
export function createTranscript(store: Store): TranscriptPort {
  return {
    async sourcesOf(turnId) {
      const seq = store.db.select({ seq: turns.seq }).from(turns).where(eq(turns.id, turnId));
      const said = store.db.select({ sources: messages.sources }).from(messages);
      const read = store.db.select({ sources: toolCalls.sources }).from(toolCalls);
      const rows = [
        ...said.where(inArray(messages.turnSeq, seq)).all(),
        ...read.where(inArray(toolCalls.turnSeq, seq)).all(),
      ];
      return [...new Set(rows.flatMap(({ sources }) => sources ?? []))];
    },
    async recent(conversationId, limit) {
      const wanted = Math.min(Math.max(0, limit), maxEntries);
      const epoch = store.db
        .select({ epoch: conversations.epoch })
        .from(conversations)
        .where(eq(conversations.id, conversationId))
        .get()?.epoch;
      if (epoch === undefined || wanted === 0) return [];
      const entries: HistoryEntry[] = [];
      let before = Number.MAX_SAFE_INTEGER;
      while (entries.length < wanted) {
        const page = readTurns(store, conversationId, epoch, before);
        const oldest = page[0];
        if (oldest === undefined) break;
        entries.unshift(...entriesOf(store, page));
        before = oldest.seq;
      }
      return entries.slice(-wanted);
    },
    async conversations(userId, limit) {
      const { id, channelId, guildId, epoch } = conversations;
      const lastAt = max(turns.acceptedAt);
      const rows = store.db
        .select({ id, userId: conversations.userId, channelId, guildId, turns: count(), lastAt })
        .from(conversations)
        .innerJoin(turns, and(eq(turns.conversationId, id), eq(turns.epoch, epoch), hasBegun))
        .where(eq(conversations.userId, userId))
        .groupBy(id)
        .orderBy(desc(lastAt))
        .limit(Math.min(Math.max(0, limit), maxConversations))
        .all();
      return rows.map((row) => ({ ...row, lastAt: row.lastAt ?? 0 }));
    },
  };
}

type TurnHead = ReturnType<typeof readTurns>[number];

/** Turns that have begun, oldest first. */
function readTurns(store: Store, conversationId: string, epoch: number, before: number) {
  return store.db
    .select({ seq: turns.seq, id: turns.id, text: turns.text, acceptedAt: turns.acceptedAt })
    .from(turns)
    .where(
      and(eq(turns.conversationId, conversationId), lt(turns.seq, before), eq(turns.epoch, epoch), hasBegun),
    )
    .orderBy(desc(turns.seq))
    .limit(pageTurns)
    .all()
    .reverse();
}

function entriesOf(store: Store, page: readonly TurnHead[]): HistoryEntry[] {
  const seqs = page.map((turn) => turn.seq);
  const rows = store.db
    .select()
    .from(messages)
    .where(inArray(messages.turnSeq, seqs))
    .orderBy(messages.turnSeq, messages.ordinal)
    .all();
  const calls = store.db
    .select()
    .from(toolCalls)
    .where(inArray(toolCalls.turnSeq, seqs))
    .orderBy(toolCalls.turnSeq, toolCalls.step, toolCalls.position)
    .all();
  const rowsOf = Map.groupBy(rows, (row) => row.turnSeq);
  const callsOf = Map.groupBy(calls, (call) => `${call.turnSeq}.${call.step}`);
  const readIn = Map.groupBy(calls, (call) => call.turnSeq);
  return page.flatMap((turn) => {
    const text = store.encryption.open(turnPlace("text", turn.id), turn.text);
    const entries: HistoryEntry[] = [
      { role: "user", content: text, timestamp: turn.acceptedAt / 1000, turnId: turn.id, sources: [] },
    ];
    const ofTurn = rowsOf.get(turn.seq) ?? [];
    const read = [...ofTurn, ...(readIn.get(turn.seq) ?? [])].flatMap((one) => one.sources ?? []);
    const sources = [...new Set(read)];
    for (const row of ofTurn) {
      if (row.role === "user") continue;
      const content = textOf(openBlocks(store.encryption, row));
      const timestamp = row.createdAt / 1000;
      if (content !== "") entries.push({ role: "assistant", content, timestamp, turnId: turn.id, sources });
      for (const call of callsOf.get(`${row.turnSeq}.${row.step}`) ?? []) {
        const result = openResult(store.encryption, call);
        if (result === null) continue;
        entries.push({
          role: "tool",
          content: textOf(result.content),
          timestamp: (call.endedAt ?? row.createdAt) / 1000,
          turnId: turn.id,
          toolName: call.toolName,
          sources: call.sources,
        });
      }
    }
    return entries;
  });
}

/** Text that was split only by citations stays together; what stood between other blocks is apart. */
function textOf(content: ToolResultBlockParam["content"] | readonly ContentBlockParam[]): string {
  if (content === undefined || typeof content === "string") return content ?? "";
  let text = "";
  let apart = false;
  for (const block of content) {
    if (block.type === "text") text += apart && text !== "" ? `\n\n${block.text}` : block.text;
    apart = block.type !== "text";
  }
  return text;
}
