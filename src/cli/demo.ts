import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { createApp } from "../app.ts";
import { type Config, readConfig } from "../config.ts";
import { openStored } from "../database.ts";
import { AppError } from "../errors.ts";
import { configureLogging } from "../log.ts";
import { DatabaseOpenError } from "../memory/errors.ts";
import { type ClaudeSimulator, startClaudeSimulator } from "../simulator/claude/simulator.ts";
import { type DiscordSimulator, startDiscordSimulator } from "../simulator/discord/simulator.ts";
import { DEMO } from "../simulator/discord/world-seed.ts";
import { whenAborted } from "../waiting.ts";
import { type Command, exit, type Io } from "./command.ts";
import { chat } from "./demo-chat.ts";
import { type DemoTokens, layOutTokens } from "./demo-tokens.ts";

export const demo: Command = {
  name: "demo",
  summary: "Run the whole service against a simulated Discord and Claude, with a chat in the terminal.",
  help: `Usage: discord-mcp demo [--port N]

Runs the whole service on this machine: a simulated Discord with the server "Harbour", and a simulated
Claude that answers by rules (the real one when ANTHROPIC_API_KEY is set), with all tools switched on. In a
terminal it offers a chat as Ana, a member, or as somebody else of the crew; without one it serves and prints.
For programs, tokens of Ana and of Mika, a moderator, are laid out in data/demo. What is said is stored there, so
that the next demo remembers it; delete the folder to begin anew.

  --port N   listen on this port instead of MCP_PORT (8000), 0 for a free one
`,
  async run(args, io) {
    const { values } = parseArgs({ args: [...args], options: { port: { type: "string" } }, strict: true });
    await using discord = await startDiscordSimulator({ rateLimits: "off" });
    // Slow enough to be seen arriving, fast enough to try things.
    await using claude = io.env.ANTHROPIC_API_KEY ? null : await startClaudeSimulator({ chunkDelayMs: 15 });
    const config = readConfig(environment(io.env, values.port, discord, claude));
    await using _logging = await configureLogging(config.log);
    await forgetGatewaySession(config).catch(explain);
    await using app = await createApp(config);
    const { url } = await app.start();
    await app.discordReady;
    io.out(introduction(config, url, claude !== null, await layOutTokens(config)));
    if (io.interactive) await chat(io, app, discord);
    else await whenAborted(io.stop);
    await app.drain(io.hurry);
    return exit.ok;
  },
};

/** The simulated Discord of the demo before is gone: trying to go on with it would only take time. */
async function forgetGatewaySession(config: Config): Promise<void> {
  using stored = await openStored(config);
  await stored.memory.gatewaySessions.clear(0);
}

/** The demo's database is no matter of DATABASE_URL. */
function explain(error: unknown): never {
  if (!(error instanceof DatabaseOpenError) || error.problem !== "already_serving") throw error;
  throw new AppError("invalid_data", "The demo runs already in this folder: use that one, or end it first.");
}

/** The person's own settings stay, but for what ties them to the real Discord or to their real database. */
function environment(
  env: Io["env"],
  port: string | undefined,
  discord: DiscordSimulator,
  claude: ClaudeSimulator | null,
): Record<string, string | undefined> {
  return {
    ...env,
    DISCORD_TOKEN: discord.token,
    DISCORD_API_URL: discord.apiUrl,
    DISCORD_CDN_URL: discord.cdnUrl,
    DISCORD_ALLOWED_GUILDS: "",
    DISCORD_ALLOWED_CHANNELS: "",
    DISCORD_ALLOWED_CATEGORIES: "",
    DISCORD_ALLOWED_ROLES: "",
    DISCORD_ALLOWED_USERS: "",
    DISCORD_SHARDS: "",
    DATABASE_URL: env.DEMO_DATABASE_URL || "file:./data/demo/discord-mcp.db",
    SECRET_KEY: "",
    SECRET_KEY_PREVIOUS: "",
    TOOLS: env.TOOLS || "all",
    ...(claude ? { ANTHROPIC_API_KEY: claude.apiKey, ANTHROPIC_BASE_URL: claude.baseUrl } : {}),
    ...(port === undefined ? {} : { MCP_PORT: port }),
    LOG_FORMAT: env.LOG_FORMAT || "text",
    LOG_LEVEL: env.LOG_LEVEL || "error",
  };
}

function introduction(config: Config, url: string, simulated: boolean, tokens: DemoTokens): string {
  const tokenFile = join(config.dataDir, "operator-token");
  const path = shown(tokenFile);
  const token = existsSync(tokenFile) ? `$(cat ${path})` : "YOUR_TOKEN";
  const where = { user_id: DEMO.users.ana, channel_id: DEMO.channels.general, guild_id: DEMO.guildId };
  return `discord-mcp demo: everything runs on this machine, nothing leaves it${simulated ? "" : " but what Claude is asked"}

  service   ${url}  (health: ${url}/health; with a token OpenAPI: ${url}/openapi)
  token     ${path}  (the operator's)
  Discord   simulated: the server Harbour, channel #general, where you are Ana (${DEMO.users.ana})
  Claude    ${simulated ? "simulated, by rules; set ANTHROPIC_API_KEY for the real one" : config.model.name}
  database  ${config.database.path}

From another terminal in this folder, as Ana, by the Model Context Protocol:

${paste(url, tokens)}
Open a session of the JSON protocol by HTTP:

  curl -s ${url}/mcp/initialize \\
    -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" \\
    -d '${JSON.stringify(where)}'

The same by WebSocket, and a question:

  TOKEN="${token}" npx -y bun@${Bun.version} -e '
    const ws = new WebSocket("${url.replace("http", "ws")}/mcp/ws", { headers: { Authorization: "Bearer " + process.env.TOKEN } });
    const send = (type, data) => ws.send(JSON.stringify({ type, id: type, data }));
    ws.onopen = () => send("initialize", ${JSON.stringify(where)});
    ws.onmessage = ({ data }) => {
      console.log(data);
      const reply = JSON.parse(data);
      if (reply.type === "initialize") send("process", { session_id: reply.data.session_id, message: "What is this channel?" });
      if (reply.type === "response" || reply.type === "error") ws.close();
    };'

`;
}

/** As it is typed in this folder. */
function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
}

/** Connects a client as Ana, and calls a tool without one: what Mika may read, she may not. */
function paste(url: string, { ana, mika }: DemoTokens): string {
  const endpoint = `${url}/mcp?guild_id=${DEMO.guildId}&channel_id=${DEMO.channels.general}`;
  const authorization = `"Authorization: Bearer $(cat ${shown(ana)})"`;
  const params = { name: "discord_message_history", arguments: { channel_id: "#staff" } };
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
  return `  claude mcp add --transport http harbour "${endpoint}" --header ${authorization}

  curl -s "${endpoint}" -H ${authorization} \\
    -H "Content-Type: application/json" -H "Accept: application/json, text/event-stream" \\
    -d '${JSON.stringify(call)}'

  Ana is told that there is no such channel; with ${shown(mika)}, the moderator's, it is read.
  Cursor, VS Code, the inspector and more: docs/mcp-clients.md
`;
}
