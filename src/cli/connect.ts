import { platform } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Config, readConfig } from "../config.ts";
import { AppError } from "../errors.ts";
import { assertIds, type Command, exit, type Io, UsageError } from "./command.ts";
import { type ClientName, clientNames, clients } from "./connect-clients.ts";
import { doorOf } from "./connect-door.ts";
import { type ClientFile, openClientFile } from "./connect-file.ts";
import { guildFor } from "./connect-guild.ts";
import { perform } from "./token.ts";

export const connect: Command = {
  name: "connect",
  summary: "Connect Claude Code, Claude Desktop, VS Code or Cursor: a token and the client's configuration.",
  help: `Usage: discord-mcp connect ${clientNames.join("|")} --user DISCORD_USER_ID [options]

Makes a token that acts as that person and prints the client's own configuration with it, or writes it where
the client looks for it. To be run in the folder whose .env configures the service.

  --user ID       the Discord user whose permissions hold
  --write         put it into the client's file: what is there is kept, the file before is kept beside it,
                  and the file is made readable by you alone
  --file PATH     another file than the client's own
  --http URL      connect to the service at that address, instead of by a command that the client starts
  --guild ID      the server from which calls are made; may be left out where the bot and that person share one
  --channel ID    the channel from which they are made; tools that name no channel mean this one
  --approve       the client may also say yes to what changes something
  --name NAME     what the client calls it (default: discord-mcp)
  --json          print client, file, configuration, command and the token's id as JSON
`,
  async run(args, io) {
    const options = readOptions(args);
    const client = clients[options.client];
    const config = readConfig(io.env);
    const where = options.file === null ? client.file(platform(), io.env) : resolve(options.file);
    const guild = options.guild ?? (await guildFor(options.user, config.discord, io));
    const doorWith = await doorOf({ ...options, guild }, config, io);
    // Whatever can fail is tried before a token is made that nobody would use.
    client.entry(doorWith(""));
    const file = options.write ? await openTarget(options, where) : null;
    const { id, token } = await makeToken(options, config, io);
    const entry = client.entry(doorWith(token));
    const backup = file === null ? null : await written(file, entry, id, config);
    const configuration = { [client.servers]: { [options.name]: entry } };
    const command = client.command(options.name, entry);
    if (options.json) {
      const path = file?.path ?? where;
      io.out(
        `${JSON.stringify({ client: options.client, file: path, written: options.write, backup, configuration, command, token_id: id }, null, 2)}\n`,
      );
      return exit.ok;
    }
    if (file === null) {
      io.err(howToPaste(client.title, where, command));
      io.out(`${JSON.stringify(configuration, null, 2)}\n`);
    } else {
      io.err(
        `${client.title}: ${options.name} is in ${file.path}${backup ? `; as it was: ${backup}` : ""}\n`,
      );
      const before = tokenIdIn(file.existing);
      if (before !== null)
        io.err(`The token of before still works; to end it: discord-mcp token revoke ${before}\n`);
    }
    io.err(
      `${client.afterwards}\nIt holds a token: keep it to yourself. To end it: discord-mcp token revoke ${id}\n`,
    );
    return exit.ok;
  },
};

interface Options {
  readonly client: ClientName;
  readonly user: string;
  readonly write: boolean;
  readonly file: string | null;
  readonly http: URL | null;
  readonly guild: string | null;
  readonly channel: string | null;
  readonly approve: boolean;
  readonly name: string;
  readonly json: boolean;
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: true,
    options: {
      user: { type: "string" },
      write: { type: "boolean", default: false },
      file: { type: "string" },
      http: { type: "string" },
      guild: { type: "string" },
      channel: { type: "string" },
      approve: { type: "boolean", default: false },
      name: { type: "string", default: "discord-mcp" },
      json: { type: "boolean", default: false },
    },
  });
  const [wanted, ...more] = positionals;
  const client = clientNames.find((name) => name === wanted);
  if (client === undefined || more.length > 0)
    throw new UsageError(`say which client: ${clientNames.join(", ")}`);
  if (values.user === undefined)
    throw new UsageError("--user is missing: the Discord user whose permissions hold");
  assertIds(values);
  if (!/^[A-Za-z][\w-]{0,63}$/.test(values.name))
    throw new UsageError("--name takes 1 to 64 letters, digits, _ and -, a letter first");
  if (values.file !== undefined && !values.write) throw new UsageError("--file goes with --write");
  return {
    ...values,
    client,
    user: values.user,
    file: values.file ?? null,
    http: values.http === undefined ? null : addressOf(values.http),
    guild: values.guild ?? null,
    channel: values.channel ?? null,
  };
}

/** The endpoint may be left out. */
function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.hash !== "")
    throw new UsageError("--http takes the address of the service, such as http://127.0.0.1:8000");
  if (url.pathname === "/") url.pathname = "/mcp";
  return url;
}

async function openTarget({ client, name }: Options, where: string | null): Promise<ClientFile> {
  const { title, servers } = clients[client];
  if (where === null) {
    throw new AppError(
      "invalid_data",
      `Where ${title} keeps its file cannot be told (HOME is not set); name it with --file.`,
    );
  }
  const file = await openClientFile(where, servers, name);
  if (file.existing !== undefined && tokenIdIn(file.existing) === null) {
    throw new AppError(
      "invalid_data",
      `${file.path} has another server of the name ${name}; choose one with --name, or remove it first.`,
    );
  }
  return file;
}

async function makeToken({ client, user, approve }: Options, config: Config, io: Io) {
  const wanted = {
    name: `connect-${client}`,
    user_id: user,
    scopes: ["sessions", "turns", "tools", ...(approve ? ["approve"] : [])],
    guild_ids: null,
    expires_at: null,
  };
  const made = await perform(config, "token_create", wanted, io);
  const token = typeof made === "object" && made !== null && "token" in made ? String(made.token) : "";
  return { token, id: tokenIdIn(token) ?? "" };
}

/** What could not be written is no token that stays without anybody knowing of it. */
async function written(
  file: ClientFile,
  entry: Parameters<ClientFile["write"]>[0],
  id: string,
  config: Config,
): Promise<string | null> {
  try {
    return await file.write(entry, new Date());
  } catch (error) {
    await perform(config, "token_revoke", { id });
    throw error;
  }
}

/** The id of a token of ours that stands somewhere in it: only a server that we have written holds one. */
const tokenIdIn = (entry: unknown): string | null =>
  /dmcp_([0-9a-f]{16})_/.exec(JSON.stringify(entry) ?? "")?.[1] ?? null;

function howToPaste(title: string, where: string | null, command: readonly string[] | null): string {
  const place = where ?? "its configuration file";
  if (command === null) return `${title}: put this into ${place}, or say --write.\n`;
  return `${title}: run\n\n  ${command.map(quoted).join(" ")}\n\nor put this into ${place}, or say --write.\n`;
}

/** For a POSIX shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
