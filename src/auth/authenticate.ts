import { AppError } from "../errors.ts";
import { type ApiToken, type Principal, scopes, sessionScopes } from "./ports.ts";
import { clockSkewMs, type SessionClaims, type SessionTokens } from "./session-token.ts";
import type { Tickets } from "./tickets.ts";
import type { Tokens } from "./tokens.ts";

export interface AuthenticatorDeps {
  readonly tokens: Tokens;
  readonly sessionTokens: SessionTokens;
  readonly tickets: Tickets;
  readonly mode: "required" | "off";
  readonly now: () => number;
}

export interface Authenticator {
  /** `authorization` is the header as it came, `ticket` what a browser's socket brings. Throws AppError `unauthorized`. */
  authenticate(presented: {
    readonly authorization?: string | null;
    readonly ticket?: string | null;
  }): Promise<Principal>;
  /** Of one who is inside: false once the token behind has been revoked or has expired. At once when it is in memory. */
  stillValid(principal: Principal): boolean | Promise<boolean>;
  issueTicket(principal: Principal): { readonly token: string; readonly expiresAt: number };
}

const maxHeader = 2048;
const advice =
  "Send an API token as Authorization: Bearer dmcp_…; the operator's is in the file operator-token of the data folder.";

/** While authentication is off (on loopback only) whoever connects is the operator. */
const anonymous: Principal = Object.freeze({
  kind: "anonymous",
  tokenId: null,
  userId: null,
  sessionId: null,
  scopes: new Set(scopes),
  guildIds: null,
});

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { tokens, sessionTokens, tickets, mode, now } = deps;

  async function bearer(token: string): Promise<Principal> {
    if (token.startsWith("dmcp_")) return ofToken(await tokens.verify(token));
    if (token.startsWith("dmcs_")) return ofClaims(sessionTokens.verify(token));
    throw new AppError("unauthorized", `That is no token of this service. ${advice}`);
  }

  async function ofClaims(claims: SessionClaims): Promise<Principal> {
    if (claims.tokenId === null && mode === "off") return ofSession(claims, null);
    const token = claims.tokenId === null ? null : await tokens.live(claims.tokenId);
    if (token === null) {
      throw new AppError(
        "unauthorized",
        "The API token that this session token was made with is not valid any more; use another one.",
      );
    }
    return ofSession(claims, token);
  }

  function stillValid(principal: Principal): boolean | Promise<boolean> {
    if (principal.expiresAt !== undefined && principal.expiresAt + clockSkewMs <= now()) return false;
    if (principal.tokenId === null) return mode === "off";
    const live = tokens.live(principal.tokenId);
    return live instanceof Promise ? live.then((token) => token !== null) : live !== null;
  }

  async function redeem(ticket: string): Promise<Principal> {
    const principal = tickets.redeem(ticket);
    if (await stillValid(principal)) return principal;
    throw new AppError("unauthorized", "The token that this ticket was made with is not valid any more.");
  }

  return {
    stillValid,
    issueTicket: (principal) => tickets.issue(principal),
    async authenticate({ authorization = null, ticket = null }) {
      // What is presented must be right, even where nothing need be presented: a wrong token is somebody's mistake.
      if (authorization !== null) return bearer(bearerOf(authorization));
      if (ticket !== null) return redeem(ticket);
      if (mode === "off") return anonymous;
      throw new AppError("unauthorized", `This needs a token. ${advice}`);
    },
  };
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
function bearerOf(authorization: string): string {
  const token = authorization.length <= maxHeader ? /^Bearer +(\S+) *$/i.exec(authorization)?.[1] : undefined;
  if (token === undefined) throw new AppError("unauthorized", `Authorization cannot be read. ${advice}`);
  return token;
}

function ofToken(token: ApiToken): Principal {
  return {
    kind: "token",
    tokenId: token.id,
    userId: token.userId,
    sessionId: null,
    scopes: new Set(token.scopes),
    guildIds: token.guildIds === null ? null : new Set(token.guildIds),
  };
}

function ofSession(claims: SessionClaims, token: ApiToken | null): Principal {
  // Each only if the API token behind it has it, too.
  const granted = sessionScopes.filter((scope) => token === null || token.scopes.includes(scope));
  return {
    kind: "session",
    tokenId: claims.tokenId,
    userId: claims.userId,
    sessionId: claims.sessionId,
    channelId: claims.channelId,
    expiresAt: claims.expiresAt,
    scopes: new Set(granted),
    guildIds: token === null || token.guildIds === null ? null : new Set(token.guildIds),
  };
}
