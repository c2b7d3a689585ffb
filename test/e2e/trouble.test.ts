import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, run } from "./binary.ts";
import { Client } from "./client.ts";
import { place } from "./service.ts";
import { Site, until } from "./site.ts";
import { mention, newest, users } from "./surroundings.ts";

setDefaultTimeout(60_000);
beforeAll(() => void binary());

interface Health {
  readonly status: string;
  readonly discord: { readonly state: string; readonly reason: string };
}
const health = async (site: Site) => (await site.get("/health")) as Health;

describe("what only an operator can mend in Discord", () => {
  test.concurrent("privileged intents that are switched off: says which switch, and serves who mentions it", async () => {
    await using site = await Site.listening({ discord: { privilegedIntents: false } });
    await site.running.waitFor(/Message Content Intent/);
    expect(site.running.output).toContain("Server Members Intent");
    expect(site.running.output).toMatch(/Developer Portal.*switch on.*DISCORD_INTENTS/);
    await site.discord.waitForReady({ timeoutMs: 30_000 });
    site.claude.script("Served.", "In private.");
    expect(await site.ask(`${mention} can you read this?`)).toBe("Served.");
    expect(newest(site.asked[0])).toEndWith("can you read this?");
    const direct = site.discord.openDirectMessage(users.ben);
    expect(await site.ask("and this?", { userId: users.ben, channelId: direct })).toBe("In private.");
    const { status, discord } = await health(site);
    expect({ status, state: discord.state }).toEqual({ status: "healthy", state: "degraded" });
    expect(discord.reason).toContain("Message Content Intent, Server Members Intent");
  });

  test.concurrent("a wrong token: says what to do, and answers the network", async () => {
    const DISCORD_TOKEN = "not-the-token-of-this-bot";
    await using site = await Site.listening({ env: { DISCORD_TOKEN } });
    await site.running.waitFor(/Discord does not accept DISCORD_TOKEN/);
    expect(site.running.output).toContain("Make a new one in the Developer Portal");
    expect(site.running.output).not.toContain(DISCORD_TOKEN);
    const { status, discord } = await health(site);
    expect({ status, state: discord.state }).toEqual({ status: "healthy", state: "failed" });
    expect(discord.reason).toContain("DISCORD_TOKEN");
    await using client = await Client.open(site.url, site.operatorToken);
    // Nobody can say whether the person is there, so nobody is let in.
    const { data } = await client.request("initialize", place);
    expect(data.code).toBe("discord_unavailable");
    site.running.kill("SIGTERM");
    expect(await site.running.exited).toBe(0);
  });

  test.concurrent("a token that is reset while it runs: the same, without asking again and again", async () => {
    await using site = await Site.open();
    site.discord.faults.revokeToken();
    site.discord.faults.gateway.disconnectAll();
    await site.running.waitFor(/Discord does not accept DISCORD_TOKEN/);
    expect((await health(site)).discord.state).toBe("failed");
    const connections = site.discord.gatewayNotes.filter(({ kind }) => kind === "connected").length;
    expect(connections).toBeLessThanOrEqual(3);
    await using client = await Client.open(site.url, site.operatorToken);
    expect((await client.request("initialize", place)).data.code).toBe("discord_unavailable");
  });
});

describe("a database that cannot be used: a sentence, exit code 1, and nothing is changed", () => {
  /** A data folder as a first start leaves it. */
  async function used(): Promise<{ readonly folder: string; readonly path: string } & Disposable> {
    const folder = mkdtempSync(join(tmpdir(), "database-"));
    const running = run([], folder, { MCP_PORT: "0" });
    await running.waitFor(/listening on/);
    running.kill("SIGTERM");
    await running.exited;
    return {
      folder,
      path: join(folder, "data/discord-mcp.db"),
      [Symbol.dispose]() {
        chmodSync(join(folder, "data"), 0o700);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }

  /** Every file that keeps something, with its bytes; the lock file is made anew by each process. */
  function contents(folder: string): Record<string, string> {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const kept = files.filter(({ name }) => !name.endsWith(".lock"));
    return Object.fromEntries(
      kept.map(({ parentPath, name }) => [
        name,
        Bun.SHA256.hash(readFileSync(join(parentPath, name)), "hex"),
      ]),
    );
  }

  async function expectRefusal(folder: string, sentence: RegExp): Promise<void> {
    const before = contents(folder);
    const running = run([], folder, { MCP_PORT: "0" });
    expect(await running.exited).toBe(1);
    expect(running.output).toMatch(sentence);
    expect(running.output.trim().split("\n")).toHaveLength(1);
    expect(contents(folder)).toEqual(before);
  }

  test.concurrent("of a newer version", async () => {
    using at = await used();
    {
      using newer = new Database(at.path);
      newer.run("PRAGMA user_version = 4711");
    }
    await expectRefusal(at.folder, /^discord-mcp: .*discord-mcp\.db.*newer version/);
  });

  test.concurrent("damaged", async () => {
    using at = await used();
    const bytes = readFileSync(at.path);
    bytes.fill(0xa5, 4096 * 4, 4096 * 12);
    writeFileSync(at.path, bytes);
    await expectRefusal(at.folder, /^discord-mcp: .*discord-mcp\.db is damaged.*restore it from a backup/);
  });

  test.concurrent("of another program, and no database at all", async () => {
    using at = await used();
    rmSync(at.path);
    {
      using other = new Database(at.path);
      other.run("CREATE TABLE recipes (name TEXT)");
    }
    await expectRefusal(at.folder, /^discord-mcp: .*discord-mcp\.db/);
    writeFileSync(at.path, "These are the minutes of the meeting. ".repeat(200));
    await expectRefusal(at.folder, /^discord-mcp: .*discord-mcp\.db is not a database.*DATABASE_URL/);
  });

  test.concurrent("whose key is gone", async () => {
    using at = await used();
    for (const name of readdirSync(join(at.folder, "data"))) {
      if (name.includes("secret")) rmSync(join(at.folder, "data", name));
    }
    await expectRefusal(
      at.folder,
      /^discord-mcp: The key of the database .* is missing: put .*secret-key back, or set SECRET_KEY/,
    );
  });

  test.concurrent("that may not be written", async () => {
    using at = await used();
    // Root may write everything, so the executable is run as somebody else, from where everybody may read it.
    const executable = join(at.folder, "discord-mcp");
    copyFileSync(binary(), executable);
    chmodSync(at.folder, 0o755);
    const isRoot = process.getuid?.() === 0;
    const data = join(at.folder, "data");
    for (const name of readdirSync(data)) {
      chmodSync(join(data, name), 0o400);
      if (isRoot) chownSync(join(data, name), 65534, 65534);
    }
    chmodSync(data, 0o555);
    const before = contents(data);
    const give =
      "import os,sys\nif os.getuid()==0: os.setgid(65534); os.setuid(65534)\nos.execv(sys.argv[1],sys.argv[1:])";
    const child = Bun.spawn(["python3", "-c", give, executable], {
      cwd: at.folder,
      env: { PATH: process.env.PATH ?? "", MCP_PORT: "0" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, code] = await Promise.all([child.stderr.text(), child.exited]);
    expect(output).toMatch(/^discord-mcp: .*read-only; give this user the right to write.*\n$/);
    expect(code).toBe(1);
    expect(contents(data)).toEqual(before);
    expect(statSync(at.path).mode & 0o777).toBe(0o400);
  });
});

test("a second service on the same database leaves the first alone", async () => {
  await using site = await Site.open();
  const second = run([], site.folder, { MCP_PORT: "0" });
  expect(await second.exited).toBe(1);
  expect(second.output).toMatch(/^discord-mcp: Another discord-mcp already serves the database/);
  site.claude.script("Still here.");
  expect(await site.ask(`${mention} are you there?`)).toBe("Still here.");
  await until(
    "one session",
    () => site.discord.gatewayNotes.filter(({ kind }) => kind === "identify").length === 1,
  );
});

test("what may be missing is made: a data folder that nobody has made yet", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fresh-"));
  mkdirSync(join(folder, "empty"));
  await using running = run([], join(folder, "empty"), {
    MCP_PORT: "0",
    DATABASE_URL: "file:../made/for/me.db",
  });
  await running.waitFor(/listening on/);
  expect(statSync(join(folder, "made/for/me.db")).mode & 0o777).toBe(0o600);
  rmSync(folder, { recursive: true, force: true });
});
