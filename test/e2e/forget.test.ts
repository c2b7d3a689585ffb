import { describe, expect, test } from "bun:test";
import { command } from "../cli/io.ts";
import { columnsWith } from "./columns.ts";
import { Service } from "./service.ts";
import { channels, guildId, mention, users } from "./surroundings.ts";

const until = async (what: string, holds: () => boolean): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe("the whole service", () => {
  test("forgets a person who asks for it in chat, and stops what it was doing for them", async () => {
    await using service = await Service.start();
    const { path } = service.config.database;
    const direct = service.discord.openDirectMessage(users.ana);
    await service.ask("remember me", { channelId: direct });
    await service.ask(`${mention} who am I?`);
    await service.ask(`${mention} and I?`, { userId: users.ben });
    await using _socket = await service.connect();
    expect(columnsWith(path, users.ana)).not.toEqual([]);
    await service.ask("!forget");
    const held = service.claude.hold();
    const running = service.say(`${mention} take your time`, { channelId: channels.random });
    await service.untilAsked(service.asked.length + 1);
    expect(await service.ask("!forget yes")).toStartWith("Done: I have deleted");
    held();
    await until("an empty list", () => columnsWith(path, users.ana).length === 0);
    await until("no mark of the direct channel", () => columnsWith(path, direct).length === 0);
    expect(columnsWith(path, users.ben)).not.toEqual([]);
    const answers = service
      .posted(channels.random)
      .filter((one) => one.message_reference?.message_id === running.id);
    for (const { content } of answers) expect(content).toBe("Stopped.");
    // She may begin anew, and is a stranger.
    expect(await service.ask(`${mention} hello`)).not.toBe("");
  });

  test("forgets a person for the operator while it runs, and closes what their token has opened", async () => {
    await using service = await Service.start();
    const env = { DATABASE_URL: service.config.database.path };
    const { out } = await command(["token", "create", "--name", "hers", "--user", users.ana], env);
    const headers = { Authorization: `Bearer ${out.trim()}` };
    expect((await fetch(`${service.url}/mcp/tools`, { headers })).status).toBe(200);
    await service.ask(`${mention} who am I?`);
    const { code, out: said } = await command(["forget", users.ana, "--yes"], env);
    expect(said).toEndWith("Deleted.\n");
    expect(code).toBe(0);
    expect((await fetch(`${service.url}/mcp/tools`, { headers })).status).toBe(401);
    expect(columnsWith(service.config.database.path, users.ana)).toEqual([]);
  });

  test("cleans up after a server that has removed it", async () => {
    await using service = await Service.start({ env: { GUILD_REMOVAL_HOURS: "0" } });
    const { path } = service.config.database;
    await service.ask(`${mention} who am I?`);
    expect(columnsWith(path, guildId)).toContain("conversations.guild_id");
    service.discord.changes.guilds.removeBot(guildId);
    await until("no data of the server", () => columnsWith(path, guildId).length === 0);
  });
});
