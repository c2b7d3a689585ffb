import { resolve } from "node:path";
import { variables } from "../config/variables.ts";
import { type Config, readConfig } from "../config.ts";
import type { Io } from "./command.ts";
import type { Door } from "./connect-clients.ts";
import { folderEnvironment } from "./folder-environment.ts";

interface Place {
  /** Null for a command that the client starts. */
  readonly http: URL | null;
  readonly guild: string | null;
  readonly channel: string | null;
}

/** How the client reaches the service, once there is a token. Says on standard error what a service lacks that it has to start. */
export async function doorOf(
  options: Place,
  config: Config,
  io: Pick<Io, "env" | "self" | "err">,
): Promise<(token: string) => Door> {
  const { http, guild, channel } = options;
  if (http !== null) {
    if (guild !== null) http.searchParams.set("guild_id", guild);
    if (channel !== null) http.searchParams.set("channel_id", channel);
    return (token) => ({ kind: "http", url: http.href, headers: { Authorization: `Bearer ${token}` } });
  }
  const folder = resolve(".");
  const written = await folderEnvironment(folder);
  const elsewhere = readConfig(written, folder).database.path !== config.database.path;
  const command = [
    ...io.self,
    ...["mcp", "--folder", folder],
    ...(elsewhere ? ["--database", config.database.path] : []),
    ...(guild === null ? [] : ["--guild", guild]),
    ...(channel === null ? [] : ["--channel", channel]),
  ];
  const missing = Object.keys(variables).filter(
    (name) => name !== "DATABASE_URL" && io.env[name] && written[name] === undefined,
  );
  if (missing.length > 0) {
    io.err(
      `Note: ${missing.join(", ")} ${missing.length > 1 ? "come" : "comes"} from the environment. The client uses the running service; a service that it has to start reads ${resolve(folder, ".env")} alone.\n`,
    );
  }
  return (token) => ({ kind: "stdio", command, env: { DISCORD_MCP_TOKEN: token } });
}
