import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { serveControl } from "../../src/control/control.ts";
import { openStored } from "../../src/database.ts";
import { type ClaudeSimulator, startClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import { type DiscordSimulator, startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { attachContract } from "../simulator/discord/openapi-contract.ts";
import { command } from "./io.ts";

let folder: string;
let discord: DiscordSimulator;
let claude: ClaudeSimulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "doctor-"));
  discord = await startDiscordSimulator({ rateLimits: "off" });
  claude = await startClaudeSimulator();
});
afterAll(async () => {
  await claude[Symbol.asyncDispose]();
  await discord[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const environment = () => ({
  DISCORD_TOKEN: discord.token,
  DISCORD_API_URL: discord.apiUrl,
  ANTHROPIC_API_KEY: claude.apiKey,
  ANTHROPIC_BASE_URL: claude.baseUrl,
  DATABASE_URL: `file:${folder}/${crypto.randomUUID()}/test.db`,
});

interface Finding {
  readonly name: string;
  readonly state: string;
  readonly says: string;
  readonly advice?: string;
}

async function findings(env: Record<string, string>): Promise<{ code: number; all: readonly Finding[] }> {
  const { code, out } = await command(["doctor", "--json"], env);
  return { code, all: JSON.parse(out) };
}

describe("doctor", () => {
  test("finds nothing wrong where nothing is, and asks Discord only what it documents", async () => {
    const contract = attachContract(discord);
    const { code, all } = await findings(environment());
    expect(all.filter(({ state }) => !["ok", "skipped"].includes(state))).toEqual([]);
    expect(all.map(({ name }) => name)).toEqual([
      "Configuration",
      "Service",
      "Database",
      "Discord token",
      "Message Content Intent",
      "Server Members Intent",
      "Server Harbour",
      "Claude",
    ]);
    expect(code).toBe(0);
    expect(contract.violations).toEqual([]);
  });

  test("says what to do about each failure", async () => {
    const broken = join(folder, "broken.db");
    await Bun.write(broken, "this is no database at all, whatever its name says about it");
    const { code, all } = await findings({
      ...environment(),
      DISCORD_TOKEN: "wrong",
      ANTHROPIC_API_KEY: "wrong",
      DATABASE_URL: `file:${broken}`,
    });
    const failed = all.filter(({ state }) => state === "failed");
    expect(failed.map(({ name }) => name)).toEqual(["Database", "Discord token", "Claude"]);
    expect(failed.every(({ advice }) => advice !== undefined && advice.length > 20)).toBe(true);
    expect(code).toBe(1);
  });

  test("a key that is missing, or another's, is found before the next start fails on it", async () => {
    const env = environment();
    (await openStored(readConfig(env)))[Symbol.dispose]();
    const key = async (more: Record<string, string> = {}) =>
      (await findings({ ...env, ...more })).all.find(({ name }) => name === "Secret key");
    expect(await key()).toMatchObject({ state: "ok" });
    expect(await key({ SECRET_KEY: "x".repeat(32) })).toMatchObject({
      state: "failed",
      says: expect.stringContaining("does not open the database"),
    });
    await rm(join(env.DATABASE_URL.slice("file:".length), "..", "secret-key"));
    expect(await key()).toMatchObject({ state: "failed", says: expect.stringContaining("is missing") });
  });

  test("an empty file has no key to be opened with", async () => {
    const empty = join(folder, "empty.db");
    await Bun.write(empty, "");
    const { all } = await findings({ ...environment(), DATABASE_URL: `file:${empty}` });
    expect(all.filter(({ state }) => state === "failed")).toEqual([]);
    expect(all.map(({ name }) => name)).not.toContain("Secret key");
  });

  test("a tool that does not exist is found as the service finds it", async () => {
    const { code, all } = await findings({ ...environment(), TOOLS: "everything" });
    expect(all[0]).toMatchObject({
      name: "Configuration",
      state: "failed",
      says: expect.stringContaining('"everything"'),
    });
    expect(code).toBe(1);
  });

  test("a service whose disk takes nothing is told apart from one that is well", async () => {
    const env = environment();
    const { dataDir } = readConfig(env);
    await mkdir(dataDir, { recursive: true });
    for (const storing of [true, false]) {
      using _service = serveControl(dataDir, { status: async () => ({ version: "1", storing }) });
      const { all } = await findings(env);
      const found = all.find(({ name }) => name === "Service");
      expect(found?.state).toBe(storing ? "ok" : "failed");
      if (!storing) expect(found?.advice).toContain("Make room");
    }
  });

  test("names the switch of an intent that is off", async () => {
    await using strict = await startDiscordSimulator({ rateLimits: "off", privilegedIntents: false });
    const { code, all } = await findings({
      ...environment(),
      DISCORD_TOKEN: strict.token,
      DISCORD_API_URL: strict.apiUrl,
    });
    const warnings = all.filter(({ state }) => state === "warning").map(({ name }) => name);
    expect(warnings).toEqual(["Message Content Intent", "Server Members Intent"]);
    expect(code).toBe(0);
  });

  test("without Discord and Claude it says how to get them, and a wrong model is named", async () => {
    const { all } = await findings({
      ...environment(),
      DISCORD_TOKEN: "",
      ANTHROPIC_MODEL: "claude-nothing",
    });
    expect(all.find(({ name }) => name === "Discord token")?.advice).toContain("Developer Portal");
    expect(all.find(({ name }) => name === "Claude")).toMatchObject({ state: "failed" });
    expect(all.find(({ name }) => name === "Claude")?.says).toContain("claude-nothing");
  });

  test("Discord out of reach is told apart from a wrong token", async () => {
    const { all } = await findings({ ...environment(), DISCORD_API_URL: "http://127.0.0.1:1/api" });
    expect(all.find(({ name }) => name === "Discord token")?.advice).toContain("DISCORD_API_URL");
  });

  test("why Claude is out of reach is said", async () => {
    const { all } = await findings({ ...environment(), ANTHROPIC_BASE_URL: "http://127.0.0.1:1" });
    expect(all.find(({ name }) => name === "Claude")?.says).toContain("ECONNREFUSED");
  });

  test("bad configuration is a finding for each problem", async () => {
    const { code, all } = await findings({ MCP_PORT: "x", LOG_LEVEL: "loud" });
    expect(all.map(({ says }) => says.split(" ")[0]).sort()).toEqual(["LOG_LEVEL", "MCP_PORT"]);
    expect(code).toBe(1);
  });
});
