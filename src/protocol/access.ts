import { type Actor, atOnce } from "../actor.ts";
import type { Principal, Scope } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import type { Caller, ProtocolDeps } from "./ports.ts";

type Deps = Pick<ProtocolDeps, "sessions" | "rules">;

/**
 * The session that a request names, once it is established that the caller may use it for this. At once when it is in
 * memory, which is what makes a tool call quick. Throws AppError, at once or later.
 */
export function useSession(
  deps: Deps,
  caller: Caller,
  sessionId: string,
  scope: Scope,
): Session | Promise<Session> {
  deps.rules.assertScope(caller.principal, scope);
  assertBound(caller, sessionId);
  const admit = (session: Session) => {
    deps.rules.assertMayUse(caller.principal, session);
    deps.sessions.touch(session);
    return session;
  };
  const cached = deps.sessions.cached(sessionId);
  return cached === null ? deps.sessions.get(sessionId).then(admit) : admit(cached);
}

export interface Entered {
  readonly session: Session;
  readonly actor: Actor;
}

/**
 * Works in the same with whom it acts for, once it is established that they are where it is: whoever has opened it may
 * have left the server, or lost the channel, since. Throws AppError, at once or later; `rate_limited` while its person
 * is being forgotten.
 */
export function inSession<Value>(
  deps: Deps & Pick<ProtocolDeps, "places" | "onBehalf">,
  caller: Caller,
  sessionId: string,
  scope: Scope,
  work: (entered: Entered) => Promise<Value>,
): Promise<Value> {
  const { onBehalf = atOnce } = deps;
  const enter = (session: Session) =>
    onBehalf(session, async () => {
      const actor = deps.rules.actorFor(caller.principal, session);
      const reached = deps.places.assertReachable(actor, caller.signal);
      if (reached instanceof Promise) await reached;
      return work({ session, actor });
    });
  const found = useSession(deps, caller, sessionId, scope);
  return found instanceof Promise ? found.then(enter) : enter(found);
}

export function assertBound(caller: Caller, sessionId: string | null): void {
  if (caller.boundSessionId === null || caller.boundSessionId === sessionId) return;
  throw new AppError(
    "forbidden",
    "This connection is bound to another session; use /mcp/ws for more than one.",
  );
}

/**
 * What belongs to a person wherever they are is not for a token that is good for a part of that. Throws AppError
 * `forbidden`.
 */
export function assertWholePerson({ kind, guildIds }: Principal): void {
  if (kind !== "session" && guildIds === null) return;
  throw new AppError(
    "forbidden",
    "user_preferences count in all sessions of the person; change them with an API token of that user or of an operator that is not limited to servers.",
    { data: { path: "user_preferences" } },
  );
}
