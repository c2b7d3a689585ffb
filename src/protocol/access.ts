import type { Scope } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import type { Caller, ProtocolDeps } from "./ports.ts";

/** The session that a request names, once it is established that the caller may use it for this. */
export async function useSession(
  deps: Pick<ProtocolDeps, "sessions" | "rules">,
  caller: Caller,
  sessionId: string,
  scope: Scope,
): Promise<Session> {
  deps.rules.assertScope(caller.principal, scope);
  assertBound(caller, sessionId);
  const session = await deps.sessions.get(sessionId);
  deps.rules.assertMayUse(caller.principal, session);
  deps.sessions.touch(session);
  return session;
}

export function assertBound(caller: Caller, sessionId: string | null): void {
  if (caller.boundSessionId === null || caller.boundSessionId === sessionId) return;
  throw new AppError(
    "forbidden",
    "This connection is bound to another session; use /mcp/ws for more than one.",
  );
}
