/** Requests within a window, as Discord counts them. */
export interface RateLimit {
  readonly limit: number;
  readonly windowMs: number;
}

export interface RateLimitSettings {
  /** For all requests of the bot; null switches it off. Discord's is 50 a second. */
  readonly global: RateLimit | null;
  /** Limits by "METHOD /pattern"; `default` is for all others. Null for everything: no request is refused. */
  readonly routes: Readonly<Record<string, RateLimit>> | null;
}

/** Close to what Discord answers today; it gives no promise about them: https://discord.com/developers/docs/topics/rate-limits */
export const discordRateLimits: RateLimitSettings = {
  global: { limit: 50, windowMs: 1000 },
  routes: {
    default: { limit: 20, windowMs: 1000 },
    "POST /channels/:channelId/messages": { limit: 5, windowMs: 5000 },
    "PATCH /channels/:channelId/messages/:messageId": { limit: 5, windowMs: 5000 },
    "POST /channels/:channelId/typing": { limit: 5, windowMs: 5000 },
    "GET /channels/:channelId/messages": { limit: 5, windowMs: 1000 },
    "GET /guilds/:guildId/messages/search": { limit: 5, windowMs: 5000 },
    "PUT /channels/:channelId/messages/:messageId/reactions/:emoji/@me": { limit: 1, windowMs: 250 },
    "POST /users/@me/channels": { limit: 10, windowMs: 10_000 },
  },
};

/** Headers still come, with room for everything. */
export const noRateLimits: RateLimitSettings = { global: null, routes: null };

const unlimited: RateLimit = { limit: 100_000, windowMs: 1000 };
const bucketsBound = 10_000;

export interface RateVerdict {
  readonly headers: Record<string, string>;
  /** Set when the request is refused. */
  readonly refusal: { readonly retryAfterSeconds: number; readonly isGlobal: boolean } | null;
}

interface Window {
  used: number;
  resetAt: number;
}

/** Counts by route and major parameter (channel, guild, webhook), in fixed windows that begin with the first request. */
export class RateLimits {
  readonly #settings: RateLimitSettings;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  constructor(settings: RateLimitSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  take(route: string, major: string, countsGlobally: boolean): RateVerdict {
    const { global, routes } = this.#settings;
    if (global !== null && countsGlobally) {
      const window = this.#window("global", global.windowMs);
      window.used += 1;
      if (window.used > global.limit) return this.#refuseGlobally(window);
    }
    const rule = routes === null ? unlimited : (routes[route] ?? routes.default ?? unlimited);
    const window = this.#window(`${route} ${major}`, rule.windowMs);
    window.used += 1;
    const headers = this.#headers(route, rule, window);
    if (window.used <= rule.limit) return { headers, refusal: null };
    const retryAfterSeconds = this.#secondsUntil(window.resetAt);
    return {
      headers: {
        ...headers,
        "retry-after": String(Math.ceil(retryAfterSeconds)),
        "x-ratelimit-scope": "user",
      },
      refusal: { retryAfterSeconds, isGlobal: false },
    };
  }

  #refuseGlobally(window: Window): RateVerdict {
    const retryAfterSeconds = this.#secondsUntil(window.resetAt);
    const headers = {
      "retry-after": String(Math.ceil(retryAfterSeconds)),
      "x-ratelimit-global": "true",
      "x-ratelimit-scope": "global",
    };
    return { headers, refusal: { retryAfterSeconds, isGlobal: true } };
  }

  #headers(route: string, rule: RateLimit, window: Window): Record<string, string> {
    return {
      "x-ratelimit-limit": String(rule.limit),
      "x-ratelimit-remaining": String(Math.max(0, rule.limit - window.used)),
      "x-ratelimit-reset": (window.resetAt / 1000).toFixed(3),
      "x-ratelimit-reset-after": this.#secondsUntil(window.resetAt).toFixed(3),
      "x-ratelimit-bucket": Bun.hash(route).toString(16).padStart(16, "0"),
    };
  }

  #secondsUntil(time: number): number {
    return Math.max(0.001, (time - this.#now()) / 1000);
  }

  #window(key: string, windowMs: number): Window {
    const now = this.#now();
    const current = this.#windows.get(key);
    if (current !== undefined && current.resetAt > now) return current;
    const fresh = { used: 0, resetAt: now + windowMs };
    if (this.#windows.size > bucketsBound) this.#windows.clear();
    this.#windows.set(key, fresh);
    return fresh;
  }
}
