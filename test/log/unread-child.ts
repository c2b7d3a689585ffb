import { getLogger } from "@logtape/logtape";
import { configureLogging } from "../../src/log.ts";

/** Logs so many lines at once, tells so on standard output, and ends once its input does. */
await using _logging = await configureLogging({ level: "info", format: "json" });
const log = getLogger(["discord-mcp", "test"]);
const filler = "x".repeat(300);
for (let n = 0; n < Number(process.argv[2]); n++) log.info("line", { n, filler });
process.stdout.write("logged\n");
for await (const _ of Bun.stdin.stream()) break;
