import type { Principal, Scope } from "../../src/auth/ports.ts";
import { scopes as allScopes } from "../../src/auth/ports.ts";
import { AppError } from "../../src/errors.ts";
import type { AuthPort } from "../../src/http/ports.ts";
import type { RulesPort } from "../../src/protocol/ports.ts";

/** Until src/auth is there. */
export function temporaryAuth(now: () => number) {
  const known = new Map<string, Principal>();
  const revoked = new Set<string | null>();
  let next = 0;
  const unauthorized = () => new AppError("unauthorized", "Send a valid token as Authorization: Bearer …");
  const add = (principal: Principal) => {
    const secret = `dmcp_${next++}_${crypto.randomUUID()}`;
    known.set(secret, principal);
    return secret;
  };
  const auth: AuthPort = {
    async authenticate({ authorization, ticket }) {
      const secret = authorization?.replace(/^Bearer /, "") ?? ticket ?? "";
      const principal = known.get(secret);
      if (principal === undefined || revoked.has(principal.tokenId)) throw unauthorized();
      if (ticket === secret) known.delete(secret);
      return principal;
    },
    stillValid: (principal) => !revoked.has(principal.tokenId),
    issueTicket: (principal) => ({ token: add(principal), expiresAt: now() + 60_000 }),
  };
  const forbidden = (what: string) => new AppError("forbidden", `This token may not ${what}.`);
  const rules: RulesPort = {
    assertScope(principal, scope) {
      if (!principal.scopes.has(scope)) throw forbidden(`do that; it needs the scope ${scope}`);
    },
    assertMayOpen(principal, { userId, guildId }) {
      if (principal.userId !== null && principal.userId !== userId) throw forbidden("act for that user");
      if (principal.guildIds !== null && (guildId === null || !principal.guildIds.has(guildId)))
        throw forbidden("be used in that guild");
    },
    assertMayUse(principal, session) {
      if (principal.kind === "session" && principal.sessionId !== session.id)
        throw forbidden("use that session");
      if (principal.userId !== null && principal.userId !== session.userId)
        throw forbidden("use that session");
    },
    actorFor: (_principal, { userId, channelId, guildId }) => ({ kind: "user", userId, channelId, guildId }),
  };
  return {
    auth,
    rules,
    issueToken: (session: { id: string; userId: string }, by: Principal) => ({
      token: add({ ...by, kind: "session", userId: session.userId, sessionId: session.id }),
      expiresAt: now() + 3_600_000,
    }),
    create(options: {
      userId?: string | null;
      scopes?: readonly Scope[];
      guildIds?: readonly string[] | null;
    }) {
      const tokenId = `t${next}`;
      const { userId = null, scopes = allScopes, guildIds = null } = options;
      const secret = add({
        kind: "token",
        tokenId,
        userId,
        sessionId: null,
        scopes: new Set(scopes),
        guildIds: guildIds === null ? null : new Set(guildIds),
      });
      return { tokenId, secret };
    },
    revoke: (tokenId: string) => void revoked.add(tokenId),
  };
}
