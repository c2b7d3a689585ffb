import { readGuildPolicies, readToolWords, type ToolPolicy, toolWords } from "./tool-policy.ts";
import {
  BadValue,
  databasePath,
  ids,
  integer,
  list,
  networks,
  oneOf,
  optional,
  policy,
  rate,
  secretKey,
  url,
  type Variable,
  variable,
} from "./values.ts";

/** Every variable that the service reads, in the order of the README's table. */
export const variables = {
  DISCORD_TOKEN: optional("The bot's token. Without it the service runs on the network only."),
  DISCORD_API_URL: variable(
    "https://discord.com/api",
    "https://discord.com/api",
    "Base of Discord's REST API.",
    (text) => url(text, "https://discord.com/api"),
  ),
  DISCORD_CDN_URL: variable(
    "https://cdn.discordapp.com",
    "https://cdn.discordapp.com",
    "Base of Discord's files: attachments are read from there alone.",
    (text) => url(text, "https://cdn.discordapp.com"),
  ),
  DISCORD_PUBLIC_KEY: optional(
    "The application's public key (64 hex digits), for interactions by webhook.",
    (text) => {
      if (!/^[0-9a-f]{64}$/i.test(text))
        throw new BadValue("must be the 64 hex digits of the application's public key");
      return text;
    },
  ),
  DISCORD_INTENTS: list(
    "Privileged intents to ask for: message_content, members, presences; or none.",
    "message_content, members, presences, or none",
    /^(message_content|members|presences|none)$/,
    ["message_content", "members"],
  ),
  DISCORD_SHARDS: variable<number | "auto">(
    "auto",
    "auto",
    "How many shards, or auto for what Discord recommends.",
    (text) => {
      if (text === "auto") return "auto";
      if (!/^[1-9]\d{0,2}$/.test(text)) throw new BadValue("must be auto or a whole number from 1 to 999");
      return Number(text);
    },
  ),
  DISCORD_PREFIX: variable("!", "!", "What stands before reset, tools, stop, export and forget.", (text) => {
    if (!/^\S{1,5}$/.test(text)) throw new BadValue("must be 1 to 5 characters without white space");
    return text;
  }),
  DISCORD_ALLOWED_GUILDS: ids("servers where the bot answers"),
  DISCORD_ALLOWED_CHANNELS: ids("channels where it answers"),
  DISCORD_ALLOWED_CATEGORIES: ids("categories whose channels it answers in"),
  DISCORD_ALLOWED_ROLES: ids("roles whose members it answers"),
  DISCORD_ALLOWED_USERS: ids("people it answers"),
  DISCORD_DIRECT_MESSAGES: oneOf("on", ["on", "off"], "Whether it answers direct messages."),
  ANTHROPIC_API_KEY: optional("Claude's key. Without it every turn fails with model_unavailable."),
  ANTHROPIC_BASE_URL: optional("Another address of the Messages API.", (text) =>
    url(text, "https://api.anthropic.com"),
  ),
  ANTHROPIC_MODEL: variable("claude-sonnet-5-5", "claude-sonnet-5-5", "The model.", (text) => {
    if (!/^[\w.:@/-]{1,100}$/.test(text))
      throw new BadValue("must be the name of a model, such as claude-sonnet-5-5");
    return text;
  }),
  ANTHROPIC_EFFORT: variable<"low" | "medium" | "high" | null>(
    null,
    "",
    "low, medium or high; empty leaves it to the model.",
    (text) => {
      if (text === "low" || text === "medium" || text === "high") return text;
      throw new BadValue("must be low, medium or high");
    },
  ),
  ANTHROPIC_MAX_TOKENS: integer(4096, 64, 64_000, "Output tokens of one step."),
  ANTHROPIC_TOOL_SEARCH: oneOf(
    "auto",
    ["auto", "on", "off"],
    "Whether rarely used tools are left to the Messages API's tool search; auto goes by the model.",
  ),
  ANTHROPIC_MAX_RETRIES: integer(4, 0, 10, "How often a failed model call is asked for again."),
  ANTHROPIC_TIMEOUT_SECONDS: integer(300, 5, 3600, "How long one model call may take."),
  SYSTEM_PROMPT: optional("Put before the built-in instructions; at most 16,000 characters.", (text) => {
    if (text.length > 16_000) throw new BadValue("must be at most 16000 characters long");
    return text;
  }),
  HISTORY_TOKENS: integer(
    40_000,
    1000,
    500_000,
    "Tokens of history replayed before older turns are summarised.",
  ),
  TURN_MAX_STEPS: integer(12, 1, 50, "Model calls in one turn."),
  TURN_QUEUE: integer(8, 0, 100, "Messages that may wait in one conversation."),
  TURN_QUEUE_USER: integer(64, 1, 10_000, "Messages of one person that may wait, in all conversations."),
  TURN_QUEUE_GUILD: integer(1000, 1, 100_000, "Messages of one server that may wait."),
  TURN_QUEUE_TOTAL: integer(20_000, 1, 1_000_000, "Messages that may wait in all."),
  TURNS_CONCURRENT: integer(192, 1, 10_000, "Turns that may run at once."),
  TOOL_TIMEOUT_SECONDS: integer(30, 1, 600, "How long one tool call may take."),
  TOOL_RESULT_BYTES: integer(
    16_384,
    4096,
    262_144,
    "Size of a tool's result; what is longer is cut with a note.",
  ),
  TOOLS: variable<readonly string[]>(
    ["read", "reply"],
    "read,reply",
    `Tools that are switched on: ${toolWords}.`,
    (text) => policy(text, readToolWords),
  ),
  TOOL_WRITES: oneOf(
    "ask",
    ["ask", "run"],
    "Whether tools that write ask the person first; those that destroy always do.",
  ),
  TOOL_DIRECT_MESSAGES: oneOf(
    "self",
    ["self", "members"],
    "Whom the bot may write a direct message to for somebody: that person alone, or any member.",
  ),
  MODERATORS_USE_2FA: oneOf(
    "unknown",
    ["unknown", "yes"],
    "yes vouches for it, where a server asks it of moderators: Discord does not tell who has it.",
  ),
  PRIVATE_ANSWERS: oneOf(
    "ask",
    ["ask", "direct"],
    "What becomes of an answer that draws on places that not all of its channel can see: ask the person, or send it as a direct message.",
  ),
  GUILD_POLICIES: variable<Readonly<Record<string, Partial<ToolPolicy>>>>(
    {},
    "",
    'What differs in a server, as JSON: {"SERVER_ID": {"tools": "read,reply,members", "writes": "run", "private_answers": "direct", "moderators_use_2fa": true, "direct_messages": "members"}}.',
    (text) => policy(text, readGuildPolicies),
  ),
  APPROVAL_MINUTES: integer(15, 1, 1440, "How long a question waits for a person's yes."),
  USER_TOKENS_PER_DAY: integer(
    500_000,
    0,
    1_000_000_000,
    "Model tokens a person may use in a day (UTC); 0 means no bound.",
  ),
  GUILD_TOKENS_PER_DAY: integer(
    5_000_000,
    0,
    1_000_000_000,
    "Model tokens a server may use in a day; 0 means no bound.",
  ),
  DATABASE_URL: variable(
    "./data/discord-mcp.db",
    "file:./data/discord-mcp.db",
    "The SQLite file. Its folder is the data folder.",
    databasePath,
  ),
  MCP_HOST: variable("127.0.0.1", "127.0.0.1", "Address to listen on; 0.0.0.0 in a container.", (text) => {
    if (!/^[\w.:-]{1,255}$/.test(text))
      throw new BadValue("must be an address or host name, such as 127.0.0.1");
    return text;
  }),
  MCP_PORT: integer(8000, 0, 65_535, "Port to listen on; 0 takes a free one."),
  MCP_AUTH: oneOf("required", ["required", "off"], "off is accepted on a loopback address only."),
  MCP_CONFORMANCE_FIXTURES: oneOf(
    "0",
    ["0", "1"],
    "1 adds what the conformance suite of the Model Context Protocol calls; for tests, with MCP_AUTH=off only.",
  ),
  ALLOWED_HOSTS: list(
    "Host names under which the service is reached, beside loopback and its own.",
    "host names",
    /^[\w.:[\]-]+$/,
  ),
  CORS_ORIGINS: list(
    "Origins whose pages may call the service.",
    "origins, such as https://example.org",
    /^https?:\/\/[\w.:[\]-]+$/,
  ),
  TRUST_PROXY: variable<readonly string[]>(
    [],
    "",
    "Addresses and networks of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    networks,
  ),
  MAX_CONNECTIONS: integer(10_000, 1, 100_000, "WebSocket connections at once."),
  MAX_CONNECTIONS_PER_TOKEN: integer(5000, 1, 100_000, "WebSocket connections of one token."),
  SESSION_TTL_DAYS: integer(30, 1, 3650, "How long a session lives after its last use."),
  SECRET_KEY: optional(
    "Wraps the keys that encrypt stored content, and signs session tokens; made on first start when absent.",
    secretKey,
  ),
  SECRET_KEY_PREVIOUS: optional("The key before, while it is being changed.", secretKey),
  RATE_LIMIT_TOKEN: rate(1200, 60, "Requests a token may make, as requests/seconds."),
  RATE_LIMIT_ADDRESS: rate(2400, 60, "Requests an address may make."),
  RATE_LIMIT_USER: rate(20, 60, "Messages a person may send to the bot."),
  RATE_LIMIT_GUILD: rate(200, 60, "Messages a server may send to the bot."),
  RATE_LIMIT_CHANGES: rate(30, 60, "Tool calls that change something a person may make."),
  RETENTION_DAYS: integer(365, 1, 3650, "How long ended turns are kept."),
  GUILD_REMOVAL_HOURS: integer(24, 0, 720, "How long a server's data are kept once it has removed the bot."),
  AUDIT_RETENTION_DAYS: integer(365, 1, 3650, "How long the audit log is kept."),
  DRAIN_SECONDS: integer(20, 0, 600, "How long running turns may take to finish at a shutdown."),
  LOG_LEVEL: oneOf("info", ["debug", "info", "warning", "error"], "debug, info, warning or error."),
  LOG_FORMAT: oneOf("json", ["json", "text"], "json or text."),
} as const satisfies Record<string, Variable<unknown>>;
