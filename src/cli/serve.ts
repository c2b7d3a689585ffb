import { parseArgs } from "node:util";
import { createApp } from "../app.ts";
import { readConfig } from "../config.ts";
import { configureLogging } from "../log.ts";
import { whenAborted } from "../when-aborted.ts";
import { type Command, exit } from "./command.ts";

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
    parseArgs({ args: [...args], options: {}, strict: true });
    const config = readConfig(io.env);
    await using _logging = await configureLogging(config.log);
    await using app = await createApp(config);
    const address = await app.start();
    io.err(
      `discord-mcp: listening on ${address.url}\n${app.notices.map((notice) => `discord-mcp: ${notice}\n`).join("")}`,
    );
    await whenAborted(io.stop);
    io.err("discord-mcp: stopping; running turns may finish, a second signal hurries\n");
    await app.drain(io.hurry);
    return exit.ok;
  },
};
