import type { Rate } from "./limits.ts";

/** The configuration, read once and frozen. `readConfig` is its only maker. */
export interface Config {
  readonly discord: {
    /** Absent: the service runs without Discord. */
    readonly token: string | null;
    /** REST base without the version, such as https://discord.com/api. */
    readonly apiUrl: string;
    readonly prefix: string;
    /** Hex, for webhook interactions; absent: that route answers 404. */
    readonly publicKey: string | null;
    readonly privilegedIntents: {
      readonly messageContent: boolean;
      readonly members: boolean;
      readonly presences: boolean;
    };
    readonly shards: number | "auto";
    readonly allow: {
      readonly guildIds: readonly string[];
      readonly channelIds: readonly string[];
      readonly categoryIds: readonly string[];
      readonly roleIds: readonly string[];
      readonly userIds: readonly string[];
      readonly directMessages: boolean;
    };
  };
  readonly model: {
    readonly apiKey: string | null;
    readonly baseUrl: string | null;
    readonly name: string;
    readonly effort: "low" | "medium" | "high" | null;
    /** Output tokens of one step. */
    readonly maxTokens: number;
    /** Tokens of history that are replayed before older turns are summarised. */
    readonly historyTokens: number;
    readonly systemPrompt: string | null;
    readonly maxRetries: number;
    /** Milliseconds that one model call may take, retries apart. */
    readonly timeoutMs: number;
  };
  readonly turn: {
    readonly maxSteps: number;
    readonly toolTimeoutMs: number;
    readonly toolResultBytes: number;
    readonly queue: number;
    readonly concurrent: number;
    readonly maxResumes: number;
    readonly maxAgeMs: number;
    readonly userTokensPerDay: number;
    readonly guildTokensPerDay: number;
  };
  readonly database: { readonly path: string };
  /** Where the operator token, the key and the control socket are. */
  readonly dataDir: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly auth: "required" | "off";
    readonly allowedHosts: readonly string[];
    readonly corsOrigins: readonly string[];
    readonly maxConnections: number;
    readonly maxConnectionsPerToken: number;
  };
  readonly session: { readonly ttlMs: number };
  readonly secretKey: string | null;
  readonly secretKeyPrevious: string | null;
  readonly limits: {
    readonly token: Rate;
    readonly address: Rate;
    readonly user: Rate;
    readonly guild: Rate;
  };
  readonly log: { readonly level: "debug" | "info" | "warning" | "error"; readonly format: "json" | "text" };
  readonly retentionDays: number;
  /** How long a drain waits for running turns. */
  readonly drainMs: number;
}
