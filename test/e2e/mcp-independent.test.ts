import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createMCPClient } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport as StdioTransport } from "@ai-sdk/mcp/mcp-stdio";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { binary, type Running, run } from "./binary.ts";

setDefaultTimeout(60_000);

const place = { guild: DEMO.guildId, channel: DEMO.channels.general };
let folder: string;
let demo: Running;
let url: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "mcp-independent-")));
  demo = run(["demo", "--port", "0"], folder);
  const [, found = ""] = await demo.waitFor(/service\s+(http:\S+)/);
  url = `${found}/mcp?guild_id=${place.guild}&channel_id=${place.channel}`;
  await demo.waitFor(/docs\/mcp-clients\.md/);
});
afterAll(async () => {
  await demo[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Person = "ana" | "mika";
const tokenOf = async (who: Person, where = folder) =>
  (await readFile(join(where, `data/demo/${who}-token`), "utf8")).trim();
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

const ways = {
  "HTTP, 2026-07-28": async (token: string) =>
    await createMCPClient({ transport: { type: "http", url, headers: bearer(token) } }),
  "HTTP, 2025-11-25": async (token: string) =>
    await createMCPClient({
      transport: { type: "http", url, headers: bearer(token) },
      protocolVersionDiscovery: false,
    }),
  "standard input and output": async (token: string) =>
    await createMCPClient({
      transport: new StdioTransport({
        command: binary(),
        args: [
          "mcp",
          ...["--folder", folder, "--database", join(folder, "data/demo/discord-mcp.db")],
          ...["--guild", place.guild, "--channel", place.channel],
        ],
        env: { DISCORD_MCP_TOKEN: token },
        cwd: folder,
        stderr: "ignore",
      }),
    }),
};

async function as(who: Person, way: keyof typeof ways) {
  const client = await ways[way](await tokenOf(who));
  const history = (channel: string) =>
    client.callTool({ name: "discord_message_history", arguments: { channel_id: channel } });
  return { client, history, [Symbol.asyncDispose]: () => client.close() };
}

const secret = "Keys to the boathouse";

describe("a client that shares no code with the official packages", () => {
  test("does not, indeed", async () => {
    const file = fileURLToPath(import.meta.resolve("@ai-sdk/mcp/package.json"));
    const { dependencies, peerDependencies } = JSON.parse(await readFile(file, "utf8"));
    const names = Object.keys({ ...dependencies, ...peerDependencies });
    expect(names).toContain("@ai-sdk/provider-utils");
    expect(names.filter((name) => name.startsWith("@modelcontextprotocol/"))).toEqual([]);
    for (const part of ["index.js", "mcp-stdio/index.js"]) {
      const source = await readFile(join(dirname(file), "dist", part), "utf8");
      expect(source).toContain("jsonrpc");
      expect(source).not.toMatch(/["']@modelcontextprotocol\//);
    }
  });

  test.each([
    ["HTTP, 2026-07-28", "2026-07-28"],
    ["HTTP, 2025-11-25", "2025-11-25"],
    ["standard input and output", "2026-07-28"],
  ] as const)(
    "%s: it is introduced, lists, calls, is refused, reads and is prompted",
    async (way, version) => {
      await using ana = await as("ana", way);
      expect(ana.client.serverInfo).toMatchObject({ name: "discord-mcp" });
      expect(ana.client.initializeResult.protocolVersion).toBe(version);

      const tools = await ana.client.tools();
      expect(Object.keys(tools).length).toBeGreaterThan(50);
      expect(Object.keys(tools)).toContain("discord_message_history");

      const read = await ana.history("#general");
      expect(read.isError ?? false).toBe(false);
      expect(JSON.stringify(read.structuredContent)).toContain("Welcome to Harbour");

      const refused = await ana.history("#staff");
      expect(refused).toMatchObject({
        isError: true,
        content: [{ type: "text", text: "There is no channel #staff that can be seen from here." }],
      });

      const { resources } = await ana.client.listResources();
      expect(resources.map(({ uri }) => uri)).toContain(`discord://guilds/${place.guild}`);
      const resource = await ana.client.readResource({ uri: `discord://guilds/${place.guild}` });
      expect(JSON.stringify(resource.contents)).toContain("Harbour");

      const { prompts } = await ana.client.listPrompts();
      expect(prompts.map(({ name }) => name)).toContain("catch_up");
    },
  );

  test.each(Object.keys(ways) as (keyof typeof ways)[])(
    "%s: a moderator reads what a member may not",
    async (way) => {
      await using mika = await as("mika", way);
      const read = await mika.history("#staff");
      expect(read.isError ?? false).toBe(false);
      expect(JSON.stringify(read.structuredContent)).toContain(secret);
      await using ana = await as("ana", way);
      expect(JSON.stringify(await ana.history("#staff"))).not.toContain(secret);
    },
  );

  test("a token that is not known opens nothing", async () => {
    const stranger = `dmcp_0123456789abcdef_${"x".repeat(43)}`;
    await expect(ways["HTTP, 2025-11-25"](stranger)).rejects.toThrow(/401|not known/);
    await expect(ways["standard input and output"](stranger)).rejects.toThrow("not known");
  });

  test("the demo keeps its tokens, so that a client which was connected stays so", async () => {
    const own = join(folder, "own");
    await mkdir(own);
    const tokens = async () => {
      await using running = run(["demo", "--port", "0"], own);
      await running.waitFor(/docs\/mcp-clients\.md/);
      running.kill("SIGTERM");
      expect(await running.exited).toBe(0);
      return { ana: await tokenOf("ana", own), mika: await tokenOf("mika", own) };
    };
    const first = await tokens();
    expect(await tokens()).toEqual(first);
    const id = /^dmcp_([0-9a-f]{16})_/.exec(first.ana)?.[1] ?? "";
    const env = { DATABASE_URL: join(own, "data/demo/discord-mcp.db") };
    expect(await run(["token", "revoke", id], own, env).exited).toBe(0);
    const third = await tokens();
    expect(third.ana).not.toBe(first.ana);
    expect(third.mika).toBe(first.mika);
  });
});
