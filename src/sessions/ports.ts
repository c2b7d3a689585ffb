import type { Preferences } from "../agent/ports.ts";

/** A door to a conversation. Times in milliseconds since 1970. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
  /** The conversation of (user, channel): its stream of events is this session's. */
  readonly conversationId: string;
  /** Names of tools; empty means all that the actor may use. */
  readonly activeTools: readonly string[];
  /** The API token that opened it; null for the chat and for authentication switched off. */
  readonly tokenId: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly messageCount: number;
  readonly toolCallCount: number;
}

export interface OpenSession {
  /** Chosen by the client; made by us when absent. */
  readonly sessionId: string | null;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
  readonly tokenId: string | null;
}

/** Where sessions are stored. Each method is one transaction. */
export interface SessionStore {
  /** Inserts, making the conversation if there is none. Throws AppError `session_conflict` when the id is taken by another user or channel. */
  open(
    session: OpenSession & { readonly sessionId: string },
    now: number,
    expiresAt: number,
  ): Promise<{ session: Session; created: boolean }>;
  get(sessionId: string): Promise<Session | null>;
  /** The chat's own session of (user, channel) in that guild, if there is one that has not expired. */
  findChat(userId: string, channelId: string, guildId: string | null): Promise<Session | null>;
  touch(sessionId: string, now: number, expiresAt: number): Promise<void>;
  /** Adds `by`, by default one: the service counts in batches. */
  count(sessionId: string, what: "message" | "tool_call", by?: number): Promise<void>;
  setActiveTools(sessionId: string, activeTools: readonly string[]): Promise<void>;
  /** Removes expired sessions, at most 500 a call, and returns them (their end is logged). */
  removeExpired(now: number): Promise<readonly Session[]>;
  /** How many have not expired. Must be cheap: it is asked at each /health. */
  countActive(now: number): Promise<number>;
  /** The same of one user. */
  countActiveOf(userId: string, now: number): Promise<number>;
}

export interface PreferenceStore {
  get(userId: string): Promise<Preferences>;
  set(userId: string, preferences: Preferences): Promise<void>;
}

/** One line of `context.conversation_history`. */
export interface HistoryEntry {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  /** Seconds since 1970, with fractions, as in the protocol's first document. */
  readonly timestamp: number;
  readonly turnId: string;
  readonly toolName?: string;
  /** What it rests on: see `Source` in tools/sources.ts. */
  readonly sources: readonly string[];
}

/** A conversation in which something has been said since its last reset. */
export interface Conversation {
  readonly id: string;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
  /** Turns since then. */
  readonly turns: number;
  /** When the newest of them was accepted, in milliseconds since 1970. */
  readonly lastAt: number;
}

export interface TranscriptPort {
  /** What everything rests on that was said in a turn. */
  sourcesOf(turnId: string): Promise<readonly string[]>;
  /** The newest entries of the present epoch, oldest first. */
  recent(conversationId: string, limit: number): Promise<readonly HistoryEntry[]>;
  /** Those of a person, the one that was last spoken in first. */
  conversations(userId: string, limit: number): Promise<readonly Conversation[]>;
}
