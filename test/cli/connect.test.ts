import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type ClientName, clientNames, clients } from "../../src/cli/connect-clients.ts";
import {
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../src/simulator/discord/simulator.ts";
import { DEMO, twoServers } from "../../src/simulator/discord/world-seed.ts";
import { attachContract } from "../simulator/discord/openapi-contract.ts";
import { command } from "./io.ts";

const ana = "100000000000000001";
const guild = "100000000000000002";
let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "connect-")));
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Place {
  readonly env: Record<string, string>;
  readonly home: string;
}

function place(): Place {
  const home = join(root, crypto.randomUUID());
  return {
    home,
    env: { HOME: home, APPDATA: home, USERPROFILE: home, DATABASE_URL: join(home, "data/test.db") },
  };
}

const connect = ({ env }: Place, client: string, ...args: string[]) =>
  command(["connect", client, "--user", ana, ...args], env);

async function tokens({ env }: Place): Promise<readonly Record<string, unknown>[]> {
  const { out, err } = await command(["token", "list", "--json"], env);
  return err.includes("There is no database") ? [] : JSON.parse(out);
}

const main = resolve(import.meta.dir, "../../src/main.ts");
const stdio = ({ env }: Place) => ({
  command: process.execPath,
  args: [main, "mcp", "--folder", process.cwd(), "--database", env.DATABASE_URL],
  env: { DISCORD_MCP_TOKEN: expect.stringMatching(/^dmcp_[0-9a-f]{16}_[\w-]{43}$/) },
});

describe("connect", () => {
  test.each([
    ["claude-code", "mcpServers", { type: "stdio" }],
    ["claude-desktop", "mcpServers", {}],
    ["vscode", "servers", { type: "stdio" }],
    ["cursor", "mcpServers", {}],
  ] as const)("prints what %s takes, with a token of that person", async (client, servers, more) => {
    const here = place();
    const { code, out, err } = await connect(here, client);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ [servers]: { "discord-mcp": { ...more, ...stdio(here) } } });
    expect(err).toContain(clients[client].title);
    const [row, ...others] = await tokens(here);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      name: `connect-${client}`,
      user_id: ana,
      scopes: ["sessions", "turns", "tools"],
      guild_ids: null,
    });
    expect(err).toContain(`token revoke ${row?.id}`);
    // Nothing was asked to be written.
    expect(await readdir(here.home)).toEqual(["data"]);
  });

  test.each(["claude-code", "vscode", "cursor"] as const)("connects %s to an address", async (client) => {
    const here = place();
    const args = ["--http", "http://127.0.0.1:8000", "--guild", guild, "--approve", "--name", "harbour"];
    const { out } = await connect(here, client, ...args);
    const [servers] = Object.values<Record<string, unknown>>(JSON.parse(out));
    expect(servers?.harbour).toEqual({
      ...(client === "cursor" ? {} : { type: "http" }),
      url: `http://127.0.0.1:8000/mcp?guild_id=${guild}`,
      headers: { Authorization: expect.stringMatching(/^Bearer dmcp_/) },
    });
    expect((await tokens(here))[0]?.scopes).toEqual(["sessions", "turns", "tools", "approve"]);
  });

  test("prints the client's own command, quoted for a shell", async () => {
    const { err } = await connect(place(), "claude-code");
    const [, line = ""] = /^ {2}(claude mcp .*)$/m.exec(err) ?? [];
    const shell = Bun.spawnSync(["sh", "-c", `claude() { printf '%s\\n' "$@"; }; ${line}`]);
    const words = shell.stdout.toString().trimEnd().split("\n");
    expect(words.slice(0, 5)).toEqual(["mcp", "add-json", "--scope", "user", "discord-mcp"]);
    expect(JSON.parse(words[5] ?? "")).toMatchObject({ type: "stdio", command: process.execPath });
  });

  test("as JSON it says all of it", async () => {
    const here = place();
    const { out } = await connect(here, "cursor", "--json", "--write", "--file", join(here.home, "x.json"));
    const said = JSON.parse(out);
    expect(said).toMatchObject({
      client: "cursor",
      file: join(here.home, "x.json"),
      written: true,
      backup: null,
      command: null,
      token_id: (await tokens(here))[0]?.id,
    });
    expect(JSON.parse(await readFile(said.file, "utf8"))).toEqual(said.configuration);
  });
});

describe("connect --write", () => {
  async function write(here: Place, text: string | null, client: ClientName = "cursor", ...args: string[]) {
    const file = join(here.home, "client/config.json");
    await mkdir(dirname(file), { recursive: true });
    if (text !== null) await writeFile(file, text);
    const result = await connect(here, client, "--write", "--file", file, ...args);
    return { ...result, file, text: await readFile(file, "utf8") };
  }

  test.each(clientNames)("makes the file of %s where there is none, for its owner alone", async (client) => {
    const here = place();
    const { code, out } = await connect(here, client, "--write");
    expect({ code, out }).toEqual({ code: 0, out: "" });
    const file = clients[client].file(process.platform, here.env) ?? "";
    expect(JSON.parse(await readFile(file, "utf8"))[clients[client].servers]["discord-mcp"]).toMatchObject(
      stdio(here),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dirname(file))).toHaveLength(client === "claude-code" ? 2 : 1);
  });

  test("keeps what is there, its order and indentation, and the file before beside it", async () => {
    const before = `{
\t"theme": "dark",
\t"mcpServers": {
\t\t"other": { "command": "x", "args": [] }
\t},
\t"last": [1.5, -20000000000, "\\"quoted\\" // no comment", null]
}
`;
    const { code, file, text, err } = await write(place(), before);
    expect(code).toBe(0);
    const made = JSON.parse(text);
    expect(Object.keys(made)).toEqual(["theme", "mcpServers", "last"]);
    expect(Object.keys(made.mcpServers)).toEqual(["other", "discord-mcp"]);
    const { "discord-mcp": _ours, ...others } = made.mcpServers;
    expect({ ...made, mcpServers: others }).toEqual(JSON.parse(before));
    expect(text).toContain('\n\t"theme"');
    const [backup = ""] = (await readdir(dirname(file))).filter((name) => name.endsWith(".bak"));
    expect(err).toContain(backup);
    expect(await readFile(join(dirname(file), backup), "utf8")).toBe(before);
    expect((await stat(join(dirname(file), backup))).mode & 0o777).toBe(0o600);
  });

  test("replaces its own server, and says how to end the token of before", async () => {
    const here = place();
    await write(here, null);
    const [first] = await tokens(here);
    const again = await write(here, null, "cursor", "--guild", guild);
    expect(again.code).toBe(0);
    expect(again.err).toContain(`token revoke ${first?.id}`);
    expect(JSON.parse(again.text).mcpServers["discord-mcp"].args).toContain(guild);
  });

  test("follows a link to where the file really is", async () => {
    const here = place();
    const real = join(here.home, "dotfiles/mcp.json");
    await mkdir(dirname(real), { recursive: true });
    await writeFile(real, "{}");
    await symlink(real, join(here.home, "link.json"));
    expect((await connect(here, "cursor", "--write", "--file", join(here.home, "link.json"))).code).toBe(0);
    expect(JSON.parse(await readFile(real, "utf8")).mcpServers).toHaveProperty("discord-mcp");
  });

  test.each([
    ["a link to nothing", (file: string) => symlink(join(root, "nothing"), file), "which is not there"],
    ["a folder", (file: string) => mkdir(file), "it is no file"],
  ])("leaves %s as it is, and makes no token", async (_what, make, said) => {
    const here = place();
    const file = join(here.home, "mcp.json");
    await mkdir(here.home, { recursive: true });
    await make(file);
    const { code, err } = await connect(here, "cursor", "--write", "--file", file);
    expect([code, err.includes(said)]).toEqual([1, true]);
    expect((await lstat(file)).isFile()).toBe(false);
    expect(await tokens(here)).toEqual([]);
  });

  test("ends the token again when the file cannot be written", async () => {
    const here = place();
    // There is no room for the name of the file that takes its place.
    const file = join(here.home, "x".repeat(250));
    const { code, err } = await connect(here, "cursor", "--write", "--file", file);
    expect([code, err]).toEqual([1, expect.stringContaining("it cannot be written (ENAMETOOLONG)")]);
    expect(await tokens(here)).toEqual([expect.objectContaining({ revoked_at: expect.any(String) })]);
  });

  test.each([
    ["comments", '{\n  // mine\n  "servers": {}\n}', "comments"],
    ["a trailing comma", '{ "servers": {}, }', "comments"],
    ["half a file", '{ "servers": {', "no plain JSON"],
    ["a byte order mark", "\ufeff{}", "no plain JSON"],
    ["a list", "[]", "no JSON object"],
    ["null", "null", "no JSON object"],
    ["servers that are a list", '{ "servers": [] }', '"servers" is no object'],
    ["servers that are null", '{ "servers": null }', '"servers" is no object'],
    ["a key twice", '{ "a": 1, "a": 2 }', "change other parts"],
    ["a number beyond ours", '{ "id": 12345678901234567890 }', "change other parts"],
    ["keys that we would sort", '{ "b": 1, "7": 2 }', "change other parts"],
    ["a stranger of that name", '{ "servers": { "discord-mcp": { "command": "x" } } }', "--name"],
  ])("leaves a file with %s as it is, and makes no token", async (_what, before, said) => {
    const here = place();
    const { code, out, err, file, text } = await write(here, before, "vscode");
    expect({ code, out, text }).toEqual({ code: 1, out: "", text: before });
    expect(err).toContain(said);
    expect(err).toContain(file);
    expect(await readdir(dirname(file))).toHaveLength(1);
    expect(await tokens(here)).toEqual([]);
  });
});

describe("connect's files and mistakes", () => {
  test.each([
    ["claude-code", "darwin", "/h/.claude.json"],
    ["claude-code", "win32", "U:\\h\\.claude.json"],
    ["claude-desktop", "darwin", "/h/Library/Application Support/Claude/claude_desktop_config.json"],
    ["claude-desktop", "win32", "A:\\r\\Claude\\claude_desktop_config.json"],
    ["claude-desktop", "linux", "/h/.config/Claude/claude_desktop_config.json"],
    ["vscode", "darwin", "/h/Library/Application Support/Code/User/mcp.json"],
    ["vscode", "win32", "A:\\r\\Code\\User\\mcp.json"],
    ["vscode", "linux", "/h/.config/Code/User/mcp.json"],
    ["cursor", "darwin", "/h/.cursor/mcp.json"],
    ["cursor", "win32", "U:\\h\\.cursor\\mcp.json"],
    ["cursor", "linux", "/h/.cursor/mcp.json"],
  ] as const)("%s on %s looks into %s", (client, platform, file) => {
    const env = { HOME: "/h", USERPROFILE: "U:\\h", APPDATA: "A:\\r" };
    expect(clients[client].file(platform, env)).toBe(file);
    expect(clients[client].file(platform, {})).toBeNull();
  });

  test("what moves the folders is honoured", () => {
    const env = { HOME: "/h", XDG_CONFIG_HOME: "/x", CLAUDE_CONFIG_DIR: "/c" };
    expect(clients.vscode.file("linux", env)).toBe("/x/Code/User/mcp.json");
    expect(clients["claude-code"].file("linux", env)).toBe("/c/.claude.json");
  });

  test.each([
    [[], "which client"],
    [["emacs", "--user", ana], "which client"],
    [["cursor", "vscode", "--user", ana], "which client"],
    [["cursor"], "--user"],
    [["cursor", "--user", "ana"], "--user"],
    [["cursor", "--user", ana, "--guild", "1"], "--guild"],
    [["cursor", "--user", ana, "--http", "ftp://x"], "--http"],
    [["cursor", "--user", ana, "--http", "localhost"], "--http"],
    [["cursor", "--user", ana, "--name", "a b"], "--name"],
    [["cursor", "--user", ana, "--file", "x"], "--write"],
    [["cursor", "--user", ana, "--wirte"], "--wirte"],
  ])("%j is a mistake of use", async (args, said) => {
    const { code, out, err } = await command(["connect", ...args], place().env);
    expect({ code, out }).toEqual({ code: 64, out: "" });
    expect(err).toContain(said);
  });

  test("Claude Desktop takes no address, and no token is made for one", async () => {
    const here = place();
    const { code, err } = await connect(here, "claude-desktop", "--http", "http://127.0.0.1:8000");
    expect(code).toBe(1);
    expect(err).toContain("Connectors");
    expect(await tokens(here)).toEqual([]);
  });

  test("says what a service that the client starts would lack", async () => {
    const here = place();
    const { err } = await command(["connect", "cursor", "--user", ana], { ...here.env, DISCORD_PREFIX: "?" });
    expect(err).toContain("DISCORD_PREFIX comes from the environment");
    expect((await connect(here, "cursor")).err).not.toContain("comes from the environment");
  });
});

describe("connect without --guild", () => {
  async function withDiscord(options: DiscordSimulatorOptions, user: string, ...args: string[]) {
    await using discord = await startDiscordSimulator({ rateLimits: "off", ...options });
    const contract = attachContract(discord);
    const here = place();
    const env = { ...here.env, DISCORD_TOKEN: discord.token, DISCORD_API_URL: discord.apiUrl };
    const result = await command(["connect", "claude-code", "--user", user, ...args], env);
    expect(contract.violations).toEqual([]);
    const [row] = await tokens(here);
    return { ...result, made: row !== undefined, requests: discord.requests.length };
  }
  const argsIn = (out: string): readonly string[] => JSON.parse(out).mcpServers["discord-mcp"].args;

  test("takes the one server that the bot and the person share", async () => {
    const { code, out, err } = await withDiscord({ seed: twoServers() }, DEMO.users.ana);
    expect(code).toBe(0);
    expect(argsIn(out).slice(-2)).toEqual(["--guild", DEMO.guildId]);
    expect(err).toContain(`Calls are made from Harbour (${DEMO.guildId})`);
  });

  test("asks which, where there are several, and makes no token", async () => {
    const { code, out, err, made } = await withDiscord({ seed: twoServers() }, DEMO.users.owner);
    expect({ code, out, made }).toEqual({ code: 64, out: "", made: false });
    expect(err).toContain(
      `--guild is missing; the bot and this person share Harbour (${DEMO.guildId}), Light`,
    );
  });

  test("asks nobody when it is named", async () => {
    const { out, requests } = await withDiscord({}, DEMO.users.ana, "--guild", guild);
    expect(argsIn(out).slice(-2)).toEqual(["--guild", guild]);
    expect(requests).toBe(0);
  });

  test("says what is missing where the person is in none, and where Discord cannot be asked", async () => {
    const stranger = await withDiscord({}, "100000000000000009");
    expect(stranger.code).toBe(0);
    expect(argsIn(stranger.out)).not.toContain("--guild");
    expect(stranger.err).toContain("shares no server with 100000000000000009");
    const here = place();
    const env = { ...here.env, DISCORD_TOKEN: "x", DISCORD_API_URL: "http://127.0.0.1:1" };
    const offline = await command(["connect", "cursor", "--user", ana], env);
    expect(offline.code).toBe(0);
    expect(offline.err).toContain("Discord could not be asked");
    expect((await connect(here, "cursor")).err).toContain("there is no DISCORD_TOKEN");
  });
});
