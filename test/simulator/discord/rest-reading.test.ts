import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type DiscordSimulator, startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, refusal, restClient } from "./harness.ts";
import { attachContract, type Contract } from "./openapi-contract.ts";

const { channels, users, guildId, roles } = DEMO;
let simulator: DiscordSimulator;
let contract: Contract;

beforeAll(async () => {
  simulator = await startDiscordSimulator({ rateLimits: "off" });
  // One test asks for a version that is not there.
  contract = attachContract(simulator, [/^\/api\/v9\//]);
});
afterAll(async () => {
  await simulator[Symbol.asyncDispose]();
  expect(contract.violations).toEqual([]);
  expect(contract.checked).toBeGreaterThan(20);
});

describe("who and what exists", () => {
  test("the bot, its application and the gateway", async () => {
    const { users: ofUsers, oauth2, applications, gateway } = api(simulator);
    expect(await ofUsers.getCurrent()).toMatchObject({ id: DEMO.botId, bot: true });
    expect((await oauth2.getCurrentBotApplicationInformation()).flags).toBe(
      (1 << 13) | (1 << 15) | (1 << 19),
    );
    expect((await applications.getCurrent()).id).toBe(DEMO.applicationId);
    expect(await gateway.getBot()).toMatchObject({
      url: simulator.gatewayUrl,
      shards: 1,
      session_start_limit: { remaining: 1000 },
    });
    expect(await gateway.get()).toEqual({ url: simulator.gatewayUrl });
    expect(simulator.requests.some((one) => one.path === "/users/@me")).toBe(true);
  });

  test("users, members and guilds", async () => {
    const { users: ofUsers, guilds } = api(simulator);
    expect((await ofUsers.get(users.ana)).global_name).toBe("Ana");
    expect((await guilds.getMember(guildId, users.ben)).nick).toBe("Benny");
    const guild = await guilds.get(guildId, { with_counts: true });
    expect(guild).toMatchObject({
      name: "Harbour",
      approximate_member_count: 6,
      approximate_presence_count: 5,
    });
    expect((await guilds.get(guildId)).approximate_member_count).toBeUndefined();
    expect((await guilds.getRoles(guildId)).find((role) => role.tags?.bot_id === DEMO.botId)?.id).toBe(
      roles.bot,
    );
    expect(simulator.botRoleId(guildId)).toBe(roles.bot);
    expect(await guilds.getEmojis(guildId)).toHaveLength(1);
    const page = await guilds.getMembers(guildId, { limit: 2, after: users.owner });
    expect(page.map((member) => member.user.id)).toEqual([users.moderator, users.ana]);
    expect(await guilds.searchForMembers(guildId, { query: "ben", limit: 5 })).toHaveLength(1);
    expect(await ofUsers.getGuilds()).toHaveLength(1);
    await guilds.getAuditLogs(guildId);
  });

  test("channels without what the bot cannot see, threads apart", async () => {
    const { guilds, channels: ofChannels, threads } = api(simulator);
    const listed = await guilds.getChannels(guildId);
    expect(listed.map((channel) => channel.id)).toContain(channels.staff);
    expect(listed.map((channel) => channel.id)).not.toContain(channels.thread);
    simulator.changes.channels.removeOverwrite(channels.staff, DEMO.botId);
    const without = await guilds.getChannels(guildId);
    expect(without.map((channel) => channel.id)).not.toContain(channels.staff);
    expect(await refusal(ofChannels.get(channels.staff))).toMatchObject({ status: 403, code: 50001 });
    const active = await guilds.getActiveThreads(guildId);
    expect(active.threads.map((thread) => thread.id)).toEqual([
      channels.sharedThread,
      channels.post,
      channels.privateThread,
      channels.thread,
    ]);
    expect((await ofChannels.get(channels.thread)).type).toBe(11);
    expect(await threads.getAllMembers(channels.thread)).toHaveLength(1);
    await threads.join(channels.thread);
    expect(await threads.getMember(channels.thread, DEMO.botId, {})).toMatchObject({ user_id: DEMO.botId });
    await threads.leave(channels.thread);
  });

  test("says what is wrong as Discord does", async () => {
    const { users: ofUsers, guilds, channels: ofChannels } = api(simulator);
    expect(await refusal(ofUsers.get("1"))).toMatchObject({ status: 404, code: 10013 });
    expect(await refusal(guilds.get("1"))).toMatchObject({ status: 404, code: 10004 });
    expect(await refusal(ofChannels.get("1"))).toMatchObject({ status: 404, code: 10003 });
    expect(await refusal(guilds.getMember(guildId, "1"))).toMatchObject({ status: 404, code: 10013 });
    expect(await refusal(ofChannels.getMessage(channels.general, "1"))).toMatchObject({
      status: 404,
      code: 10008,
    });
    expect(await refusal(ofUsers.get("x"))).toMatchObject({ status: 400, code: 50035 });
    const stranger = restClient(simulator).setToken("wrong");
    expect(await refusal(stranger.get("/users/@me").catch((error) => Promise.reject(error)))).toMatchObject({
      status: 401,
      code: 0,
    });
    const wrong = await fetch(`${simulator.apiUrl}/v10/users/@me`, {
      headers: { authorization: "Bot wrong" },
    });
    expect([wrong.status, await wrong.json()]).toEqual([401, { message: "401: Unauthorized", code: 0 }]);
    const nowhere = await fetch(`${simulator.apiUrl}/v9/users/@me`);
    expect(nowhere.status).toBe(404);
  });
});

describe("history", () => {
  test("pages before, after and around, newest first", async () => {
    const { channels: ofChannels } = api(simulator);
    const ids = Array.from(
      { length: 7 },
      (_, n) => simulator.say({ userId: users.ana, channelId: channels.random, content: `n${n}` }).id,
    );
    const texts = async (query: object) =>
      (await ofChannels.getMessages(channels.random, query)).map((message) => message.content);
    const middle = ids[3] ?? "";
    expect(await texts({})).toEqual(["n6", "n5", "n4", "n3", "n2", "n1", "n0"]);
    expect(await texts({ limit: 2 })).toEqual(["n6", "n5"]);
    expect(await texts({ limit: 2, before: middle })).toEqual(["n2", "n1"]);
    expect(await texts({ limit: 2, after: middle })).toEqual(["n5", "n4"]);
    expect(await texts({ limit: 3, around: middle })).toEqual(["n4", "n3", "n2"]);
    expect(await refusal(ofChannels.getMessages(channels.random, { limit: 101 }))).toMatchObject({
      rawError: { code: 50035, errors: { limit: { _errors: [{ code: "NUMBER_TYPE_MAX" }] } } },
    });
  });

  test("is searched by words, author, channel and id", async () => {
    const rest = restClient(simulator);
    const search = (query: Record<string, string>) =>
      rest.get(`/guilds/${guildId}/messages/search`, { query: new URLSearchParams(query) }) as Promise<{
        total_results: number;
        messages: { content: string; id: string; hit: boolean }[][];
      }>;
    const regatta = await search({ content: "REGATTA" });
    expect(regatta.total_results).toBe(2);
    expect(regatta.messages[0]?.[0]).toMatchObject({ author: { id: users.ben }, hit: true });
    expect((await search({ content: "regatta", author_id: users.ana })).total_results).toBe(1);
    expect((await search({ content: "keys boathouse" })).total_results).toBe(0);
    const first = await search({ channel_id: channels.general, limit: "1", offset: "1" });
    expect(first.messages).toHaveLength(1);
    const newest = (await search({ channel_id: channels.general })).messages[0]?.[0]?.id ?? "";
    expect((await search({ channel_id: channels.general, max_id: newest })).total_results).toBeGreaterThan(0);
    expect((await search({ channel_id: channels.general, min_id: newest })).total_results).toBe(0);
    expect(await refusal(search({ limit: "26" }))).toMatchObject({ status: 400, code: 50035 });
  });
});
