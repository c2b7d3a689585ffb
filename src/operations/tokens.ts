import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { type ApiToken, scopes } from "../auth/ports.ts";
import { operatorScopes, type Tokens } from "../auth/tokens.ts";
import { AppError } from "../errors.ts";

/** A token as the operator sees it: everything but its secret. Times in ISO 8601. */
export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly user_id: string | null;
  readonly scopes: readonly string[];
  readonly guild_ids: readonly string[] | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

const userScopes = ["sessions", "turns", "tools"] as const;

const createRequest = Compile(
  Type.Object(
    {
      name: Type.String(),
      user_id: Type.Union([Type.String(), Type.Null()]),
      scopes: Type.Union([Type.Array(Type.Union(scopes.map((scope) => Type.Literal(scope)))), Type.Null()]),
      guild_ids: Type.Union([Type.Array(Type.String()), Type.Null()]),
      expires_at: Type.Union([Type.Number(), Type.Null()]),
    },
    { additionalProperties: false },
  ),
);
const revokeRequest = Compile(Type.Object({ id: Type.String() }, { additionalProperties: false }));

/**
 * What the command `token` asks for, whether it reaches the running service or opens the database itself.
 * Throws AppError `invalid_data` or `not_found`.
 */
export function createTokenOperations(tokens: Tokens) {
  return {
    async token_create(data: unknown): Promise<{ token: string; row: TokenRow }> {
      if (!createRequest.Check(data)) throw malformed();
      const { token, record } = await tokens.create({
        name: data.name,
        userId: data.user_id,
        scopes: data.scopes ?? (data.user_id === null ? operatorScopes : userScopes),
        guildIds: data.guild_ids,
        expiresAt: data.expires_at,
      });
      return { token, row: rowOf(record) };
    },
    async token_list(): Promise<readonly TokenRow[]> {
      return (await tokens.list()).map(rowOf);
    },
    async token_revoke(data: unknown): Promise<{ id: string }> {
      if (!revokeRequest.Check(data)) throw malformed();
      if (await tokens.revoke(data.id)) return { id: data.id };
      throw new AppError("not_found", `There is no live token ${data.id}; see discord-mcp token list`);
    },
  };
}

function malformed(): AppError {
  return new AppError(
    "invalid_data",
    "The request cannot be read; are the command and the service of one version?",
  );
}

function rowOf(token: ApiToken): TokenRow {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    id: token.id,
    name: token.name,
    user_id: token.userId,
    scopes: token.scopes,
    guild_ids: token.guildIds,
    created_at: new Date(token.createdAt).toISOString(),
    expires_at: time(token.expiresAt),
    revoked_at: time(token.revokedAt),
    last_used_at: time(token.lastUsedAt),
  };
}
