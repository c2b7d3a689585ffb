import { nowhere } from "../actor.ts";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import { snowflakeIn } from "../snowflake.ts";
import type { ClaimedPlace, McpCaller, McpDeps } from "./ports.ts";
import { protocolError } from "./results.ts";

/** The place that an address names: `?user_id=…&guild_id=…&channel_id=…`. Throws AppError `invalid_data`. */
export function placeOf(query: URLSearchParams): ClaimedPlace {
  return {
    userId: snowflakeIn(query, "user_id"),
    guildId: snowflakeIn(query, "guild_id"),
    channelId: snowflakeIn(query, "channel_id"),
  };
}

/**
 * Whom a client acts for, and from where: a session token says both; a person's token says whom, and where if it is
 * good for one server alone; the rest is what the client claims. Whether the person can be there is asked when a call
 * is made. Throws AppError `forbidden`, `invalid_data`, or what the session's end gives.
 */
export async function resolveCaller(
  { rules, sessions }: Pick<McpDeps, "rules" | "sessions">,
  principal: Principal,
  claimed: ClaimedPlace,
): Promise<McpCaller> {
  if (!principal.scopes.has("turns")) rules.assertScope(principal, "tools");
  if (principal.sessionId !== null) {
    const session = await sessions.get(principal.sessionId);
    rules.assertMayUse(principal, session);
    assertSame(claimed, session);
    sessions.touch(session);
    return { principal, actor: rules.actorFor(principal, session), session };
  }
  const userId = principal.userId ?? claimed.userId;
  if (userId === null) return { principal, actor: null, session: null };
  const guildId = claimed.guildId ?? onlyGuildOf(principal);
  const person = { userId: claimed.userId ?? userId, guildId };
  rules.assertMayOpen(principal, person);
  const place = { ...person, channelId: claimed.channelId ?? nowhere };
  return { principal, actor: rules.actorFor(principal, place), session: null };
}

/**
 * The same caller in the middle of a long-lived connection: a session may have been narrowed, ended or opened anew since
 * it began. Throws ProtocolError.
 */
export async function asOfNow(
  { rules, sessions }: Pick<McpDeps, "rules" | "sessions">,
  caller: McpCaller,
): Promise<McpCaller> {
  if (caller.session === null) return caller;
  try {
    const session = await sessions.get(caller.session.id);
    rules.assertMayUse(caller.principal, session);
    sessions.touch(session);
    return { ...caller, session };
  } catch (error) {
    throw protocolError(error);
  }
}

function onlyGuildOf({ guildIds }: Principal): string | null {
  if (guildIds === null) return null;
  const [only, ...others] = guildIds;
  if (only !== undefined && others.length === 0) return only;
  throw new AppError(
    "invalid_data",
    `This token is good for ${guildIds.size} servers: say from which one you call, with guild_id in the address.`,
    { data: { path: "guild_id" } },
  );
}

function assertSame(claimed: ClaimedPlace, session: Session): void {
  for (const name of ["userId", "guildId", "channelId"] as const) {
    if (claimed[name] === null || claimed[name] === session[name]) continue;
    throw new AppError(
      "forbidden",
      "A session token speaks for its own user from its own channel; leave user_id, guild_id and channel_id out.",
    );
  }
}
