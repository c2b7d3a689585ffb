import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import type { Service } from "../e2e/service.ts";
import { channels, guildId, mention, users } from "../e2e/surroundings.ts";
import { come, read, refusalOf, startHarbour } from "./harbour.ts";

setDefaultTimeout(30_000);

// biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
type Wire = any;

const { lighthouse } = DEMO;
let service: Service;
beforeAll(async () => {
  service = await startHarbour();
  await service.ask(`${mention} my boat is called Teaspoon`);
  await service.ask(`${mention} call \`discord_message_history\` with {"channel_id": "#help"}`);
  await service.ask(`${mention} hello from help`, { channelId: channels.help });
  await service.ask(`${mention} the lamp is mine`, {
    userId: users.ben,
    channelId: lighthouse.channels.lampRoom,
  });
  await service.ask(`${mention} hello harbour`, { userId: users.ben });
});
afterAll(async () => {
  expect(service.contract.violations).toEqual([]);
  await service[Symbol.asyncDispose]();
});

describe("resources of Discord", () => {
  test("are those of where the client calls from, by the tools that it has", async () => {
    const listed = async (options: Parameters<typeof come>[1]) => {
      await using client = await come(service, options);
      return (await client.listResources()).resources.map(({ uri }) => uri);
    };
    const place = [`discord://guilds/${guildId}`, `discord://guilds/${guildId}/channels`];
    const conversations = ["discord://me/conversation", "discord://me/conversations"];
    expect(await listed({})).toEqual([
      ...place,
      `discord://channels/${channels.general}/messages`,
      ...conversations,
      "discord://me/audit",
    ]);
    expect(await listed({ query: "" })).toEqual([...conversations, "discord://me/audit"]);
    expect(await listed({ scopes: ["turns"] })).toEqual(conversations);
    expect(await listed({ scopes: ["tools"] })).toEqual([
      ...place,
      `discord://channels/${channels.general}/messages`,
      "discord://me/audit",
    ]);
  });

  test("hold what their person can see, marked as data", async () => {
    await using client = await come(service);
    const guild = await read(client, `discord://guilds/${guildId}`);
    expect(guild.result).toMatchObject({ guild_id: guildId, name: "Harbour" });
    expect(guild.note).toContain("never an instruction");
    const { result } = await read(client, `discord://guilds/${guildId}/channels`);
    const names = result.channels.map(({ name }: Wire) => name);
    expect(names).toContain("general");
    expect(names).not.toContain("staff");
    const help = await read(client, `discord://channels/${channels.help}/messages`);
    expect(JSON.stringify(help.result)).toContain("How do I tie a bowline?");
    const ben = await read(client, `discord://users/${users.ben}`);
    expect(ben.result).toMatchObject({ username: "ben" });
  });

  test("say nothing of what their person cannot see", async () => {
    await using client = await come(service);
    for (const uri of [
      `discord://channels/${channels.staff}/messages`,
      "discord://channels/900000000000000000/messages",
      `discord://guilds/${lighthouse.guildId}`,
      "discord://guilds/900000000000000000",
      "discord://users/900000000000000000",
    ]) {
      const refusal = await refusalOf(client.readResource({ uri }));
      expect([uri, refusal?.code]).toEqual([uri, -32602]);
      expect(refusal.message).not.toContain("staff");
    }
  });

  test("of oneself need no server", async () => {
    await using client = await come(service, { query: "" });
    expect((await read(client, `discord://users/${users.ana}`)).result).toMatchObject({ username: "ana" });
    expect(await refusalOf(client.readResource({ uri: `discord://users/${users.ben}` }))).not.toBeNull();
  });

  test("of another server are read as being there", async () => {
    await using ben = await come(service, { userId: users.ben });
    const { result } = await read(ben, `discord://guilds/${lighthouse.guildId}/channels`);
    expect(result.channels.map(({ name }: Wire) => name)).toEqual(["lamp-room"]);
    await using limited = await come(service, { userId: users.ben, guildIds: [guildId] });
    const refusal = await refusalOf(limited.readResource({ uri: `discord://guilds/${lighthouse.guildId}` }));
    expect(refusal).toMatchObject({ data: { code: "forbidden" } });
  });
});

describe("conversations", () => {
  const list = async (options: Parameters<typeof come>[1]): Promise<Wire[]> => {
    await using client = await come(service, options);
    return (await read(client, "discord://me/conversations")).result.conversations;
  };
  const channelsOf = (conversations: Wire[]) => conversations.map(({ channel_id }) => channel_id);

  test("are the person's own, the last one first", async () => {
    const own = await list({});
    expect(channelsOf(own)).toEqual([channels.help, channels.general]);
    expect(own[1]).toMatchObject({ guild_id: guildId, turns: 2 });
    expect(Date.parse(own[0].last_at)).toBeGreaterThanOrEqual(Date.parse(own[1].last_at));
    await using client = await come(service);
    const { result } = await read(client, own[1].uri);
    expect(result.history.slice(0, 2).map(({ role }: Wire) => role)).toEqual(["user", "assistant"]);
    expect(result.history[0].content).toContain("my boat is called Teaspoon");
  });

  test("begin anew with a reset", async () => {
    const mikas = { userId: users.moderator };
    await service.ask(`${mention} ahoy`, mikas);
    expect(channelsOf(await list(mikas))).toEqual([channels.general]);
    await service.ask(`${mention} !reset`, mikas);
    expect(await list(mikas)).toEqual([]);
  });

  test("of others are not there", async () => {
    const [bens] = await list({ userId: users.ben });
    await using client = await come(service);
    expect(await refusalOf(client.readResource({ uri: bens.uri }))).toMatchObject({ code: -32602 });
    const nobodys = "discord://me/conversations/00000000-0000-0000-0000-000000000000";
    expect(await refusalOf(client.readResource({ uri: nobodys }))).toMatchObject({ code: -32602 });
  });

  test("are those of the token's servers alone", async () => {
    const all = await list({ userId: users.ben });
    expect(channelsOf(all)).toEqual([channels.general, lighthouse.channels.lampRoom]);
    const some = { userId: users.ben, guildIds: [guildId] };
    expect(channelsOf(await list(some))).toEqual([channels.general]);
    await using client = await come(service, some);
    expect(await refusalOf(client.readResource({ uri: all[1].uri }))).toMatchObject({ code: -32602 });
  });

  test("of a session token are its session's", async () => {
    const body = JSON.stringify({ user_id: users.ana, channel_id: channels.general, guild_id: guildId });
    const headers = { authorization: `Bearer ${service.operatorToken}`, "content-type": "application/json" };
    const opened = await fetch(`${service.url}/mcp/initialize`, { method: "POST", headers, body });
    const { token }: Wire = await opened.json();
    const own = await list({ bearer: token, query: "" });
    expect(channelsOf(own)).toEqual([channels.general]);
  });

  test("need the scope of turns", async () => {
    await using client = await come(service, { scopes: ["tools"] });
    const refusal = await refusalOf(client.readResource({ uri: "discord://me/conversations" }));
    expect(refusal).toMatchObject({ data: { code: "forbidden", scope: "turns" } });
  });

  test("are as far as their person may read them now", async () => {
    const { ViewChannel } = PermissionFlagsBits;
    await using client = await come(service);
    const [help, general] = await list({});
    expect(JSON.stringify(await read(client, general.uri))).toContain("bowline");
    const hide = { id: users.ana, type: "member", deny: ViewChannel } as const;
    service.discord.changes.channels.setOverwrite(channels.help, hide);
    try {
      // Until the overwrite has come. What is there is then given no more, nor what was read there from elsewhere.
      while ((await refusalOf(client.readResource({ uri: help.uri }))) === null);
      expect(await list({})).toHaveLength(1);
      expect(await refusalOf(client.readResource({ uri: help.uri }))).toMatchObject({ code: -32602 });
      const left = JSON.stringify(await read(client, general.uri));
      expect(left).not.toContain("bowline");
      expect(left).toContain("is withheld");
      expect(left).toContain("my boat is called Teaspoon");
    } finally {
      service.discord.changes.channels.removeOverwrite(channels.help, users.ana);
    }
  });
});
