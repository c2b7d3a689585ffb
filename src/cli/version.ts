import { version } from "../version.ts";
import { type Command, exit } from "./command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version.",
  help: "Usage: discord-mcp version\n\nPrints the version of discord-mcp and of the Bun that it was built with.\n",
  async run(_args, io) {
    io.out(`discord-mcp ${version} (bun ${Bun.version}, ${process.platform} ${process.arch})\n`);
    return exit.ok;
  },
};
