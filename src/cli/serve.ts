import { parseArgs } from "node:util";
import { getLogger } from "@logtape/logtape";
import { createApp } from "../app.ts";
import { type Config, readConfig } from "../config.ts";
import { configureLogging, serviceLogs } from "../log.ts";
import { DatabaseOpenError } from "../memory/errors.ts";
import { whenAborted } from "../waiting.ts";
import { type Command, exit, type Io } from "./command.ts";
import { createServiceLog } from "./service-log.ts";

const log = getLogger(["discord-mcp", "serve"]);

export const serve: Command = {
  name: "serve",
  summary: "Run the service (what discord-mcp does without a command).",
  help: `Usage: discord-mcp [serve]

Runs the service: Discord's gateway, the HTTP and WebSocket server, and the agent, in one process.
Configuration comes from the environment and from .env in the working folder; see the README.

SIGTERM or SIGINT drains: no new work is taken, running turns get DRAIN_SECONDS to finish, and what is
unfinished goes on in the next process. A second signal hurries.
`,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: { "until-idle": { type: "boolean" } },
      strict: true,
    });
    const config = readConfig(io.env);
    if (values["until-idle"]) return await serveUntilIdle(config, io);
    await using _logging = await configureLogging(config.log);
    await using app = await createApp(config);
    // Told also where the start fails: the next one has no reason to tell that it has made a key.
    const notices = app.notices.map((notice) => `discord-mcp: ${notice}\n`).join("");
    const { url } = await app.start().catch((error: unknown) => {
      io.err(notices);
      throw error;
    });
    io.err(`discord-mcp: listening on ${url}\n${notices}`);
    await whenAborted(io.stop);
    io.err("discord-mcp: stopping; running turns may finish, a second signal hurries\n");
    await app.drain(io.hurry);
    return exit.ok;
  },
};

/** How long no program has been connected, when nobody needs this service any more. */
const quietMs = 3000;

/**
 * What `mcp` starts where no service runs (a flag that is in no help): ends in order once its last client is
 * gone. Nobody reads its standard error once it has started, so it logs to a file.
 */
async function serveUntilIdle(config: Config, io: Io): Promise<number> {
  const sink = createServiceLog(serviceLogs(config.dataDir)[0]);
  await using _logging = await configureLogging({ ...config.log, sink });
  try {
    await using app = await createApp(config);
    await app.start();
    for (const notice of app.notices) log.info("{notice}", { notice });
    while (!io.stop.aborted && !app.retire(quietMs)) {
      await Promise.race([Bun.sleep(quietMs / 10), whenAborted(io.stop)]);
    }
    await app.drain(io.hurry);
    return exit.ok;
  } catch (error) {
    if (!(error instanceof DatabaseOpenError) || error.problem !== "already_serving") throw error;
    return exit.alreadyServing;
  }
}
