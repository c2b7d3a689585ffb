import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import { limitFiles, unlimitFiles } from "../without-room.ts";
import { binary, run } from "./binary.ts";
import { Site } from "./site.ts";
import { channels, guildId, mention, users, words } from "./surroundings.ts";

setDefaultTimeout(60_000);
beforeAll(() => void binary());

/** Another command of the executable beside the service. */
async function command(site: Site, ...args: readonly string[]): Promise<{ code: number; output: string }> {
  await using running = run(args, site.folder);
  const code = await running.exited;
  return { code, output: running.output };
}

describe("backup and restore", () => {
  test("while it serves, and back again: the conversation goes on, and nothing is said twice", async () => {
    await using site = await Site.open();
    site.claude.script("Noted.");
    await site.ask(`${mention} my berth is twelve`);
    const made = await command(site, "backup", "copy.db");
    expect(made.output).toContain("the secret key is not in it");
    expect(made.code).toBe(0);
    site.claude.script("Six.");
    const since = site.say(`${mention} the tide?`);
    await site.replyTo(since);
    expect(await command(site, "restore", "copy.db")).toMatchObject({
      code: 1,
      output: expect.stringContaining("already serves"),
    });
    site.running.kill("SIGTERM");
    expect(await site.running.exited).toBe(0);
    const restored = await command(site, "restore", "copy.db");
    expect(restored.output).toContain("is kept as");
    expect(restored.code).toBe(0);
    const ready = site.discord.mark();
    await site.begin();
    await site.discord.waitForReady({ since: ready, timeoutMs: 20_000 });
    site.claude.script("Twelve.");
    expect(await site.ask(`${mention} which is mine?`)).toBe("Twelve.");
    const asked = site.asked.at(-1);
    expect(asked === undefined ? "" : words(asked)).toContain("my berth is twelve");
    expect(asked === undefined ? "" : words(asked)).not.toContain("the tide?");
    expect(site.posted().map(({ content }) => content)).toEqual(["Noted.", "Six.", "Twelve."]);
  });

  test("a turn that was under way in the backup is not taken up after it is restored", async () => {
    await using site = await Site.open();
    const release = site.claude.hold();
    site.claude.script("At six.");
    const question = site.say(`${mention} the tide?`);
    await site.untilAsked(1);
    expect((await command(site, "backup", "copy.db")).code).toBe(0);
    release();
    await site.replyTo(question);
    await site.kill();
    const restored = await command(site, "restore", "copy.db");
    expect(restored.output).toContain("1 turns");
    const ready = site.discord.mark();
    await site.begin();
    await site.discord.waitForReady({ since: ready, timeoutMs: 20_000 });
    site.claude.script("Yes.");
    expect(await site.ask(`${mention} are you there?`)).toBe("Yes.");
    expect(site.posted().map(({ content }) => content)).toEqual(["At six.", "Yes."]);
    expect(site.asked).toHaveLength(2);
  });
});

describe("keys", () => {
  test("are changed while it serves", async () => {
    await using site = await Site.open();
    site.claude.script("Noted.", "Twelve.");
    await site.ask(`${mention} my berth is twelve`);
    const rotated = await command(site, "keys", "rotate");
    expect(rotated).toMatchObject({ code: 0, output: expect.stringContaining("sealed with data key 2") });
    expect(await site.ask(`${mention} which is mine?`)).toBe("Twelve.");
    const shown = await command(site, "keys", "show", "--json");
    expect(JSON.parse(shown.output)).toMatchObject([{ id: 2, values: { messages: expect.any(Number) } }]);
    await site.kill();
    expect(await command(site, "keys", "rotate")).toMatchObject({ code: 0 });
    expect((await command(site, "keys", "rotate", "--secret")).output).toContain("new secret key");
    await site.begin();
    site.claude.script("Still twelve.");
    expect(await site.ask(`${mention} sure?`)).toBe("Still twelve.");
    expect(words(site.asked.at(-1) ?? { system: [], messages: [] })).toContain("my berth is twelve");
  });
});

describe("what is wrong with the database ends in a sentence and an exit code", () => {
  const broken: readonly [string, (path: string) => void, string][] = [
    ["its key is missing", (path) => rmSync(join(path, "../secret-key")), "secret-key back"],
    ["it is damaged", (path) => writeFileSync(path, damaged(path)), "restore it from a backup"],
    ["it is no database", (path) => writeFileSync(path, "hello ".repeat(2000)), "restore a backup"],
    ["it is of a newer version", (path) => writeFileSync(path, newer(path)), "newer version"],
  ];
  test.each(broken)("%s", async (_, breakIt, sentence) => {
    await using site = await Site.open();
    site.claude.script("x".repeat(1900));
    await site.ask(`${mention} hello`);
    site.running.kill("SIGTERM");
    await site.running.exited;
    const path = join(site.folder, "data/discord-mcp.db");
    breakIt(path);
    const before = readFileSync(path);
    for (const args of [["serve"], ["backup", "copy.db"], ["keys", "rotate"], ["audit"]]) {
      const { code, output } = await command(site, ...args);
      expect([args, code]).toEqual([args, 1]);
      expect(output).toContain("discord-mcp: ");
      expect(output).not.toContain("    at ");
    }
    expect((await command(site, "serve")).output).toContain(sentence);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(join(site.folder, "copy.db"))).toBe(false);
  });

  function damaged(path: string): Buffer {
    return readFileSync(path).fill(0xa5, 4096 * 2, 4096 * 12);
  }
  function newer(path: string): Buffer {
    const bytes = readFileSync(path);
    bytes.writeUInt32BE(99, 60);
    return bytes;
  }
});

describe.if(process.platform === "linux")("a disk that fills up while it serves", () => {
  test("refuses programs, lets people wait, loses nothing, and goes on when there is room", async () => {
    await using site = await Site.open();
    const release = site.claude.hold();
    site.claude.script("x".repeat(1500), "Here.", "Again.");
    const running = site.say(`${mention} ${"long ".repeat(300)}`);
    await site.untilAsked(1);
    const limit = statSync(join(site.folder, "data/discord-mcp.db-wal")).size;
    limitFiles(site.running.pid, BigInt(limit));
    const waiting = site.say(`${mention} are you there?`, { userId: users.ben });
    const initialize = () =>
      fetch(`${site.url}/mcp/initialize`, {
        method: "POST",
        headers: { Authorization: `Bearer ${site.operatorToken}`, "Content-Type": "application/json" },
        body: JSON.stringify({
          user_id: users.ana,
          channel_id: channels.general,
          guild_id: guildId,
        }),
      });
    const refused = await initialize();
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: "storage_unavailable" }),
    ]);
    expect((await fetch(`${site.url}/health/ready`)).status).not.toBe(200);
    release();
    await site.running.waitFor(/end of a turn could not be written/);
    expect(site.posted()).toEqual([]);
    unlimitFiles(site.running.pid);
    expect((await site.replyTo(running)).content).toStartWith("xxx");
    expect((await site.replyTo(waiting)).content).not.toBe("");
    expect((await initialize()).status).toBe(200);
    using database = site.database();
    expect(database.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(site.posted()).toHaveLength(2);
  });
});

test("no secret and no word of anybody is in the data folder or in the logs, after everything was used", async () => {
  await using site = await Site.open({
    env: { LOG_LEVEL: "debug", SECRET_KEY: `key-${"k".repeat(40)}`, TOOLS: "all" },
  });
  const planted = (what: string) => `PLANTED-${what}-WORDS`;
  const call = toolUse("discord_message_history", { limit: 2, before: "123456789012345678" });
  site.claude.script([call], planted("answer"));
  await site.ask(`${mention} ${planted("question")}`);
  site.claude.script([toolUse("discord_memory_remember", { text: planted("memory") })], "Noted.");
  await site.ask(`${mention} remember it`);
  const created = await command(site, "token", "create", "--name", "editor", "--user", users.ana);
  const post = (path: string, body: object) =>
    fetch(`${site.url}${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${site.operatorToken}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const door = { user_id: users.ana, channel_id: channels.general, guild_id: guildId };
  const opened: { readonly token: string; readonly session_id: string } = JSON.parse(
    await (await post("/mcp/initialize", door)).text(),
  );
  site.claude.script(planted("program-answer"));
  await post("/mcp/process", { session_id: opened.session_id, message: planted("program-question") });
  const secrets = {
    discordToken: site.discord.token,
    anthropicKey: site.claude.apiKey,
    secretKey: "k".repeat(40),
    apiToken: created.output.trim(),
    sessionToken: opened.token,
    words: "PLANTED-",
  };
  expect(site.posted().map(({ content }) => content)).toContain(planted("answer"));
  expect(secrets.apiToken.length).toBeGreaterThan(30);
  expect(secrets.sessionToken.length).toBeGreaterThan(30);
  const folder = join(site.folder, "data");
  using database = site.database();
  expect(database.query("SELECT count(*) AS n FROM memories").get()).toEqual({ n: 1 });
  const files = readdirSync(folder).filter((name) => name !== "operator-token" && name !== "control.sock");
  expect(files).toContain("discord-mcp.db-wal");
  const texts: (readonly [string, string])[] = files.map((name) => [
    name,
    readFileSync(join(folder, name), "latin1"),
  ]);
  texts.push(["logs", site.running.output]);
  expect(texts.some(([, text]) => text.includes(users.ana))).toBe(true);
  for (const [name, text] of texts)
    for (const [what, secret] of [...Object.entries(secrets), ["operatorToken", site.operatorToken] as const])
      expect([name, what, text.includes(secret)]).toEqual([name, what, false]);
});
