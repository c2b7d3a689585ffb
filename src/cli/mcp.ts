import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { variables } from "../config/variables.ts";
import { type Config, readConfig } from "../config.ts";
import { assertIds, type Command, exit, type Io, UsageError } from "./command.ts";
import { folderEnvironment } from "./folder-environment.ts";
import { type BridgeEnd, bridge, sentenceOf } from "./mcp-bridge.ts";
import { openService, type ServiceStart } from "./mcp-service.ts";
import type { Introduction } from "./mcp-socket.ts";

type Environment = Io["env"];

export const mcp: Command = {
  name: "mcp",
  summary: "Speak the Model Context Protocol on standard input and output, for a client that starts it.",
  help: `Usage: discord-mcp mcp [options]

A server of the Model Context Protocol on standard input and output: a bridge to the service that runs on the
same data folder. Where none runs, it starts one, which other clients share and which ends a few seconds
after the last of them. Its log is mcp-service.log in the data folder.

Who calls the tools is told by the token in DISCORD_MCP_TOKEN (see discord-mcp connect --help), or:

  --operator        as who runs the service, which the right to open its control socket proves;
                    needs --user, the person with whose permissions the tools are called
  --user ID         that person, a Discord user id

  --guild ID        the server from which the calls are made
  --channel ID      the channel from which they are made; tools that name no channel mean this one
  --folder PATH     take the configuration from PATH/.env alone, neither from the environment nor from the
                    .env of the folder that a client happens to start this in
  --database PATH   instead of DATABASE_URL
`,
  async run(args, io) {
    const options = readOptions(args);
    const introduction = introductionOf(options, io.env);
    const { config, start } = await setting(options, io);
    const end = await bridge(io, (listener, signal) =>
      openService(config.dataDir, introduction, listener, start, signal),
    );
    if (end.kind !== "done") io.err(`discord-mcp: ${sentenceOf(end)}\n`);
    return codeOf(end);
  },
};

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      operator: { type: "boolean" },
      user: { type: "string" },
      guild: { type: "string" },
      channel: { type: "string" },
      folder: { type: "string" },
      database: { type: "string" },
    },
  });
  assertIds(values);
  return values;
}

type Options = ReturnType<typeof readOptions>;

function introductionOf({ operator, user, guild, channel }: Options, env: Environment): Introduction {
  const place = { guildId: guild ?? null, channelId: channel ?? null };
  if (operator) {
    if (user === undefined)
      throw new UsageError("--operator needs --user ID: whose permissions hold for the calls");
    return { authorization: null, operatorFor: user, ...place };
  }
  if (user !== undefined) throw new UsageError("--user goes with --operator; a token names its user itself");
  const token = env.DISCORD_MCP_TOKEN?.trim() ?? "";
  if (token === "") {
    throw new UsageError(
      "DISCORD_MCP_TOKEN is not set; discord-mcp connect makes a token and the client's configuration, or say --operator --user ID",
    );
  }
  if (!/^[\w.-]{1,1000}$/.test(token)) throw new UsageError("DISCORD_MCP_TOKEN holds no token");
  return { authorization: `Bearer ${token}`, operatorFor: null, ...place };
}

/** The configuration, and how a service of the same is started. Throws ConfigError, UsageError. */
async function setting(
  { folder, database }: Options,
  { env, self }: Io,
): Promise<{ readonly config: Config; readonly start: ServiceStart }> {
  const cwd = resolve(folder ?? ".");
  const given: Environment = {
    ...(folder === undefined ? env : await folderEnvironment(cwd)),
    ...(database === undefined ? {} : { DATABASE_URL: resolve(cwd, database) }),
  };
  const config = readConfig(given, cwd);
  const { DISCORD_MCP_TOKEN: _token, ...rest } = folder === undefined ? env : withoutVariables(env);
  return {
    config,
    start: {
      cmd: [...self, "serve", "--until-idle"],
      cwd,
      env: {
        ...rest,
        DATABASE_URL: config.database.path,
        // Nobody asked for an address: a port that something else has must not keep it from starting.
        MCP_PORT: given.MCP_PORT ?? "0",
      },
    },
  };
}

function withoutVariables(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !Object.hasOwn(variables, name)));
}

function codeOf(end: BridgeEnd): number {
  switch (end.kind) {
    case "done":
    case "stopped":
      return exit.ok;
    case "refused":
      return exit.failure;
    case "lost":
      return exit.unavailable;
    default:
      return end satisfies never;
  }
}
