import { parseArgs } from "node:util";
import { newKeyNotice } from "../app/notices.ts";
import { scopes } from "../auth/ports.ts";
import { createTokens } from "../auth/tokens.ts";
import { type Config, readConfig } from "../config.ts";
import { createTokenOperations, type TokenRow } from "../operations/tokens.ts";
import { type Command, exit, type Io, UsageError } from "./command.ts";
import { existingDatabase } from "./existing-database.ts";
import { openOperations } from "./operations.ts";

type Operation = keyof ReturnType<typeof createTokenOperations>;

export const token: Command = {
  name: "token",
  summary: "Make, list and revoke tokens for programs.",
  help: `Usage: discord-mcp token create --name NAME (--user DISCORD_USER_ID | --operator) [options]
       discord-mcp token list [--json]
       discord-mcp token revoke ID

A token of a user opens sessions for that user alone and has that user's permissions. An operator's opens
sessions for any user, whose permissions then hold. Only a hash of a token is stored: it is printed once.
Works while the service runs, through its control socket, and while it does not.

  --name NAME      what it is for, 1 to 100 characters
  --user ID        the Discord user that it speaks for
  --operator       an operator's token
  --scope SCOPE    one of ${scopes.join(", ")}; may be repeated
                   (default: sessions, turns, tools; for an operator all but act:bot)
  --guild ID       limit it to a server; may be repeated
  --expires-days N it expires after N days
  --json           print JSON
`,
  async run(args, io) {
    const [action, ...rest] = args;
    switch (action) {
      case "create":
        return create(rest, io);
      case "list":
        return list(rest, io);
      case "revoke":
        return revoke(rest, io);
      default:
        throw new UsageError(
          action === undefined ? "say create, list or revoke" : `there is no action "${action}"`,
        );
    }
  },
};

async function create(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      name: { type: "string" },
      user: { type: "string" },
      operator: { type: "boolean" },
      scope: { type: "string", multiple: true },
      guild: { type: "string", multiple: true },
      "expires-days": { type: "string" },
      json: { type: "boolean" },
    },
  });
  if (values.name === undefined) throw new UsageError("--name is missing: say what the token is for");
  if ((values.user === undefined) === (values.operator !== true)) {
    throw new UsageError("say either --user DISCORD_USER_ID or --operator");
  }
  const stranger = values.scope?.find((scope) => !scopes.some((known) => known === scope));
  if (stranger !== undefined)
    throw new UsageError(`there is no scope "${stranger}", only ${scopes.join(", ")}`);
  const wanted = {
    name: values.name,
    user_id: values.user ?? null,
    scopes: values.scope ?? null,
    guild_ids: values.guild ?? null,
    expires_at: expiry(values["expires-days"]),
  };
  const made = await perform(readConfig(io.env), "token_create", wanted, io);
  if (values.json) io.out(`${JSON.stringify(made, null, 2)}\n`);
  else if (hasToken(made)) io.out(`${made.token}\n`);
  return exit.ok;
}

function expiry(days: string | undefined): number | null {
  if (days === undefined) return null;
  if (!/^[1-9]\d{0,4}$/.test(days))
    throw new UsageError("--expires-days takes a whole number from 1 to 99999");
  return Date.now() + Number(days) * 24 * 60 * 60 * 1000;
}

const hasToken = (made: unknown): made is { token: string } =>
  typeof made === "object" && made !== null && "token" in made && typeof made.token === "string";

async function list(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...args], strict: true, options: { json: { type: "boolean" } } });
  const config = readConfig(io.env);
  const path = existingDatabase(config);
  const rows = await perform(config, "token_list", {});
  if (values.json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
  else io.out(table(Array.isArray(rows) ? rows : [], path));
  return exit.ok;
}

function table(rows: readonly TokenRow[], path: string): string {
  if (rows.length === 0) return `No tokens in ${path}. How to make one: discord-mcp token --help\n`;
  const lines = rows.map((row) => [
    row.id,
    row.name,
    row.user_id ?? "operator",
    row.scopes.join(","),
    row.guild_ids?.join(",") ?? "all servers",
    stateOf(row),
    row.last_used_at?.slice(0, 16) ?? "never used",
  ]);
  const all = [["ID", "NAME", "USER", "SCOPES", "SERVERS", "STATE", "LAST USED"], ...lines];
  const widths =
    all[0]?.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return all
    .map(
      (cells) =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function stateOf(row: TokenRow): string {
  if (row.revoked_at) return "revoked";
  if (row.expires_at === null) return "live";
  return Date.parse(row.expires_at) <= Date.now() ? "expired" : `until ${row.expires_at.slice(0, 10)}`;
}

async function revoke(args: readonly string[], io: Io): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], strict: true, allowPositionals: true, options: {} });
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0)
    throw new UsageError("say which token: discord-mcp token revoke ID");
  const config = readConfig(io.env);
  existingDatabase(config);
  await perform(config, "token_revoke", { id });
  io.out(`revoked ${id}\n`);
  return exit.ok;
}

/** One of the operations on tokens. `io` is told of a key that was made with the database. */
export async function perform(
  config: Config,
  operation: Operation,
  data: unknown,
  io?: Pick<Io, "err">,
): Promise<unknown> {
  using operations = openOperations(config, ({ memory, newKeyPath }) => {
    if (newKeyPath !== null) io?.err(`discord-mcp: ${newKeyNotice(newKeyPath)}\n`);
    return createTokenOperations(createTokens(memory.tokens));
  });
  return await operations.ask(operation, data);
}
