import { isIPv4 } from "node:net";
import { dirname, resolve } from "node:path";
import { readVariables, type Values } from "./config/read-variables.ts";
import type { ToolPolicy } from "./config/tool-policy.ts";
import type { Rate } from "./limits/rate-limits.ts";

/** The configuration, read once and frozen. `readConfig` is its only maker. */
export interface Config {
  readonly discord: {
    /** Absent: the service runs without Discord. */
    readonly token: string | null;
    /** REST base without the version, such as https://discord.com/api. */
    readonly apiUrl: string;
    /** Base of the addresses of attachments. */
    readonly cdnUrl: string;
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
    readonly toolSearch: "auto" | "on" | "off";
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
    readonly queueOfUser: number;
    readonly queueOfGuild: number;
    readonly queueOfAll: number;
    readonly concurrent: number;
    readonly maxResumes: number;
    readonly maxAgeMs: number;
    readonly userTokensPerDay: number;
    readonly guildTokensPerDay: number;
  };
  readonly tools: {
    readonly policy: ToolPolicy;
    /** Where a server's differs. */
    readonly guilds: Readonly<Record<string, Partial<ToolPolicy>>>;
    /** How long a question waits for its answer. */
    readonly approvalMs: number;
  };
  readonly database: { readonly path: string };
  /** Where the operator token, the key and the control socket are. */
  readonly dataDir: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly auth: "required" | "off";
    /** Offers what the conformance suite calls. */
    readonly conformanceFixtures: boolean;
    readonly allowedHosts: readonly string[];
    readonly corsOrigins: readonly string[];
    /** Addresses, and networks as ADDRESS/BITS. */
    readonly trustProxy: readonly string[];
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
    readonly changes: Rate;
  };
  readonly log: { readonly level: "debug" | "info" | "warning" | "error"; readonly format: "json" | "text" };
  readonly retentionDays: number;
  readonly auditRetentionDays: number;
  /** How long the data of a guild that has removed the bot are kept. */
  readonly guildRemovalMs: number;
  /** How long a drain waits for running turns. */
  readonly drainMs: number;
}

/** Carries every problem of the configuration at once, a line each: "NAME what is wrong and what would be right". */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Reads and checks the environment. An empty variable counts as absent; relative paths begin in `folder`, the
 * working folder if not given. Throws ConfigError.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, folder = "."): Config {
  const problems: string[] = [];
  const values = readVariables(env, problems);
  if (values.MCP_AUTH === "off" && !isLoopback(values.MCP_HOST)) {
    problems.push(
      `MCP_AUTH must be required while MCP_HOST is ${values.MCP_HOST}: without authentication only a loopback address such as 127.0.0.1 is accepted`,
    );
  }
  if (values.MCP_CONFORMANCE_FIXTURES === "1" && values.MCP_AUTH !== "off") {
    problems.push(
      "MCP_CONFORMANCE_FIXTURES must be 0 while MCP_AUTH is required: fixtures are for tests alone",
    );
  }
  if (values.SECRET_KEY_PREVIOUS !== null && values.SECRET_KEY === null) {
    problems.push("SECRET_KEY_PREVIOUS needs SECRET_KEY: set the new key beside it");
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(arrange(values, folder));
}

/** Addresses that no other machine can reach. */
export function isLoopback(host: string): boolean {
  return (
    host === "localhost" || host === "::1" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."))
  );
}

function arrange(v: Values, folder: string): Config {
  const databasePath = resolve(folder, v.DATABASE_URL);
  return {
    discord: {
      token: v.DISCORD_TOKEN,
      apiUrl: v.DISCORD_API_URL,
      cdnUrl: v.DISCORD_CDN_URL,
      prefix: v.DISCORD_PREFIX,
      publicKey: v.DISCORD_PUBLIC_KEY,
      privilegedIntents: {
        messageContent: v.DISCORD_INTENTS.includes("message_content"),
        members: v.DISCORD_INTENTS.includes("members"),
        presences: v.DISCORD_INTENTS.includes("presences"),
      },
      shards: v.DISCORD_SHARDS,
      allow: {
        guildIds: v.DISCORD_ALLOWED_GUILDS,
        channelIds: v.DISCORD_ALLOWED_CHANNELS,
        categoryIds: v.DISCORD_ALLOWED_CATEGORIES,
        roleIds: v.DISCORD_ALLOWED_ROLES,
        userIds: v.DISCORD_ALLOWED_USERS,
        directMessages: v.DISCORD_DIRECT_MESSAGES === "on",
      },
    },
    model: {
      apiKey: v.ANTHROPIC_API_KEY,
      baseUrl: v.ANTHROPIC_BASE_URL,
      name: v.ANTHROPIC_MODEL,
      effort: v.ANTHROPIC_EFFORT,
      toolSearch: v.ANTHROPIC_TOOL_SEARCH,
      maxTokens: v.ANTHROPIC_MAX_TOKENS,
      historyTokens: v.HISTORY_TOKENS,
      systemPrompt: v.SYSTEM_PROMPT,
      maxRetries: v.ANTHROPIC_MAX_RETRIES,
      timeoutMs: v.ANTHROPIC_TIMEOUT_SECONDS * 1000,
    },
    turn: {
      maxSteps: v.TURN_MAX_STEPS,
      toolTimeoutMs: v.TOOL_TIMEOUT_SECONDS * 1000,
      toolResultBytes: v.TOOL_RESULT_BYTES,
      queue: v.TURN_QUEUE,
      queueOfUser: v.TURN_QUEUE_USER,
      queueOfGuild: v.TURN_QUEUE_GUILD,
      queueOfAll: v.TURN_QUEUE_TOTAL,
      concurrent: v.TURNS_CONCURRENT,
      maxResumes: 3,
      maxAgeMs: 60 * 60 * 1000,
      userTokensPerDay: v.USER_TOKENS_PER_DAY,
      guildTokensPerDay: v.GUILD_TOKENS_PER_DAY,
    },
    tools: {
      policy: {
        tools: v.TOOLS,
        writes: v.TOOL_WRITES,
        privateAnswers: v.PRIVATE_ANSWERS,
        moderatorsUse2fa: v.MODERATORS_USE_2FA === "yes",
        directMessages: v.TOOL_DIRECT_MESSAGES,
      },
      guilds: v.GUILD_POLICIES,
      approvalMs: v.APPROVAL_MINUTES * 60 * 1000,
    },
    database: { path: databasePath },
    dataDir: dirname(databasePath),
    http: {
      host: v.MCP_HOST,
      port: v.MCP_PORT,
      auth: v.MCP_AUTH,
      conformanceFixtures: v.MCP_CONFORMANCE_FIXTURES === "1",
      allowedHosts: v.ALLOWED_HOSTS,
      corsOrigins: v.CORS_ORIGINS,
      trustProxy: v.TRUST_PROXY,
      maxConnections: v.MAX_CONNECTIONS,
      maxConnectionsPerToken: v.MAX_CONNECTIONS_PER_TOKEN,
    },
    session: { ttlMs: v.SESSION_TTL_DAYS * 24 * 60 * 60 * 1000 },
    secretKey: v.SECRET_KEY,
    secretKeyPrevious: v.SECRET_KEY_PREVIOUS,
    limits: {
      token: v.RATE_LIMIT_TOKEN,
      address: v.RATE_LIMIT_ADDRESS,
      user: v.RATE_LIMIT_USER,
      guild: v.RATE_LIMIT_GUILD,
      changes: v.RATE_LIMIT_CHANGES,
    },
    log: { level: v.LOG_LEVEL, format: v.LOG_FORMAT },
    retentionDays: v.RETENTION_DAYS,
    auditRetentionDays: v.AUDIT_RETENTION_DAYS,
    guildRemovalMs: v.GUILD_REMOVAL_HOURS * 60 * 60 * 1000,
    drainMs: v.DRAIN_SECONDS * 1000,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
