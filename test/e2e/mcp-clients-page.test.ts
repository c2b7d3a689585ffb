import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { clientNames, clients } from "../../src/cli/connect-clients.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import { binary, type Running, run } from "./binary.ts";

setDefaultTimeout(60_000);

/** docs/mcp-clients.md, to the letter, in a folder where the demo runs: only the port and the names of programs differ. */
const root = resolve(import.meta.dir, "../..");
const page = readFileSync(join(root, "docs/mcp-clients.md"), "utf8");
const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
const address = "http://127.0.0.1:8000";

let folder: string;
let demo: Running;
let url: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "mcp-page-")));
  demo = run(["demo", "--port", "0"], folder);
  [, url = ""] = await demo.waitFor(/service\s+(http:\S+)/);
  await demo.waitFor(/docs\/mcp-clients\.md/);
});
afterAll(async () => {
  await demo[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The one block that has all of these. */
function block(...parts: string[]): string {
  const found = blocks.filter((text) => parts.every((part) => text.includes(part)));
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

const tokenOf = async (who: "ana" | "mika") =>
  (await readFile(join(folder, `data/demo/${who}-token`), "utf8")).trim();

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it as typed into a shell in the demo's folder; programs of other people only say what they were given. */
async function type(text: string, env: Record<string, string> = {}): Promise<Ran> {
  const typed = text
    .replaceAll(address, url)
    .replaceAll("dmcp_…", await tokenOf("ana"))
    .replaceAll("YOUR_DISCORD_USER_ID", DEMO.users.ana)
    .replaceAll("YOUR_SERVER_ID", DEMO.guildId)
    .replace(/npx -y bun@\S+ src\/main\.ts/g, `${process.execPath} ${join(root, "src/main.ts")}`);
  const script = `discord-mcp() { "${binary()}" "$@"; }
    claude() { printf '%s\\n' "$@"; }
    npx() { printf '%s\\n' "$@"; }
    ${typed}`;
  const child = Bun.spawn({
    cmd: ["bash", "-c", script],
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

const demoDatabase = { DATABASE_URL: "file:./data/demo/discord-mcp.db" };
const answerIn = (text: string) => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);

describe("trying it with the demo", () => {
  test("the demo prints what the page says", () => {
    const add = block("claude mcp add", "ana-token").trim().replaceAll(address, url);
    expect(demo.output).toContain(add);
    const [, body = ""] = / -d '(.*)'/.exec(block("curl", "ana-token")) ?? [];
    expect(JSON.parse(body)).toMatchObject({ method: "tools/call" });
    expect(demo.output).toContain(body);
  });

  test.each(["ana", "mika"] as const)("the client's own command is given the token of %s", async (who) => {
    const { code, out } = await type(block("claude mcp add", `${who}-token`));
    const words = out.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(words.slice(0, 4)).toEqual(["mcp", "add", "--transport", "http"]);
    expect(words[5]).toBe(`${url}/mcp?guild_id=${DEMO.guildId}&channel_id=${DEMO.channels.general}`);
    expect(words.slice(6)).toEqual(["--header", `Authorization: Bearer ${await tokenOf(who)}`]);
  });

  test("curl: Ana is refused what Mika may read", async () => {
    const curl = block("curl", "ana-token");
    expect(answerIn((await type(curl)).out).result).toMatchObject({
      isError: true,
      content: [{ text: "There is no channel #staff that can be seen from here." }],
    });
    const mika = answerIn((await type(curl.replace("ana-token", "mika-token"))).out);
    expect(JSON.stringify(mika.result.structuredContent)).toContain("Keys to the boathouse");
  });

  test("the inspector is given the token, the address and the call", async () => {
    const { out } = await type(block("inspector", "ana-token"));
    expect(out.split("\n")).toContain(`Authorization: Bearer ${await tokenOf("ana")}`);
    expect(out.split("\n")).toContain("channel_id=#general");
  });

  test.each(["cursor", "vscode"] as const)(
    "connect %s keeps what is there, and its server answers",
    async (client) => {
      const env = { XDG_CONFIG_HOME: join(folder, "config") };
      const file = clients[client].file(process.platform, { HOME: folder, ...env }) ?? "";
      const { servers } = clients[client];
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, JSON.stringify({ kept: true, [servers]: { other: { command: "x" } } }, null, 2));
      const { code, err } = await type(block("connect cursor", "--http").replace("cursor", client), env);
      expect(err).toContain(file);
      expect(code).toBe(0);
      const made = JSON.parse(await readFile(file, "utf8"));
      expect(made).toMatchObject({ kept: true, [servers]: { other: { command: "x" } } });
      const { url: endpoint, headers } = made[servers].harbour;
      const answer = await fetch(endpoint, {
        method: "POST",
        headers: {
          ...headers,
          "Content-Type": "application/json",
          Accept: "application/json, text/event-stream",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
      });
      expect(answerIn(await answer.text()).result.tools.length).toBeGreaterThan(50);
    },
  );
});

describe("by hand", () => {
  test("curl lists the tools", async () => {
    const { out } = await type(block("curl", "dmcp_…"));
    expect(answerIn(out).result.tools.length).toBeGreaterThan(50);
  });

  test("a shell lists the tools, as the operator for a person", async () => {
    const { code, out } = await type(block("printf"), demoDatabase);
    const answers = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(answers.map(({ id }) => id)).toEqual([1, 2]);
    expect(answers[0].result.serverInfo.name).toBe("discord-mcp");
    expect(answers[1].result.tools.length).toBeGreaterThan(50);
  });

  test("the file for the inspector names the server that its command asks for", async () => {
    const { out } = await type(block("inspector.json", "--config"), demoDatabase);
    const { mcpServers } = JSON.parse(await readFile(join(folder, "inspector.json"), "utf8"));
    expect(out.split("\n")).toEqual(expect.arrayContaining(["--config", "inspector.json", "--server"]));
    expect(Object.keys(mcpServers)).toEqual([/--server\n(\S+)/.exec(out)?.[1] ?? ""]);
    const { command, args, env } = mcpServers["discord-mcp"];
    const asked = `'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`;
    const listed = await type(
      `printf '%s\\n' '${JSON.stringify({
        jsonrpc: "2.0",
        id: 0,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
      })}' ${asked} | "${command}" ${args.map((word: string) => `"${word}"`).join(" ")}`,
      env,
    );
    expect(JSON.parse(listed.out.trimEnd().split("\n")[1] ?? "").result.tools.length).toBeGreaterThan(10);
  });
});

describe("what the page says", () => {
  test("names each client with the file that the command would write", async () => {
    for (const client of clientNames) {
      const home = join(folder, `home-${client}`);
      await mkdir(home);
      const command = `discord-mcp connect ${client} --user YOUR_DISCORD_USER_ID --write`;
      expect(page).toContain(command);
      const { code } = await type(command, { ...demoDatabase, HOME: home });
      expect(code).toBe(0);
      const file = clients[client].file(process.platform, { HOME: home }) ?? "";
      const { servers } = clients[client];
      expect(JSON.parse(await readFile(file, "utf8"))[servers]).toHaveProperty("discord-mcp");
    }
  });

  test("shows configurations of the form that the command makes", async () => {
    const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = ""]) => JSON.parse(text));
    const [container, desktop, vscode, ...more] = shown;
    expect(more).toEqual([]);
    const made = async (...args: string[]) => {
      const place = "--user YOUR_DISCORD_USER_ID --guild YOUR_SERVER_ID";
      const { out } = await type(`discord-mcp connect ${args.join(" ")} ${place}`, demoDatabase);
      const shown = out
        .replaceAll(DEMO.guildId, "YOUR_SERVER_ID")
        .replaceAll(url, address)
        .replaceAll(folder, "/absolute/path/of/the/folder")
        .replaceAll(binary(), "/absolute/path/discord-mcp")
        .replace(/dmcp_[\w-]+/, "dmcp_…");
      return JSON.parse(shown);
    };
    const real = await made("claude-desktop");
    // The demo's folder has no .env that would name its database.
    real.mcpServers["discord-mcp"].args.splice(3, 2);
    expect(desktop).toEqual(real);
    expect(vscode).toEqual(await made("vscode", "--http", address));
    const { command, args, env } = container.mcpServers["discord-mcp"];
    expect([command, args.slice(0, 4), Object.keys(env)]).toEqual([
      "docker",
      ["exec", "-i", "-e", "DISCORD_MCP_TOKEN"],
      Object.keys(real.mcpServers["discord-mcp"].env),
    ]);
    const compose = await readFile(join(root, "compose.yaml"), "utf8");
    const [, project = ""] = /^name: (\S+)$/m.exec(compose) ?? [];
    const [, service = ""] = /^services:\n {2}(\S+):$/m.exec(compose) ?? [];
    expect(args.slice(4)).toEqual([
      `${project}-${service}-1`,
      "discord-mcp",
      "mcp",
      "--guild",
      "YOUR_SERVER_ID",
    ]);
  });

  test("names options that there are, and all of those that connect has", async () => {
    const help = async (command: string) => (await type(`discord-mcp ${command} --help`)).out;
    const flags = (text: string) => new Set(text.match(/(?<![\w-])--(?!help)[a-z][a-z-]+/g) ?? []);
    const [connect, mcp] = [flags(await help("connect")), flags(await help("mcp"))];
    const table = flags(page.slice(page.indexOf("| option "), page.indexOf("The token is named")));
    expect([...table].filter((flag) => !connect.has(flag))).toEqual([]);
    expect([...connect].filter((flag) => !page.includes(flag))).toEqual([]);
    expect([...mcp].filter((flag) => !page.includes(flag))).toEqual([]);
    for (const [, command = "", args = ""] of page.matchAll(/discord-mcp (connect|mcp)( [^`\n|]*)/g)) {
      const known = command === "connect" ? connect : mcp;
      expect([...flags(args)].filter((flag) => !known.has(flag))).toEqual([]);
    }
  });

  test("names versions and files that are ours", async () => {
    const { devDependencies, packageManager } = JSON.parse(
      await readFile(join(root, "package.json"), "utf8"),
    );
    expect(page).toContain(`npx -y ${packageManager} run demo`);
    expect(page.replaceAll("`", "")).toContain(`@ai-sdk/mcp ${devDependencies["@ai-sdk/mcp"]}`);
    expect(page.replaceAll("`", "")).toContain(
      `conformance suite ${devDependencies["@modelcontextprotocol/conformance"]}`,
    );
    for (const path of ["test/e2e/mcp-expected-failures.yml", "src/main.ts"]) {
      expect(page).toContain(path);
      expect(await Bun.file(join(root, path)).exists()).toBe(true);
    }
    for (const [, link = ""] of page.matchAll(/\]\(((?!http)[^)#]+)\)/g))
      expect(await Bun.file(join(root, "docs", link)).exists()).toBe(true);
  });
});
