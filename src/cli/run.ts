import { ConfigError } from "../config.ts";
import { AppError } from "../errors.ts";
import { DatabaseOpenError } from "../memory/errors.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { type Command, exit, type Io, UsageError } from "./command.ts";
import { connect } from "./connect.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { exportCommand } from "./export.ts";
import { forget } from "./forget.ts";
import { keys } from "./keys.ts";
import { mcp } from "./mcp.ts";
import { restore } from "./restore.ts";
import { serve } from "./serve.ts";
import { systemTrouble } from "./system-trouble.ts";
import { token } from "./token.ts";
import { versionCommand } from "./version.ts";

const commands: readonly Command[] = [
  serve,
  demo,
  token,
  audit,
  backup,
  restore,
  keys,
  forget,
  exportCommand,
  mcp,
  connect,
  doctor,
  versionCommand,
];

const overview = `discord-mcp: Claude in Discord, and Discord's tools for programs, with each person's own permissions

Usage: discord-mcp [command] [options]

${commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join("\n")}

Without a command it serves. Each command has --help.
Configuration comes from the environment and from .env in the working folder.
`;

/** Runs one command line and resolves with the exit code; every failure ends in a sentence on standard error. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "--help" || first === "-h" || first === "help") {
    io.out(overview);
    return exit.ok;
  }
  const name = first === "--version" || first === "-v" ? "version" : first;
  const named = commands.find((command) => command.name === name);
  const command = named ?? (first === undefined || first.startsWith("-") ? serve : undefined);
  if (!command) {
    io.err(`discord-mcp: there is no command "${first}"; see discord-mcp --help\n`);
    return exit.usage;
  }
  const args = named ? rest : argv;
  if (args.includes("--help") || args.includes("-h")) {
    io.out(command.help);
    return exit.ok;
  }
  try {
    return await command.run(args, io);
  } catch (error) {
    return report(error, command, io);
  }
}

function report(error: unknown, command: Command, io: Io): number {
  // Clearing up failed, too: the person needs to know what went wrong first.
  if (error instanceof SuppressedError) return report(error.suppressed, command, io);
  if (error instanceof ConfigError) {
    io.err(
      `discord-mcp: the configuration cannot be used:\n${error.problems.map((line) => `  ${line}\n`).join("")}`,
    );
    return exit.config;
  }
  if (
    error instanceof UsageError ||
    (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))
  ) {
    io.err(`discord-mcp ${command.name}: ${error.message}\nSee discord-mcp ${command.name} --help\n`);
    return exit.usage;
  }
  if (error instanceof AppError || error instanceof DatabaseOpenError) {
    io.err(`discord-mcp: ${error.message}\n`);
    return exit.failure;
  }
  const trouble = systemTrouble(error);
  if (trouble !== null) {
    io.err(`discord-mcp: ${trouble}\n`);
    return exit.failure;
  }
  io.err(`discord-mcp: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exit.failure;
}
