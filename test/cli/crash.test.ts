import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const main = join(import.meta.dir, "../../src/main.ts");
const planted = "abcdefgh-planted-secret";

test.each(["error", "rejection"])(
  "a fault that nothing has caught ends the process with one line of the log (%s)",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "crash-"));
    const running = Bun.spawn({
      cmd: [process.execPath, "--preload", join(import.meta.dir, "crash-child.ts"), main, "serve"],
      env: {
        ...{ PATH: process.env.PATH, HOME: folder, CRASH: kind, PLANTED: planted },
        ...{ DATABASE_URL: join(folder, "data", "bot.db"), MCP_PORT: "0", LOG_FORMAT: "json" },
      },
      ...{ cwd: folder, stdout: "ignore", stderr: "pipe" },
    });
    let said = "";
    const decoder = new TextDecoder();
    for await (const part of running.stderr) {
      const before = said;
      said += decoder.decode(part, { stream: true });
      if (!before.includes("listening on") && said.includes("listening on")) running.kill("SIGUSR2");
    }
    expect(await running.exited).toBe(1);
    const lines = said.split("\n").filter((line) => line.includes("nothing has caught"));
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines[0] ?? "");
    expect(line).toMatchObject({ level: "FATAL", logger: "discord-mcp" });
    expect(JSON.stringify(line)).toContain("no such thing");
    expect(said).not.toContain(planted);
    rmSync(folder, { recursive: true, force: true });
  },
);
