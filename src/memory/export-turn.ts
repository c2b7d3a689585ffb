import { asc, eq } from "drizzle-orm";
import { openBlocks, openResult } from "./replay.ts";
import { messages, toolCalls, turns } from "./schema.ts";
import type { Store } from "./store.ts";
import { toRecord } from "./turn-rows.ts";

/** What is given of a person: `type` says which table it comes from, see docs/privacy.md. */
export interface ExportRecord {
  readonly type: string;
  /** Only of what rests on something that was read. */
  readonly sources?: readonly string[];
  readonly [field: string]: unknown;
}

export const time = (at: unknown): string | null =>
  typeof at === "number" ? new Date(at).toISOString() : null;

/** A turn with all that was said and done in it; null when it has been deleted meanwhile. */
export function exportTurn(store: Store, seq: number): ExportRecord | null {
  const { db, encryption } = store;
  const row = db.select().from(turns).where(eq(turns.seq, seq)).get();
  if (row === undefined) return null;
  const turn = toRecord(encryption, row);
  const said = db
    .select()
    .from(messages)
    .where(eq(messages.turnSeq, seq))
    .orderBy(asc(messages.ordinal))
    .all();
  const calls = db
    .select()
    .from(toolCalls)
    .where(eq(toolCalls.turnSeq, seq))
    .orderBy(asc(toolCalls.step), asc(toolCalls.position))
    .all();
  return {
    type: "turn",
    id: turn.id,
    conversation_id: turn.conversationId,
    session_id: turn.sessionId,
    guild_id: row.guildId,
    channel_id: row.channelId,
    origin: turn.origin,
    discord_message_id: turn.discordMessageId,
    idempotency_key: turn.idempotencyKey,
    state: turn.state,
    accepted_at: time(row.acceptedAt),
    ended_at: time(row.endedAt),
    preamble: turn.preamble,
    text: turn.text,
    answer: turn.answer,
    stop_reason: turn.stopReason,
    error_code: turn.errorCode,
    usage: {
      input_tokens: turn.usage.inputTokens,
      output_tokens: turn.usage.outputTokens,
      cache_creation_input_tokens: turn.usage.cacheCreationInputTokens,
      cache_read_input_tokens: turn.usage.cacheReadInputTokens,
    },
    messages: said
      .filter(({ role }) => role === "assistant")
      .map((message) => ({
        step: message.step,
        model: message.model,
        content: openBlocks(encryption, message),
        created_at: time(message.createdAt),
      })),
    tool_calls: calls.map((call) => ({
      step: call.step,
      tool_use_id: call.toolUseId,
      tool_name: call.toolName,
      state: call.state,
      result: openResult(encryption, call)?.content ?? null,
      started_at: time(call.startedAt),
      ended_at: time(call.endedAt),
    })),
    sources: sourcesOfTurn(store, seq),
  };
}

/** What a turn rests on: all that the model had read before and in it. */
export function sourcesOfTurn({ sqlite }: Store, seq: number): readonly string[] {
  return sqlite
    .query<{ source: string }, [number, number]>(
      `SELECT value AS source FROM messages, json_each(sources) WHERE turn_seq = ? AND value IS NOT NULL
       UNION SELECT value FROM tool_calls, json_each(sources) WHERE turn_seq = ?`,
    )
    .all(seq, seq)
    .map(({ source }) => source);
}
