import { posix, win32 } from "node:path";
import { AppError } from "../errors.ts";
import type { Io } from "./command.ts";

export const clientNames = ["claude-code", "claude-desktop", "vscode", "cursor"] as const;
export type ClientName = (typeof clientNames)[number];

/** How the client reaches the service: by a command that it starts, or at an address. */
export type Door =
  | {
      readonly kind: "stdio";
      readonly command: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: "http"; readonly url: string; readonly headers: Readonly<Record<string, string>> };

export interface ClientKind {
  readonly title: string;
  /** The object of its configuration that holds a server by its name. */
  readonly servers: "mcpServers" | "servers";
  /** Null where the environment does not tell the person's folders. */
  file(platform: string, env: Io["env"]): string | null;
  /** The server's entry. Throws AppError where the client cannot do that. */
  entry(door: Door): Readonly<Record<string, unknown>>;
  /** A command line of its own that adds the server, as far as it has one. */
  command(name: string, entry: Readonly<Record<string, unknown>>): readonly string[] | null;
  /** What to do once it is configured. */
  readonly afterwards: string;
}

export const clients: Readonly<Record<ClientName, ClientKind>> = {
  // https://code.claude.com/docs/en/mcp
  "claude-code": {
    title: "Claude Code",
    servers: "mcpServers",
    file: (platform, env) =>
      env.CLAUDE_CONFIG_DIR
        ? join(platform, env.CLAUDE_CONFIG_DIR, ".claude.json")
        : inHome(platform, env, ".claude.json"),
    entry: typed,
    command: (name, entry) => ["claude", "mcp", "add-json", "--scope", "user", name, JSON.stringify(entry)],
    afterwards: "Start Claude Code anew; /mcp shows the server.",
  },
  // https://modelcontextprotocol.io/docs/develop/connect-local-servers
  "claude-desktop": {
    title: "Claude Desktop",
    servers: "mcpServers",
    file: (platform, env) => inAppData(platform, env, "Claude", "claude_desktop_config.json"),
    entry(door) {
      if (door.kind === "stdio") return untyped(door);
      throw new AppError(
        "invalid_data",
        "Claude Desktop's file takes commands only; leave out --http, or add the address under Connectors.",
      );
    },
    command: () => null,
    afterwards: "Quit Claude Desktop wholly and start it again.",
  },
  // https://code.visualstudio.com/docs/agents/reference/mcp-configuration
  vscode: {
    title: "VS Code",
    servers: "servers",
    file: (platform, env) => inAppData(platform, env, "Code", "User", "mcp.json"),
    entry: typed,
    command: (name, entry) => ["code", "--add-mcp", JSON.stringify({ name, ...entry })],
    afterwards: "MCP: List Servers, in the command palette, starts it.",
  },
  // https://cursor.com/docs/mcp
  cursor: {
    title: "Cursor",
    servers: "mcpServers",
    file: (platform, env) => inHome(platform, env, ".cursor", "mcp.json"),
    entry: untyped,
    command: () => null,
    afterwards: "Cursor's settings show it under MCP; switch it on there.",
  },
};

function typed(door: Door) {
  return { type: door.kind, ...untyped(door) };
}

function untyped(door: Door): Readonly<Record<string, unknown>> {
  if (door.kind === "http") return { url: door.url, headers: door.headers };
  const [command, ...args] = door.command;
  return { command, args, env: door.env };
}

/** As paths are written there: the platform is a value, so that a test can be on any. */
const join = (platform: string, ...parts: readonly string[]): string =>
  (platform === "win32" ? win32 : posix).join(...parts);

function inHome(platform: string, env: Io["env"], ...parts: readonly string[]): string | null {
  const home = platform === "win32" ? env.USERPROFILE : env.HOME;
  return home ? join(platform, home, ...parts) : null;
}

function inAppData(platform: string, env: Io["env"], ...parts: readonly string[]): string | null {
  switch (platform) {
    case "darwin":
      return inHome(platform, env, "Library", "Application Support", ...parts);
    case "win32":
      return env.APPDATA ? join(platform, env.APPDATA, ...parts) : null;
    default:
      return env.XDG_CONFIG_HOME
        ? join(platform, env.XDG_CONFIG_HOME, ...parts)
        : inHome(platform, env, ".config", ...parts);
  }
}
