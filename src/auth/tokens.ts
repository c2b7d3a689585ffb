import { randomBytes } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import { isSnowflake } from "../snowflake.ts";
import { type ApiToken, type ApiTokenStore, type Scope, scopes } from "./ports.ts";
import { equalBytes, newSecret, secretPattern, sha256 } from "./secrets.ts";

const log = getLogger(["discord-mcp", "auth"]);

export interface NewToken {
  /** For people, 1 to 100 characters. */
  readonly name: string;
  /** The Discord user that it speaks for; null for an operator's. */
  readonly userId: string | null;
  readonly scopes: readonly Scope[];
  /** Guilds that it is limited to; null for all. Limited tokens open no direct messages. */
  readonly guildIds: readonly string[] | null;
  /** Milliseconds since 1970; null for never. */
  readonly expiresAt: number | null;
}

export interface CreatedToken {
  /** `dmcp_<id>_<secret>`: shown once, stored nowhere. */
  readonly token: string;
  readonly record: ApiToken;
}

export interface Tokens {
  /** Throws AppError `invalid_data`. */
  create(wanted: NewToken): Promise<CreatedToken>;
  /** The record of a token that is known, not revoked and not expired. Throws AppError `unauthorized`. */
  verify(token: string): Promise<ApiToken>;
  /**
   * The record of a live token by its id, else null. From a small cache that no revocation is outlived by; at once when
   * it is there, since each request asks.
   */
  live(id: string): ApiToken | null | Promise<ApiToken | null>;
  list(): Promise<readonly ApiToken[]>;
  /** From the moment it resolves the token, and every session token made with it, is refused. False: no such live token. */
  revoke(id: string): Promise<boolean>;
}

/** What the first operator may do. `act:bot` is left out: the bot's own power is granted by name or not at all. */
export const operatorScopes: readonly Scope[] = scopes.filter((scope) => scope !== "act:bot");

const form = new RegExp(`^dmcp_([0-9a-f]{16})_(${secretPattern})$`);
const nobody = sha256("no token has this secret");
const cachedRecords = 1000;
const touchEveryMs = 60_000;
const unknown = "This API token is not known; make one with: discord-mcp token create";

export function createTokens(store: ApiTokenStore, now: () => number = Date.now): Tokens {
  const cache = new Map<string, ApiToken>();
  const touched = new Map<string, number>();
  let revocations = 0;

  async function record(id: string): Promise<ApiToken | null> {
    const cached = cache.get(id);
    if (cached !== undefined) return cached;
    const before = revocations;
    const found = await store.get(id);
    // A record that was read while something was being revoked may be the one from before.
    if (found !== null && before === revocations) remember(cache, id, found);
    return found;
  }

  const ifLive = (found: ApiToken | null) =>
    found !== null && stateOf(found, now()) === "live" ? found : null;

  const live: Tokens["live"] = (id) => {
    const cached = cache.get(id);
    return cached === undefined ? record(id).then(ifLive) : ifLive(cached);
  };

  function touch(id: string): void {
    const at = now();
    if (at - (touched.get(id) ?? Number.NEGATIVE_INFINITY) < touchEveryMs) return;
    remember(touched, id, at);
    store.touch(id, at).catch((error: unknown) => {
      // Only the list of tokens shows it: nobody is kept out because of it.
      log.warn("a token's last use could not be written", { token_id: id, error });
    });
  }

  return {
    live,
    async create(wanted) {
      const { token, record } = makeToken(wanted, now());
      await store.insert(record);
      return { token, record };
    },
    async verify(token) {
      const [, id, secret] = form.exec(token) ?? [];
      if (id === undefined || secret === undefined) throw new AppError("unauthorized", unknown);
      const found = await record(id);
      // Compared even when there is none, so that the time tells nothing about which ids exist.
      const right = equalBytes(sha256(secret), found?.secretHash ?? nobody);
      if (found === null || !right) throw new AppError("unauthorized", unknown);
      const state = stateOf(found, now());
      if (state !== "live") {
        throw new AppError(
          "unauthorized",
          `This API token ${state === "revoked" ? "was revoked" : "has expired"}; ask an operator for a new one.`,
        );
      }
      touch(id);
      return found;
    },
    list: () => store.list(),
    async revoke(id) {
      const done = await store.revoke(id, now());
      revocations += 1;
      cache.delete(id);
      return done;
    },
  };
}

/**
 * On a start without any token (revoked ones count as tokens): makes an operator's, so that somebody can get in.
 * `write` puts it where the operator finds it, before it is stored: were it lost, nobody could get in any more.
 */
export async function createOperatorTokenIfNone(
  store: ApiTokenStore,
  write: (token: string) => Promise<void>,
  now: () => number = Date.now,
): Promise<ApiToken | null> {
  if ((await store.list()).length > 0) return null;
  const wanted = { name: "first operator", userId: null, scopes: operatorScopes, guildIds: null };
  const { token, record } = makeToken({ ...wanted, expiresAt: null }, now());
  await write(token);
  await store.insert(record);
  return record;
}

function makeToken(wanted: NewToken, at: number): CreatedToken {
  assertSound(wanted, at);
  const id = randomBytes(8).toString("hex");
  const secret = newSecret();
  const record: ApiToken = {
    id,
    name: wanted.name.trim(),
    secretHash: sha256(secret),
    userId: wanted.userId,
    scopes: scopes.filter((scope) => wanted.scopes.includes(scope)),
    guildIds: wanted.guildIds === null ? null : [...new Set(wanted.guildIds)],
    createdAt: at,
    expiresAt: wanted.expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  };
  return { token: `dmcp_${id}_${secret}`, record };
}

function assertSound({ name, userId, scopes: asked, guildIds, expiresAt }: NewToken, at: number): void {
  const complain = (message: string) => {
    throw new AppError("invalid_data", message);
  };
  if (name.trim() === "" || name.length > 100) complain("A token's name has 1 to 100 characters.");
  // Lists of tokens are shown on terminals, which these would steer.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) complain("A token's name has no control characters.");
  if (userId !== null && !isSnowflake(userId))
    complain("A token's user is a Discord user id: 15 to 20 digits.");
  const strange = asked.find((scope) => !scopes.includes(scope));
  if (asked.length === 0 || strange !== undefined)
    complain(`A token needs one or more of the scopes ${scopes.join(", ")}.`);
  if (userId !== null && asked.includes("act:bot"))
    complain("A token that is bound to a user cannot have the scope act:bot; leave out one of them.");
  if (guildIds !== null && (guildIds.length === 0 || guildIds.length > 100))
    complain("A token is limited to 1 to 100 servers, or to none at all.");
  if (guildIds?.some((id) => !isSnowflake(id))) complain("A server id has 15 to 20 digits.");
  if (expiresAt !== null && !(expiresAt > at)) complain("A token's expiry lies in the future.");
}

function stateOf(token: ApiToken, at: number): "live" | "revoked" | "expired" {
  if (token.revokedAt !== null) return "revoked";
  return token.expiresAt !== null && token.expiresAt <= at ? "expired" : "live";
}

/** Bounded: the oldest entry goes. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  if (map.size >= cachedRecords) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  map.set(key, value);
}
