import { type Actor, atOnce } from "../actor.ts";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import type { PreferencesUpdate } from "../sessions/preferences.ts";
import { madeSessionIdPrefix } from "../sessions/service.ts";
import { parser } from "../sessions/validation.ts";
import { assertBound, assertWholePerson, type Entered, inSession, useSession } from "./access.ts";
import { questionNow } from "./approvals.ts";
import {
  CancelData,
  ContextUpdateData,
  type Envelope,
  InitializeData,
  type InitializeReply,
  type ReplyData,
} from "./messages.ts";
import type { Caller, Followed, ProtocolDeps } from "./ports.ts";
import { seconds } from "./wire.ts";

const parseInitialize = parser(InitializeData);
const parseContextUpdate = parser(ContextUpdateData);
const parseCancel = parser(CancelData);

/** The requests about a session itself. */
export function createSessionRequests(deps: ProtocolDeps) {
  const { sessions, rules, tools, turns, events, onBehalf = atOnce } = deps;

  async function initialize(envelope: Envelope, caller: Caller): Promise<ReplyData> {
    rules.assertScope(caller.principal, "sessions");
    const data = parseInitialize(envelope.data);
    const sessionId = data.session_id ?? caller.boundSessionId ?? caller.principal.sessionId;
    const wanted = { userId: data.user_id, channelId: data.channel_id, guildId: data.guild_id ?? null };
    rules.assertMayOpen(caller.principal, wanted);
    assertBound(caller, sessionId);
    assertChoosable(data.session_id ?? null);
    assertOwn(caller.principal, sessionId, data.channel_id);
    // Its token would else open anew what is gone because its person has been forgotten.
    if (caller.principal.kind === "session") await sessions.get(sessionId ?? "");
    return onBehalf(wanted, async () => {
      await deps.places.assertReachable(rules.actorFor(caller.principal, wanted), caller.signal);
      const { session } = await sessions.open({ ...wanted, sessionId, tokenId: caller.principal.tokenId });
      rules.assertMayUse(caller.principal, session);
      return { type: "initialize", data: await welcome(session, caller, data) };
    });
  }

  /** Somebody could otherwise take the id that another's client will come to. */
  function assertChoosable(sessionId: string | null): void {
    if (sessionId === null || !sessionId.startsWith(madeSessionIdPrefix)) return;
    throw new AppError(
      "invalid_data",
      `Ids that begin with ${madeSessionIdPrefix} are the service's own; choose another session_id, or leave it out.`,
      { data: { path: "session_id" } },
    );
  }

  /** A session token is good for its session alone: it must not open a second one, or the same id elsewhere. */
  function assertOwn(principal: Principal, sessionId: string | null, channelId: string): void {
    if (principal.kind !== "session") return;
    if (principal.sessionId === sessionId && principal.channelId === channelId) return;
    throw new AppError("forbidden", "A session token is good for its own session alone; use an API token.");
  }

  async function welcome(session: Session, caller: Caller, data: InitializeData): Promise<InitializeReply> {
    const context = await sessions.context(session);
    const usable = tools.describe(rules.actorFor(caller.principal, session), session.activeTools);
    const { token, expiresAt } = deps.issueToken(session, caller.principal);
    const followed = follow(session, caller, data);
    return {
      session_id: session.id,
      available_tools: usable.map((tool) => tool.name),
      tools: usable.map(({ name, description, parameters }) => ({ name, description, parameters })),
      context,
      token,
      expires_at: seconds(expiresAt),
      stream_epoch: followed.epoch,
      seq: followed.seq,
      missed_too_much: followed.missedTooMuch,
      pending_approvals: await pendingOf(session, caller.signal),
    };
  }

  /** Those of the conversation's turns, and of this session's own calls. */
  async function pendingOf(session: Session, signal: AbortSignal) {
    const pending = await turns.pendingApprovals(session.conversationId);
    const own = pending.filter(({ turnId, sessionId }) => turnId !== null || sessionId === session.id);
    return Promise.all(
      own.map(async (approval) => ({
        approval_id: approval.id,
        turn_id: approval.turnId,
        tool_name: approval.toolName,
        question: await questionNow(deps, approval, session, signal),
        expires_at: seconds(approval.expiresAt),
      })),
    );
  }

  function follow(session: Session, caller: Caller, data: InitializeData): Followed {
    const since =
      data.last_seq === undefined ? undefined : { afterSeq: data.last_seq, epoch: data.stream_epoch ?? null };
    if (caller.connection !== null)
      return caller.connection.follow(session, since === undefined ? {} : { since });
    // Over plain HTTP nothing can be followed: say where the stream stands, for a socket to start from.
    const peek = { sessionId: session.id, origin: null, listener: () => {} };
    const { epoch, seq, missedTooMuch, close } = events.subscribe(session.conversationId, peek, since);
    close();
    return { epoch, seq, missedTooMuch };
  }

  async function contextUpdate(envelope: Envelope, caller: Caller): Promise<ReplyData> {
    const data = parseContextUpdate(envelope.data);
    return inSession(deps, caller, data.session_id, "sessions", (entered) => change(data, entered, caller));
  }

  async function change(
    data: ContextUpdateData,
    { session, actor }: Entered,
    caller: Caller,
  ): Promise<ReplyData> {
    if (data.user_preferences !== undefined) assertWholePerson(caller.principal);
    if (data.active_tools !== undefined) assertKnown(actor, data.active_tools);
    const context = await sessions.updateContext(session, update(data));
    const { user_preferences, active_tools } = context;
    if (data.user_preferences !== undefined || data.active_tools !== undefined)
      events.publish(
        session.conversationId,
        { type: "context_updated", user_preferences, active_tools },
        { sessionId: session.id, origin: caller.connection },
      );
    return { type: "context_update", data: { session_id: session.id, context } };
  }

  function assertKnown(actor: Actor, names: readonly string[]): void {
    const known = new Set(tools.describe(actor, []).map((tool) => tool.name));
    const unknown = names.filter((name) => !known.has(name));
    if (unknown.length === 0) return;
    throw new AppError("unknown_tool", "active_tools names tools that are not available here.", {
      data: { path: "active_tools", unknown, available: [...known] },
    });
  }

  async function cancel(envelope: Envelope, caller: Caller): Promise<ReplyData> {
    const data = parseCancel(envelope.data);
    const session = await useSession(deps, caller, data.session_id, "turns");
    const { stopped, removed } = await turns.cancel(session.conversationId, data.turn_id ?? undefined);
    if (data.turn_id != null && stopped.length + removed.length === 0)
      throw new AppError(
        "turn_not_found",
        "No such turn runs or waits in this conversation; it may have ended.",
      );
    return {
      type: "response",
      data: { session_id: session.id, stopped: [...stopped], removed: [...removed] },
    };
  }

  return { initialize, contextUpdate, cancel };
}

function update(data: { user_preferences?: PreferencesUpdate; active_tools?: readonly string[] }) {
  return {
    ...(data.user_preferences === undefined ? {} : { preferences: data.user_preferences }),
    ...(data.active_tools === undefined ? {} : { activeTools: data.active_tools }),
  };
}
