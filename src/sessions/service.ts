import { getLogger } from "@logtape/logtape";
import type { FlowPort, Preferences } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
import { Lru } from "../lru.ts";
import { createCounts, createSerial } from "./batches.ts";
import {
  assertMayRead,
  historyEntries,
  readableBy,
  type Telling,
  unreadableBy,
  type WireContext,
  wireContext,
  wireHistory,
} from "./context.ts";
import type {
  Conversation,
  OpenSession,
  PreferenceStore,
  Session,
  SessionStore,
  TranscriptPort,
} from "./ports.ts";
import { applyPreferences, type PreferencesUpdate } from "./preferences.ts";

const log = getLogger(["discord-mcp", "sessions"]);

/** Sessions kept in memory; the rest is read from the store. */
const cachedSessions = 4096;
const sessionsBound = 100_000;
/** Of one user, lest a single token takes them all. */
const sessionsOfUserBound = 2000;
/** A session's last use is written at most this often, so that a call does not cost a commit. */
const touchEveryMs = 60_000;

export interface SessionsDeps {
  readonly store: SessionStore;
  readonly preferences: PreferenceStore;
  readonly transcript: TranscriptPort;
  readonly flow: Pick<FlowPort, "restricted">;
  /** Time to live from the last use. */
  readonly ttlMs: number;
  readonly now: () => number;
  /** Sessions that programs may have open in all. */
  readonly maxSessions?: number;
  /** And of one user. */
  readonly maxSessionsOfUser?: number;
}

export interface ContextUpdate {
  readonly preferences?: PreferencesUpdate;
  readonly activeTools?: readonly string[];
}

export interface Sessions extends AsyncDisposable {
  /** Opens, or finds again and prolongs. Throws `session_conflict` when the id is another user's or channel's, `invalid_data` for a bad id. */
  open(request: OpenSession): Promise<{ readonly session: Session; readonly created: boolean }>;
  /** A session that is in memory and has not expired, at once; null says nothing: ask `get`. */
  cached(sessionId: string): Session | null;
  /** Throws `session_not_found` or `session_expired`. */
  get(sessionId: string): Promise<Session>;
  /** The chat's own session of a person in a channel, made on the first message. */
  chatSession(userId: string, channelId: string, guildId: string | null): Promise<Session>;
  /** Says that it was used: prolongs it. Cheap; written once a minute. */
  touch(session: Session): void;
  /** Counts for the line that is logged when the session ends. Cheap; written in batches. */
  count(session: Session, what: "message" | "tool_call"): void;
  context(session: Session): Promise<WireContext>;
  /** The conversations of a person, the one that was last spoken in first. */
  conversations(userId: string, limit: number): Promise<readonly Conversation[]>;
  /** For who is to get a turn's answer. Throws AppError `permission_denied` when it rests on what they may not be told now. */
  assertMayHear(session: Session, turnId: string, telling: Telling): Promise<void>;
  /** For who is to get once more what rests on these. */
  assertMayRead(person: Pick<Session, "guildId" | "userId">, sources: readonly string[]): Promise<void>;
  /** Those of the sources that its person may not be told of now, or of which it cannot be said. Never rejects. */
  unreadable(session: Session, sources: readonly string[], telling: Telling): Promise<readonly string[]>;
  /** The newest of what was said in one, oldest first, as far as its person may read it now. */
  history(conversation: Conversation): Promise<WireContext["conversation_history"]>;
  updateContext(session: Session, update: ContextUpdate): Promise<WireContext>;
  /** Removes what has expired, logs each end, and says how many there were. */
  expire(): Promise<number>;
  countActive(): Promise<number>;
  /** They are no more: their person or guild is being forgotten. */
  forget(sessionIds: readonly string[]): void;
}

export const sessionIdPattern = "^[A-Za-z0-9_.:-]{1,128}$";
const sessionId = new RegExp(sessionIdPattern);

/** Ids that begin so are made of what a client is, so that it finds its session again: none can be chosen. */
export const madeSessionIdPrefix = "mcp.";

/**
 * Sessions over their store. This object is the only writer, so what it caches cannot be stale.
 */
export function createSessions(deps: SessionsDeps): Sessions {
  const { store, preferences, transcript, flow, ttlMs, now } = deps;
  const { maxSessions = sessionsBound, maxSessionsOfUser = sessionsOfUserBound } = deps;
  const cache = new Lru<Session>(cachedSessions);
  const counts = createCounts(store);
  const chats = new Map<string, Promise<Session>>();
  const inTurn = createSerial();
  let touched = Promise.resolve();

  async function assertRoom(id: string, userId: string): Promise<void> {
    if (cache.get(id) !== undefined || (await hasRoom(userId)) || (await store.get(id)) !== null) return;
    throw new AppError(
      "rate_limited",
      "Too many sessions are open; use one that you have, or try again later.",
      {
        retryAfterMs: 60_000,
      },
    );
  }

  async function hasRoom(userId: string): Promise<boolean> {
    if ((await store.countActiveOf(userId, now())) >= maxSessionsOfUser) return false;
    return (await store.countActive(now())) < maxSessions;
  }

  const open: Sessions["open"] = async (request) => {
    const id = request.sessionId ?? newId();
    if (!sessionId.test(id))
      throw new AppError("invalid_data", "A session_id has 1 to 128 characters of A-Z a-z 0-9 _ . : -", {
        data: { path: "session_id" },
      });
    await assertRoom(id, request.userId);
    return openAs({ ...request, sessionId: id }, "program");
  };

  async function openAs(request: OpenSession & { readonly sessionId: string }, by: "chat" | "program") {
    const at = now();
    const opened = await store.open(request, at, at + ttlMs);
    cache.set(request.sessionId, opened.session);
    if (opened.created) log.info("session started", { session_id: request.sessionId, by });
    return opened;
  }

  const get: Sessions["get"] = async (id) => {
    const session = cache.get(id) ?? (sessionId.test(id) ? await store.get(id) : null);
    if (session === null)
      throw new AppError("session_not_found", "There is no session of that id; open one with initialize.");
    if (session.expiresAt <= now())
      throw new AppError("session_expired", "This session has expired; open it again with initialize.");
    cache.set(id, session);
    return session;
  };

  const cached: Sessions["cached"] = (id) => {
    const session = cache.get(id);
    return session !== undefined && session.expiresAt > now() ? session : null;
  };

  async function chat(userId: string, channelId: string, guildId: string | null): Promise<Session> {
    const found = await store.findChat(userId, channelId, guildId);
    if (found === null)
      return (await openAs({ sessionId: newId(), userId, channelId, guildId, tokenId: null }, "chat"))
        .session;
    const session = cache.get(found.id) ?? found;
    cache.set(found.id, session);
    return session;
  }

  function touch(session: Session): void {
    const at = now();
    if (at - session.lastUsedAt < touchEveryMs) return;
    const latest = cache.get(session.id);
    if (at - (latest ?? session).lastUsedAt < touchEveryMs) return;
    // One that is not here any more may have been forgotten for good.
    if (latest !== undefined) cache.set(session.id, { ...latest, lastUsedAt: at, expiresAt: at + ttlMs });
    touched = store.touch(session.id, at, at + ttlMs).catch((error: unknown) => {
      // The session still works; it only may expire a minute earlier than it should.
      log.warn("a session's last use could not be written", { session_id: session.id, error });
    });
  }

  async function context(session: Session): Promise<WireContext> {
    const [history, wishes] = await Promise.all([
      transcript.recent(session.conversationId, historyEntries),
      preferences.get(session.userId),
    ]);
    return wireContext(cache.get(session.id) ?? session, await readableBy(flow, session, history), wishes);
  }

  async function setPreferences(userId: string, update: PreferencesUpdate): Promise<void> {
    // Read, change, write: two updates of one person must not overlap, or one of them is lost.
    await inTurn(userId, async () => {
      const present: Preferences = await preferences.get(userId);
      await preferences.set(userId, applyPreferences(present, update));
    });
  }

  async function updateContext(session: Session, update: ContextUpdate): Promise<WireContext> {
    if (update.preferences !== undefined) await setPreferences(session.userId, update.preferences);
    if (update.activeTools !== undefined) {
      const activeTools = [...new Set(update.activeTools)];
      await store.setActiveTools(session.id, activeTools);
      cache.set(session.id, { ...(cache.get(session.id) ?? session), activeTools });
    }
    return context(session);
  }

  async function expire(): Promise<number> {
    await counts.flush();
    // What was used a moment ago must be written down as such before the expired are looked for.
    await touched;
    let ended = 0;
    for (;;) {
      const gone = await store.removeExpired(now());
      for (const session of gone) {
        cache.delete(session.id);
        log.info("session ended", {
          session_id: session.id,
          started: new Date(session.createdAt).toISOString(),
          messages: session.messageCount,
          tool_calls: session.toolCallCount,
          duration_s: Math.round((session.lastUsedAt - session.createdAt) / 1000),
        });
      }
      ended += gone.length;
      if (gone.length === 0) return ended;
    }
  }

  return {
    open,
    get,
    cached,
    async chatSession(userId, channelId, guildId) {
      const key = `${userId} ${channelId}`;
      const session = await (chats.get(key) ?? once(chats, key, () => chat(userId, channelId, guildId)));
      touch(session);
      return session;
    },
    touch,
    count: (session, what) => counts.add(session.id, what),
    context,
    conversations: (userId, limit) => transcript.conversations(userId, limit),
    assertMayHear: async (session, turnId, telling) =>
      assertMayRead(flow, session, await transcript.sourcesOf(turnId), telling),
    assertMayRead: (person, sources) => assertMayRead(flow, person, sources),
    unreadable: (session, sources, telling) => unreadableBy(flow, session, sources, telling),
    history: async (conversation) =>
      wireHistory(
        await readableBy(flow, conversation, await transcript.recent(conversation.id, historyEntries)),
      ),
    updateContext,
    expire,
    countActive: () => store.countActive(now()),
    forget(sessionIds) {
      for (const id of sessionIds) cache.delete(id);
    },
    [Symbol.asyncDispose]: () => counts.flush(),
  };
}

function newId(): string {
  return `s_${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url")}`;
}

/** Two first messages at once must not open two sessions. */
function once<Value>(
  running: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const promise = make().finally(() => running.delete(key));
  running.set(key, promise);
  return promise;
}
