import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Approval } from "../agent/approvals.ts";
import type { AnswerTo, StoredToolCall, TurnState } from "../agent/journal.ts";
import type { Scope } from "../auth/ports.ts";
import type { ErrorCode } from "../errors.ts";
import type { AuditRow } from "../tools/ports.ts";
import {
  bytes,
  grants,
  isPending,
  isPlanned,
  isSuspended,
  isUnfinished,
  mentions,
  sealed,
  toolNames,
} from "./columns.ts";

/*
 * The tables, all in one place to be read together. Columns of type `sealed` hold content; all others hold ids, times,
 * counts and words of closed lists. Times are milliseconds since 1970. The generated SQL is made STRICT by hand, since
 * Drizzle cannot say it; a test holds it to that.
 */

export const dataKeys = sqliteTable("data_keys", {
  id: integer().primaryKey(),
  salt: bytes().notNull(),
  wrapped: bytes().notNull(),
  createdAt: integer("created_at").notNull(),
});

export const conversations = sqliteTable(
  "conversations",
  {
    id: text().primaryKey(),
    userId: text("user_id").notNull(),
    channelId: text("channel_id").notNull(),
    guildId: text("guild_id"),
    epoch: integer().notNull().default(0),
    /** How many turns have ended: gives each its place in the history, and never goes back. */
    endedCount: integer("ended_count").notNull().default(0),
    createdAt: integer("created_at").notNull(),
  },
  // A program names the guild of a channel, and can be wrong: it then has a conversation of its own there.
  (t) => [
    uniqueIndex("conversations_place").on(t.userId, t.channelId, t.guildId),
    uniqueIndex("conversations_direct").on(t.userId, t.channelId).where(sql`guild_id is null`),
  ],
);

export const turns = sqliteTable(
  "turns",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    epoch: integer().notNull(),
    sessionId: text("session_id").notNull(),
    actorKind: text("actor_kind").$type<"user" | "bot">().notNull(),
    userId: text("user_id").notNull(),
    guildId: text("guild_id"),
    channelId: text("channel_id").notNull(),
    origin: text().$type<"discord" | "program">().notNull(),
    discordMessageId: text("discord_message_id"),
    idempotencyKey: sealed("idempotency_key"),
    replyChannelId: text("reply_channel_id"),
    replyMessageId: text("reply_message_id"),
    text: sealed().notNull(),
    preamble: sealed().notNull(),
    state: text().$type<TurnState>().notNull(),
    starts: integer().notNull().default(0),
    acceptedAt: integer("accepted_at").notNull(),
    endedAt: integer("ended_at"),
    /** Its place among the ended turns of its conversation; null when it is no part of the history. */
    endedOrder: integer("ended_order"),
    answer: sealed(),
    answerTo: text("answer_to").$type<AnswerTo>().notNull().default("channel"),
    stopReason: text("stop_reason"),
    errorCode: text("error_code").$type<ErrorCode>(),
    delivery: text().$type<"pending" | "planned">(),
    inputTokens: integer("input_tokens").notNull().default(0),
    outputTokens: integer("output_tokens").notNull().default(0),
    cacheCreationInputTokens: integer("cache_creation_input_tokens").notNull().default(0),
    cacheReadInputTokens: integer("cache_read_input_tokens").notNull().default(0),
  },
  (t) => [
    uniqueIndex("turns_id").on(t.id),
    uniqueIndex("turns_discord_message").on(t.discordMessageId),
    uniqueIndex("turns_history").on(t.conversationId, t.epoch, t.endedOrder),
    index("turns_conversation").on(t.conversationId, t.seq),
    index("turns_waiting").on(t.conversationId, t.seq).where(isUnfinished(sql`state`)),
    index("turns_unfinished").on(t.seq).where(isUnfinished(sql`state`)),
    uniqueIndex("turns_suspended").on(t.conversationId).where(isSuspended(sql`state`)),
    index("turns_undelivered").on(t.seq).where(isPending(sql`delivery`)),
    index("turns_ended_at").on(t.endedAt),
  ],
);

const turnSeq = () =>
  integer("turn_seq")
    .notNull()
    .references(() => turns.seq, { onDelete: "cascade" });

/** Ordinal 0 is the person's message, 1 and up are the steps, the last may be a closing text. */
export const messages = sqliteTable(
  "messages",
  {
    turnSeq: turnSeq(),
    ordinal: integer().notNull(),
    /** The model call that it came from; null for the person's message and for a closing text. */
    step: integer(),
    role: text().$type<"user" | "assistant">().notNull(),
    content: sealed().notNull(),
    stopReason: text("stop_reason"),
    model: text(),
    createdAt: integer("created_at").notNull(),
    /** What the model had read before the turn, in the history; null for nothing. */
    sources: text({ mode: "json" }).$type<readonly string[]>(),
  },
  (t) => [
    primaryKey({ columns: [t.turnSeq, t.ordinal] }),
    uniqueIndex("messages_step").on(t.turnSeq, t.step),
  ],
);

/** Arguments are in the step's `tool_use` block and not stored a second time. */
export const toolCalls = sqliteTable(
  "tool_calls",
  {
    turnSeq: turnSeq(),
    step: integer().notNull(),
    toolUseId: text("tool_use_id").notNull(),
    position: integer().notNull(),
    toolName: text("tool_name").notNull(),
    state: text().$type<StoredToolCall["state"]>().notNull(),
    result: sealed(),
    sources: text({ mode: "json" }).$type<readonly string[]>().notNull(),
    startedAt: integer("started_at"),
    endedAt: integer("ended_at"),
  },
  (t) => [
    primaryKey({ columns: [t.turnSeq, t.step, t.toolUseId] }),
    uniqueIndex("tool_calls_position").on(t.turnSeq, t.step, t.position),
  ],
);

export const approvals = sqliteTable(
  "approvals",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    kind: text().$type<Approval["kind"]>().notNull(),
    turnId: text("turn_id").references(() => turns.id, { onDelete: "cascade" }),
    conversationId: text("conversation_id").notNull(),
    sessionId: text("session_id").notNull(),
    actorKind: text("actor_kind").$type<"user" | "bot">().notNull(),
    userId: text("user_id").notNull(),
    guildId: text("guild_id"),
    channelId: text("channel_id").notNull(),
    step: integer(),
    toolUseId: text("tool_use_id"),
    toolName: text("tool_name"),
    input: sealed().notNull(),
    question: sealed().notNull(),
    publicText: sealed("public_text"),
    fingerprint: text().notNull(),
    askIn: text("ask_in").$type<Approval["askIn"]>().notNull(),
    state: text().$type<Approval["state"]>().notNull(),
    decidedBy: text("decided_by"),
    createdAt: integer("created_at").notNull(),
    decidedAt: integer("decided_at"),
    expiresAt: integer("expires_at").notNull(),
    /** Of the question in Discord; null where there is none to post, or none that could be posted. */
    delivery: text().$type<"pending" | "planned" | "shown">(),
    /** The post that bears the buttons. */
    postNonce: text("post_nonce"),
  },
  (t) => [
    uniqueIndex("approvals_id").on(t.id),
    index("approvals_turn").on(t.turnId, t.seq),
    index("approvals_conversation").on(t.conversationId, t.seq).where(isPending(sql`state`)),
    index("approvals_session").on(t.sessionId).where(isPending(sql`state`)),
    index("approvals_expires_at").on(t.expiresAt).where(isPending(sql`state`)),
    index("approvals_unasked").on(t.seq).where(isPending(sql`delivery`)),
    index("approvals_asked").on(t.seq).where(isPlanned(sql`delivery`)),
    index("approvals_created_at").on(t.createdAt),
  ],
);

export const summaries = sqliteTable(
  "summaries",
  {
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    epoch: integer().notNull(),
    text: sealed().notNull(),
    uptoTurnId: text("upto_turn_id").notNull(),
    uptoOrder: integer("upto_order").notNull(),
    sources: text({ mode: "json" }).$type<readonly string[]>().notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.conversationId, t.epoch] }),
    index("summaries_updated_at").on(t.updatedAt),
  ],
);

export const preferences = sqliteTable("preferences", {
  userId: text("user_id").primaryKey(),
  value: sealed().notNull(),
  updatedAt: integer("updated_at").notNull(),
});

export const sessions = sqliteTable(
  "sessions",
  {
    id: text().primaryKey(),
    userId: text("user_id").notNull(),
    channelId: text("channel_id").notNull(),
    guildId: text("guild_id"),
    conversationId: text("conversation_id")
      .notNull()
      .references(() => conversations.id, { onDelete: "cascade" }),
    activeTools: toolNames("active_tools").notNull(),
    tokenId: text("token_id"),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    messageCount: integer("message_count").notNull().default(0),
    toolCallCount: integer("tool_call_count").notNull().default(0),
  },
  (t) => [
    index("sessions_conversation").on(t.conversationId),
    index("sessions_user_channel").on(t.userId, t.channelId, t.createdAt),
    index("sessions_expires_at").on(t.expiresAt),
  ],
);

export const apiTokens = sqliteTable("api_tokens", {
  id: text().primaryKey(),
  name: text().notNull(),
  secretHash: bytes("secret_hash").notNull(),
  userId: text("user_id"),
  scopes: grants("scopes").$type<readonly Scope[]>().notNull(),
  guildIds: grants("guild_ids"),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at"),
  revokedAt: integer("revoked_at"),
  lastUsedAt: integer("last_used_at"),
});

export const posts = sqliteTable(
  "posts",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    nonce: text().notNull(),
    purpose: text().$type<"answer" | "notice" | "question">().notNull(),
    subject: text().notNull(),
    ordinal: integer().notNull(),
    channelId: text("channel_id").notNull(),
    replyToMessageId: text("reply_to_message_id"),
    /** Forgotten once it is sent or given up. */
    content: sealed(),
    allowedMentionUserIds: mentions("allowed_mention_user_ids").notNull(),
    state: text().$type<"pending" | "sending" | "sent" | "failed">().notNull(),
    sendingAt: integer("sending_at"),
    messageId: text("message_id"),
    failure: text(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    uniqueIndex("posts_nonce").on(t.nonce),
    uniqueIndex("posts_message").on(t.messageId),
    index("posts_open").on(t.seq).where(sql`state in ('pending', 'sending')`),
    index("posts_created_at").on(t.createdAt),
  ],
);

/** Messages that tools have posted. */
export const sentMessages = sqliteTable(
  "sent_messages",
  {
    messageId: text("message_id").primaryKey(),
    channelId: text("channel_id").notNull(),
    userId: text("user_id").notNull(),
    at: integer().notNull(),
  },
  (t) => [index("sent_messages_place").on(t.channelId, t.userId, t.at), index("sent_messages_at").on(t.at)],
);

/** What people want to be remembered, across their conversations. Kept until they take it back. */
export const memories = sqliteTable(
  "memories",
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull(),
    userId: text("user_id").notNull(),
    text: sealed().notNull(),
    sources: text({ mode: "json" }).$type<readonly string[]>().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [uniqueIndex("memories_id").on(t.id), index("memories_user").on(t.userId, t.seq)],
);

/** Tombstones: kept when what they stand for is deleted, so that it is never taken in again. */
export const seenMessages = sqliteTable("seen_messages", {
  messageId: text("message_id").primaryKey(),
  channelId: text("channel_id").notNull(),
  seenAt: integer("seen_at").notNull(),
});

/** The same for programs: an HMAC of session and key, and the turn that was made of it. */
export const idempotencyKeys = sqliteTable("idempotency_keys", {
  hash: bytes().primaryKey(),
  turnId: text("turn_id").notNull(),
  seenAt: integer("seen_at").notNull(),
});

export const channelMarks = sqliteTable("channel_marks", {
  channelId: text("channel_id").primaryKey(),
  messageId: text("message_id").notNull(),
});

export const gatewaySessions = sqliteTable("gateway_sessions", {
  shardId: integer("shard_id").primaryKey(),
  shardCount: integer("shard_count").notNull(),
  sessionId: sealed("session_id").notNull(),
  resumeUrl: sealed("resume_url").notNull(),
  sequence: integer().notNull(),
});

export const identifies = sqliteTable(
  "identifies",
  { id: integer().primaryKey(), at: integer().notNull() },
  (t) => [index("identifies_at").on(t.at)],
);

/** `day` is a UTC date such as 2026-11-22. */
export const tokenUsage = sqliteTable(
  "token_usage",
  { subject: text().notNull(), day: text().notNull(), tokens: integer().notNull() },
  (t) => [primaryKey({ columns: [t.subject, t.day] }), index("token_usage_day").on(t.day)],
);

export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: integer().notNull(),
    actorKind: text("actor_kind").$type<"user" | "bot">().notNull(),
    actorUserId: text("actor_user_id").notNull(),
    guildId: text("guild_id"),
    channelId: text("channel_id").notNull(),
    sessionId: text("session_id"),
    turnId: text("turn_id"),
    tokenId: text("token_id"),
    toolName: text("tool_name").notNull(),
    targets: text().notNull(),
    verdict: text().$type<AuditRow["verdict"]>().notNull(),
    reason: text(),
    durationMs: integer("duration_ms").notNull(),
    approvalId: text("approval_id"),
    approvedBy: text("approved_by"),
  },
  (t) => [index("audit_at").on(t.at), index("audit_actor").on(t.actorUserId, t.id)],
);

/**
 * Who or what is to be erased, and what has not been erased wholly yet: deleted once it is. `quotes`: all that is
 * theirs is gone, and what others were working on that names them is left to be looked through again.
 */
export const erasures = sqliteTable(
  "erasures",
  {
    kind: text().$type<"user" | "guild">().notNull(),
    subject: text().notNull(),
    stage: text().$type<"all" | "quotes">().notNull(),
    dueAt: integer("due_at").notNull(),
    requestedAt: integer("requested_at").notNull(),
    /** The message in Discord that asked for it, which is told when it is done. */
    replyChannelId: text("reply_channel_id"),
    replyMessageId: text("reply_message_id"),
  },
  (t) => [primaryKey({ columns: [t.kind, t.subject] }), index("erasures_due_at").on(t.dueAt)],
);

/**
 * Who has been forgotten, as an HMAC, and when they asked for it: what they wrote before is not taken in again, and a
 * restored backup that has them is cleared of them.
 */
export const forgottenPeople = sqliteTable("forgotten_people", {
  hash: bytes().primaryKey(),
  at: integer().notNull(),
});
