import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { Session } from "../sessions/ports.ts";
import { type Principal, type Scope, sessionScopes } from "./ports.ts";

/** Who may do what. Each throws AppError `forbidden`, saying what would be needed. */
export interface Rules {
  assertScope(principal: Principal, scope: Scope): void;
  /**
   * Whether a session may be opened for that user, there. A token that is bound to a user opens sessions for
   * that user alone, an operator's for any, and one that is limited to guilds only there (so not in direct
   * messages).
   */
  assertMayOpen(
    principal: Principal,
    wanted: { readonly userId: string; readonly guildId: string | null },
  ): void;
  /**
   * Whether it may use that session: a session token its own alone, a user's token that user's, and none that is good
   * for other things alone. One of the bot's own user needs the scope `act:bot`, whatever is asked of it: what it
   * hears and decides is the bot's.
   */
  assertMayUse(principal: Principal, session: Session): void;
  /**
   * On whose behalf a session acts: its user, whoever opened it. A session of the bot's own user acts with the bot's
   * power, and needs the scope `act:bot`.
   */
  actorFor(principal: Principal, session: Pick<Session, "userId" | "guildId" | "channelId">): Actor;
}

/** `botUserId`: null while the bot's own user is not known. */
export function createRules(botUserId: () => string | null): Rules {
  return {
    assertScope,
    assertMayOpen,
    assertMayUse(principal, session) {
      assertOfSession(principal, session);
      if (session.userId === botUserId()) assertScope(principal, "act:bot");
    },
    actorFor(principal, { userId, guildId, channelId }) {
      if (userId !== botUserId()) return { kind: "user", userId, guildId, channelId };
      assertScope(principal, "act:bot");
      return { kind: "bot", userId, guildId, channelId };
    },
  };
}

function assertScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.has(scope)) return;
  throw new AppError("forbidden", `This token lacks the scope ${scope}; use one that has it.`, {
    data: { scope },
  });
}

function assertMayOpen(
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

function assertOfSession(principal: Principal, session: Session): void {
  if (!sessionScopes.some((scope) => principal.scopes.has(scope))) assertScope(principal, "sessions");
  if (principal.kind === "session") {
    // A session's id can be chosen anew once it has expired: user and channel must still be those of the token.
    const own = principal.sessionId === session.id && principal.channelId === session.channelId;
    if (!own) throw notYours("This token is for another session");
  }
  if (principal.userId !== null && principal.userId !== session.userId)
    throw notYours("This session belongs to another Discord user");
  assertGuild(principal, session.guildId);
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
