import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import type { Principal, Scope } from "./ports.ts";

/** Throws AppError `forbidden`. */
export function assertScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.has(scope)) return;
  throw new AppError("forbidden", `This token lacks the scope ${scope}; use one that has it.`, {
    data: { scope },
  });
}

/**
 * Whether a session may be opened for that user, there. A token that is bound to a user opens sessions for
 * that user alone, an operator's for any, and one that is limited to guilds only there (so not in direct
 * messages). Throws AppError `forbidden`.
 */
export function assertMayOpen(
  principal: Principal,
  wanted: { readonly userId: string; readonly guildId: string | null },
): void {
  if (principal.userId !== null && principal.userId !== wanted.userId) {
    throw new AppError(
      "forbidden",
      "This token speaks for another Discord user; use that user's token, or an operator's.",
      { data: { path: "user_id" } },
    );
  }
  assertGuild(principal, wanted.guildId);
}

/** Each of these lets a token do something with a session. */
const ofSessions: readonly Scope[] = ["sessions", "turns", "tools", "approve"];

/**
 * Whether it may use that session: a session token its own alone, a user's token that user's, and none that is good
 * for other things alone. One of the bot's own user (given `botUserId`) needs the scope `act:bot`, whatever is asked of
 * it: what it hears and decides is the bot's. Throws AppError `forbidden`.
 */
export function assertMayUse(principal: Principal, session: Session, botUserId: string | null = null): void {
  if (!ofSessions.some((scope) => principal.scopes.has(scope))) assertScope(principal, "sessions");
  if (principal.kind === "session") {
    // A session's id can be chosen anew once it has expired: user and channel must still be those of the token.
    const own = principal.sessionId === session.id && principal.channelId === session.channelId;
    if (!own) throw notYours("This token is for another session");
  }
  if (principal.userId !== null && principal.userId !== session.userId)
    throw notYours("This session belongs to another Discord user");
  assertGuild(principal, session.guildId);
  if (session.userId === botUserId) assertScope(principal, "act:bot");
}

/**
 * On whose behalf a session acts: its user, whoever opened it. A session of the bot's own user (given
 * `botUserId`) acts with the bot's power, and needs the scope `act:bot`; throws AppError `forbidden` without it.
 */
export function actorFor(
  principal: Principal,
  { userId, guildId, channelId }: Pick<Session, "userId" | "guildId" | "channelId">,
  botUserId: string | null = null,
): Actor {
  if (userId !== botUserId) return { kind: "user", userId, guildId, channelId };
  assertScope(principal, "act:bot");
  return { kind: "bot", userId, guildId, channelId };
}

function assertGuild({ guildIds }: Principal, guildId: string | null): void {
  if (guildIds === null || (guildId !== null && guildIds.has(guildId))) return;
  throw new AppError(
    "forbidden",
    guildId === null
      ? "This token is limited to some servers and does not reach direct messages."
      : "This token is limited to other servers.",
    { data: { path: "guild_id" } },
  );
}

function notYours(what: string): AppError {
  return new AppError("forbidden", `${what}; open your own with initialize.`);
}
