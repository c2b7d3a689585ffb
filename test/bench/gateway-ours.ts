import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { partArgs, servePart, textOf } from "./parts.ts";
import { processor, residentBytes } from "./processes.ts";

/** The whole service on a database of its own. */
const args = partArgs();
const config = readConfig({
  DISCORD_API_URL: textOf(args, "apiUrl"),
  DISCORD_TOKEN: textOf(args, "token"),
  DATABASE_URL: join(textOf(args, "folder"), "bench.db"),
  MCP_PORT: "0",
});
const app = await createApp(config);
const before = await residentBytes();
await app.start();
servePart({ before }, { resident: async () => ({ after: await residentBytes() }), processor });
