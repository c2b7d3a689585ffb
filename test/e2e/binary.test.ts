import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { binary, type Running, run } from "./binary.ts";
import { Client } from "./client.ts";

setDefaultTimeout(60_000);

let folder: string;
beforeAll(async () => {
  binary();
  folder = await mkdtemp(join(tmpdir(), "binary-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const place = { user_id: DEMO.users.ana, channel_id: DEMO.channels.general, guild_id: DEMO.guildId };

async function demo(cwd: string): Promise<{ running: Running; url: string; token: string }> {
  const running = run(["demo", "--port", "0"], cwd);
  const [, url] = await running.waitFor(/service\s+(http:\S+)/);
  const token = (await readFile(join(cwd, "data/demo/operator-token"), "utf8")).trim();
  return { running, url: url ?? "", token };
}

async function ask(client: Client, message: string): Promise<string> {
  const opened = await client.request("initialize", place);
  const reply = await client.request("process", { session_id: opened.data.session_id, message });
  expect(reply.error).toBeUndefined();
  return String(reply.data.response);
}

describe("the executable alone in an empty folder", () => {
  test("a chat that calls a tool and remembers, also after SIGKILL", async () => {
    const cwd = join(folder, "killed");
    await Bun.write(join(cwd, ".keep"), "");
    {
      const { running, url, token } = await demo(cwd);
      await using client = await Client.open(url, token);
      const answer = await ask(client, "What is this channel?");
      expect(answer).toContain("general");
      const kinds = client.events.map((frame) => (frame.data.event as { type: string }).type);
      expect(kinds).toContain("tool_finished");
      await ask(client, "My name is Ottilie.");
      running.kill("SIGKILL");
      await running.exited;
    }
    const { running, url, token } = await demo(cwd);
    await using _running = running;
    await using client = await Client.open(url, token);
    expect(await ask(client, "What is my name?")).toContain("Ottilie");
    expect((await stat(join(cwd, "data/demo/operator-token"))).mode & 0o777).toBe(0o600);
    expect((await readdir(join(cwd, "data/demo"))).sort()).toContain("discord-mcp.db");
  });

  test("a client in Python goes through every request and the errors", async () => {
    const cwd = join(folder, "python");
    await Bun.write(join(cwd, ".keep"), "");
    const { running, url, token } = await demo(cwd);
    await using _running = running;
    const python = Bun.spawn({
      cmd: [
        "python3",
        join(import.meta.dir, "client.py"),
        `${url.replace("http", "ws")}/mcp/ws`,
        token,
        place.user_id,
        place.channel_id,
        place.guild_id,
        DEMO.channels.help,
      ],
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(python.stdout).text(),
      new Response(python.stderr).text(),
      python.exited,
    ]);
    expect({ code, last: out.trim().split("\n").at(-1), err }).toEqual({
      code: 0,
      last: '{"done": true}',
      err: "",
    });
  });

  test("SIGTERM drains and exits with 0; a second serve on the same database is refused", async () => {
    const cwd = join(folder, "served");
    await Bun.write(join(cwd, ".keep"), "");
    const first = run([], cwd, { MCP_PORT: "0" });
    await first.waitFor(/listening on http/);
    expect(first.output).toContain("DISCORD_TOKEN");
    expect(first.output).toContain("ANTHROPIC_API_KEY");
    const second = run(["serve"], cwd, { MCP_PORT: "0" });
    expect(await second.exited).toBe(1);
    expect(second.output).toContain("already serves the database");
    expect(second.output).not.toContain("at ");

    const token = run(["token", "create", "--name", "test", "--user", DEMO.users.ana], cwd);
    expect(await token.exited).toBe(0);
    expect(token.output).toMatch(/^dmcp_[0-9a-f]{16}_\S+\n$/);
    const live = run(["doctor", "--live"], cwd);
    expect(await live.exited).toBe(0);
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    const list = run(["token", "list"], cwd);
    expect(await list.exited).toBe(0);
    expect(list.output).toContain("test");
    expect(await run(["doctor", "--live"], cwd).exited).toBe(69);
  });

  test("without Discord and Claude it serves, and says what is missing", async () => {
    const cwd = join(folder, "alone");
    await Bun.write(join(cwd, ".keep"), "");
    const running = run([], cwd, { MCP_PORT: "0" });
    await using _running = running;
    const [, url] = await running.waitFor(/listening on (http:\S+)/);
    const token = (await readFile(join(cwd, "data/operator-token"), "utf8")).trim();
    await using client = await Client.open(url ?? "", token);
    const opened = await client.request("initialize", place);
    expect(opened.data.available_tools).toContain("discord_channel_info");
    const session_id = opened.data.session_id;
    const call = await client.request("tool_call", {
      session_id,
      tool_name: "discord_channel_info",
      arguments: {},
    });
    expect(call.data.code).toBe("discord_unavailable");
    const turn = await client.request("process", { session_id, message: "Hello?" });
    expect(turn.data.code).toBe("model_unavailable");
    const health = await fetch(`${url}/health`);
    expect(await health.json()).toEqual({ status: "healthy", active_sessions: 1 });
  });

  test("mistakes end in sentences and the right exit code", async () => {
    const cwd = join(folder, "mistakes");
    await Bun.write(join(cwd, ".env"), "LOG_LEVEL=loud\n");
    const bad = run([], cwd, { MCP_PORT: "x", SECRET_KEY: "your-secret-key-change-this" });
    expect(await bad.exited).toBe(78);
    for (const name of ["MCP_PORT", "SECRET_KEY", "LOG_LEVEL"]) expect(bad.output).toContain(name);
    const unknown = run(["dance"], cwd);
    expect(await unknown.exited).toBe(64);
    const flag = run(["serve", "--loud"], cwd);
    expect(await flag.exited).toBe(64);

    const corrupt = join(folder, "corrupt");
    await Bun.write(
      join(corrupt, "data/discord-mcp.db"),
      "this is no database, but it is long enough to be one",
    );
    const broken = run([], corrupt, { MCP_PORT: "0" });
    expect(await broken.exited).toBe(1);
    expect(broken.output).toContain("discord-mcp.db");
    expect(broken.output).not.toMatch(/\n\s+at /);
  });

  test("a port in use is named", async () => {
    using taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") });
    const cwd = join(folder, "port");
    await Bun.write(join(cwd, ".keep"), "");
    const running = run([], cwd, { MCP_PORT: String(taken.port) });
    expect(await running.exited).toBe(1);
    expect(running.output).toContain(`MCP_PORT`);
    expect(running.output).toContain(String(taken.port));
  });

  test("every command has --help", async () => {
    await writeFile(join(folder, ".keep"), "");
    for (const args of [
      ["--help"],
      ["serve", "--help"],
      ["demo", "--help"],
      ["token", "--help"],
      ["doctor", "--help"],
      ["version", "--help"],
    ]) {
      const help = run(args, folder);
      expect(await help.exited).toBe(0);
      expect(help.output).toContain("Usage:");
    }
  });
});
