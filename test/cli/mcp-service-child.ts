import { mkdirSync } from "node:fs";
import { serveControl } from "../../src/control/control.ts";
import { echo } from "./mcp-echo.ts";

/** A service that only echoes, to be killed. Its data folder is the first argument. */
const folder = process.argv[2] ?? "";
mkdirSync(folder, { recursive: true });
const control = serveControl(folder, {}, async (channel) => echo(channel));
control.acceptChannels();
process.stdout.write("ready\n");
