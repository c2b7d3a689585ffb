import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { noop } from "./noop.ts";
import { partArgs, servePart, textOf } from "./parts.ts";
import { processor } from "./processes.ts";

/** The whole service without Discord, with one tool that does nothing. Its limits are set, and not met. */
const folder = textOf(partArgs(), "folder");
const config = readConfig({
  DATABASE_URL: join(folder, "bench.db"),
  MCP_PORT: "0",
  RATE_LIMIT_TOKEN: "999999999/1",
  RATE_LIMIT_ADDRESS: "999999999/1",
});
const app = await createApp(config, { tools: [noop] });
const { port } = await app.start();
const token = (await readFile(join(folder, "operator-token"), "utf8")).trim();
servePart({ url: `ws://127.0.0.1:${port}/mcp/ws`, token }, { processor });
