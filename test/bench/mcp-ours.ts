import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { noop } from "./noop.ts";
import { partArgs, servePart } from "./parts.ts";
import { processor, residentBytes } from "./processes.ts";

/** The whole service: with one tool that does nothing, or with every tool that there is. Limits are set, and not met. */
const { folder, tools, apiUrl, token } = partArgs();
const config = readConfig({
  DATABASE_URL: join(String(folder), "bench.db"),
  MCP_PORT: "0",
  TOOLS: "all",
  RATE_LIMIT_TOKEN: "999999999/1",
  RATE_LIMIT_ADDRESS: "999999999/1",
  ...(apiUrl === undefined ? {} : { DISCORD_API_URL: String(apiUrl), DISCORD_TOKEN: String(token) }),
});
const app = await createApp(config, tools === "noop" ? { tools: [noop] } : {});
const { port } = await app.start();
if (apiUrl !== undefined) await app.discordReady;
const operator = (await readFile(join(String(folder), "operator-token"), "utf8")).trim();
servePart({ port, token: operator }, { processor, resident: async () => ({ bytes: await residentBytes() }) });
