import type { Actor } from "../actor.ts";

export const scopes = ["sessions", "turns", "tools", "approve", "metrics", "act:bot"] as const;
export type Scope = (typeof scopes)[number];

/** Each of these lets a token do something with a session; the others are no matter of sessions. */
export const sessionScopes: readonly Scope[] = ["sessions", "turns", "tools", "approve"];

/** An API token as stored: only a hash of its secret. Times in milliseconds since 1970. */
export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly secretHash: Uint8Array;
  /** The Discord user that it is bound to; null for an operator's. */
  readonly userId: string | null;
  readonly scopes: readonly Scope[];
  /** Guilds that it is limited to; null for all. */
  readonly guildIds: readonly string[] | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface ApiTokenStore {
  insert(token: ApiToken): Promise<void>;
  get(id: string): Promise<ApiToken | null>;
  list(): Promise<readonly ApiToken[]>;
  /** False when there is none, or it was revoked before. */
  revoke(id: string, now: number): Promise<boolean>;
  /** At most once a minute for each token. */
  touch(id: string, now: number): Promise<void>;
}

/** Who is at the door. `session` is a bearer of a session token: good for that session alone. */
export interface Principal {
  readonly kind: "token" | "session" | "anonymous";
  /** The API token behind it; null when authentication is off. */
  readonly tokenId: string | null;
  /** The one user it may speak for; null for an operator. */
  readonly userId: string | null;
  /** Set for `session`. */
  readonly sessionId: string | null;
  readonly scopes: ReadonlySet<Scope>;
  readonly guildIds: ReadonlySet<string> | null;
  /** For `session`: the one channel that the session token was made for. */
  readonly channelId?: string;
  /** For `session`: when the session token ends, in milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** Whether somebody is where they are said to be. */
export interface PlacesPort {
  /**
   * Throws AppError `not_found` or `permission_denied` unless the person can be in that guild and see that channel (and
   * a direct channel is their own), `discord_unavailable` when it cannot be established; at once or later.
   */
  assertReachable(actor: Actor, signal: AbortSignal): void | Promise<void>;
}
