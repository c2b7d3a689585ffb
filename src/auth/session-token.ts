import { createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { AppError } from "../errors.ts";
import { equalBytes } from "./secrets.ts";

export interface SessionClaims {
  readonly sessionId: string;
  readonly userId: string;
  readonly channelId: string;
  /** The API token that it was made with and dies with; null when authentication is off. */
  readonly tokenId: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface SessionTokens {
  issue(claims: Omit<SessionClaims, "expiresAt">): { readonly token: string; readonly expiresAt: number };
  /** Checks signature and expiry only. Throws AppError `unauthorized`. */
  verify(token: string): SessionClaims;
}

export interface SessionTokenOptions {
  readonly secretKey: string;
  /** The key before it: what it signed stays good while the key is being changed. */
  readonly secretKeyPrevious?: string | null;
  readonly now?: () => number;
  /** 24 hours by default. */
  readonly ttlMs?: number;
}

/** Clocks of two machines that share a key, or one that was set back, may differ by this much. */
export const clockSkewMs = 30_000;
const dayMs = 24 * 60 * 60 * 1000;
const maxLength = 1024;
const form = /^dmcs_([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;
const refusal = "This session token is not valid; open the session again with initialize and an API token.";

/** `dmcs_<claims>.<HMAC-SHA256>`, both base64url. The claims are readable by the bearer and hold no secret. */
export function createSessionTokens(options: SessionTokenOptions): SessionTokens {
  const { now = Date.now, ttlMs = dayMs } = options;
  const signing = signingKey(options.secretKey);
  const previous = options.secretKeyPrevious ?? null;
  const keys = previous === null ? [signing] : [signing, signingKey(previous)];
  return {
    issue({ sessionId, userId, channelId, tokenId }) {
      const expiresAt = now() + ttlMs;
      const claims = Buffer.from(JSON.stringify([sessionId, userId, channelId, tokenId, expiresAt]));
      const payload = claims.toString("base64url");
      return { token: `dmcs_${payload}.${sign(signing, payload).toString("base64url")}`, expiresAt };
    },
    verify(token) {
      const [, payload, presented] = (token.length <= maxLength && form.exec(token)) || [];
      if (payload === undefined || presented === undefined) throw new AppError("unauthorized", refusal);
      const given = Buffer.from(presented, "base64url");
      // Compared as text too: 43 characters hold two bits more than 32 bytes, which would let a token be respelled.
      const genuine = keys.some(
        (key) => equalBytes(given, sign(key, payload)) && given.toString("base64url") === presented,
      );
      if (!genuine) throw new AppError("unauthorized", refusal);
      const claims = readClaims(payload);
      // Made while the clock was ahead of what it is now: it would live for longer than any.
      if (claims.expiresAt > now() + ttlMs + clockSkewMs) throw new AppError("unauthorized", refusal);
      if (claims.expiresAt + clockSkewMs <= now()) {
        throw new AppError(
          "unauthorized",
          "This session token has expired; open the session again with initialize and an API token.",
        );
      }
      return claims;
    },
  };
}

function signingKey(secretKey: string): KeyObject {
  const bytes = hkdfSync("sha256", secretKey, "", "discord-mcp session token", 32);
  return createSecretKey(new Uint8Array(bytes));
}

function sign(key: KeyObject, payload: string): Buffer {
  return createHmac("sha256", key).update(`session token 1:${payload}`).digest();
}

/** Signed by us, so a wrong shape can only come from another version of this program. */
function readClaims(payload: string): SessionClaims {
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    throw new AppError("unauthorized", refusal);
  }
  if (!Array.isArray(claims)) throw new AppError("unauthorized", refusal);
  const [sessionId, userId, channelId, tokenId, expiresAt]: unknown[] = claims;
  if (
    typeof sessionId !== "string" ||
    typeof userId !== "string" ||
    typeof channelId !== "string" ||
    !(tokenId === null || typeof tokenId === "string") ||
    typeof expiresAt !== "number"
  ) {
    throw new AppError("unauthorized", refusal);
  }
  return { sessionId, userId, channelId, tokenId, expiresAt };
}
