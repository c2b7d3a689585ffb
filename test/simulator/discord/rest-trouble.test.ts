import { expect, test } from "bun:test";
import { REST } from "@discordjs/rest";
import { startDiscordSimulator } from "../../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import { api, refusal, restClient } from "./harness.ts";
import { attachContract } from "./openapi-contract.ts";

const { channels, users, guildId } = DEMO;
const general = `/channels/${channels.general}/messages` as const;

test("the sixth message within five seconds is refused, and the client waits as it is told", async () => {
  let time = Date.UTC(2026, 5, 1);
  await using simulator = await startDiscordSimulator({ now: () => time });
  const contract = attachContract(simulator);
  const headers = { authorization: `Bot ${simulator.token}`, "content-type": "application/json" };
  const post = (channelId: string) =>
    fetch(`${simulator.apiUrl}/v10/channels/${channelId}/messages`, {
      method: "POST",
      headers,
      body: '{"content":"x"}',
    });
  const first = await post(channels.general);
  expect(first.headers.get("x-ratelimit-limit")).toBe("5");
  expect(first.headers.get("x-ratelimit-remaining")).toBe("4");
  expect(first.headers.get("x-ratelimit-reset-after")).toBe("5.000");
  expect(first.headers.get("x-ratelimit-bucket")).toMatch(/^[0-9a-f]{16}$/);
  for (let n = 0; n < 4; n += 1) await post(channels.general);
  const sixth = await post(channels.general);
  expect(sixth.status).toBe(429);
  expect(sixth.headers.get("retry-after")).toBe("5");
  expect(sixth.headers.get("x-ratelimit-scope")).toBe("user");
  expect(await sixth.json()).toEqual({
    message: "You are being rate limited.",
    code: 0,
    retry_after: 5,
    global: false,
  });
  expect((await post(channels.help)).status).toBe(200);
  time += 5000;
  expect((await post(channels.general)).status).toBe(200);
  expect(contract.violations).toEqual([]);
});

test("the real client is slowed down by short limits and loses nothing", async () => {
  const routes = { "POST /channels/:channelId/messages": { limit: 2, windowMs: 60 } };
  await using simulator = await startDiscordSimulator({
    rateLimits: { global: { limit: 5, windowMs: 80 }, routes },
  });
  const { channels: of } = api(simulator);
  const sent = await Promise.all(
    Array.from({ length: 8 }, (_, n) => of.createMessage(channels.general, { content: `${n}` })),
  );
  expect(new Set(sent.map((message) => message.id)).size).toBe(8);
});

test("all requests together meet the global limit", async () => {
  await using simulator = await startDiscordSimulator({ now: () => 1_800_000_000_000 });
  const headers = { authorization: `Bot ${simulator.token}` };
  const paths = Array.from({ length: 60 }, (_, n) =>
    n % 2 === 0 ? `/guilds/${guildId}/roles` : `/guilds/${guildId}/emojis`,
  );
  const statuses: number[] = [];
  for (const path of [...paths, "/users/@me"]) {
    const answer = await fetch(`${simulator.apiUrl}/v10${path}`, { headers });
    statuses.push(answer.status);
    if (path === "/users/@me") expect(answer.headers.get("x-ratelimit-scope")).toBe("global");
  }
  expect(statuses.at(-1)).toBe(429);
});

test("statuses can be planted, before or after the effect", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  const rest = restClient(simulator);
  const fault = simulator.faults.rest({ method: "POST", path: /messages$/, respond: 502 });
  await expect(rest.post(general, { body: { content: "lost" } })).rejects.toThrow();
  await simulator.waitForRequest((one) => one.status === 502);
  expect(fault.hits).toBe(1);
  simulator.faults.rest({ method: "POST", path: /messages$/, respond: 503, afterEffect: true });
  const done = simulator.waitForBotMessage();
  await expect(rest.post(general, { body: { content: "unknown" } })).rejects.toThrow();
  expect((await done).content).toBe("unknown");
  expect(simulator.world.messages.in(channels.general).map((message) => message.content)).not.toContain(
    "lost",
  );
});

test("a client with retries repeats after a planted 500 and 429", async () => {
  await using simulator = await startDiscordSimulator({ rateLimits: "off" });
  const { users: of } = api(simulator, { retries: 2 });
  simulator.faults.rest({ path: /^\/users\//, respond: 500 });
  simulator.faults.rest({ path: /^\/users\//, respond: 429, headers: { "retry-after": "0.01" } });
  expect((await of.get(users.ana)).id).toBe(users.ana);
  expect(simulator.requests.map((one) => one.status)).toEqual([500, 429, 200]);
});

test("a search index that is not ready", async () => {
  await using simulator = await startDiscordSimulator();
  simulator.faults.rest({ path: /search$/, respond: 202 });
  const answer = await restClient(simulator).get(`/guilds/${guildId}/messages/search`);
  expect(answer).toMatchObject({ code: 110000, documents_indexed: 0 });
});

for (const respond of ["reset", "half"] as const) {
  test(`a connection that is cut (${respond}) after the effect`, async () => {
    await using simulator = await startDiscordSimulator({ rateLimits: "off" });
    simulator.faults.rest({ method: "POST", respond, afterEffect: true });
    const rest = restClient(simulator);
    const failed = await rest.post(general, { body: { content: "cut" } }).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(Error);
    expect((await simulator.waitForBotMessage()).content).toBe("cut");
    expect((await rest.get(general)) as unknown[]).not.toHaveLength(0);
  });
}

test("a request that is never answered runs into the client's time-out", async () => {
  await using simulator = await startDiscordSimulator();
  simulator.faults.rest({ respond: "timeout" });
  const rest = new REST({ api: simulator.apiUrl, retries: 0, timeout: 30 }).setToken(simulator.token);
  await expect(rest.get("/users/@me")).rejects.toThrow();
  await simulator.waitForRequest((one) => one.status === 0);
});

test("a held request goes on when it is released", async () => {
  await using simulator = await startDiscordSimulator();
  const fault = simulator.faults.rest({ respond: "hold" });
  let isAnswered = false;
  const pending = api(simulator)
    .users.getCurrent()
    .then((user) => {
      isAnswered = true;
      return user;
    });
  await api(simulator).users.get(users.ana);
  expect(isAnswered).toBe(false);
  fault.release();
  expect((await pending).id).toBe(DEMO.botId);
});

test("a revoked token is refused from then on", async () => {
  await using simulator = await startDiscordSimulator();
  simulator.faults.revokeToken();
  expect(await refusal(restClient(simulator).get("/users/@me"))).toMatchObject({ status: 401 });
});

test("waiting in vain ends with an error that says what was awaited", async () => {
  await using simulator = await startDiscordSimulator();
  const since = simulator.mark();
  simulator.say({ userId: users.ana, channelId: channels.general, content: "one" });
  await simulator.waitForMessage((message) => message.content === "one", { since });
  const after = simulator.waitForMessage((message) => message.content === "one", {
    since: simulator.mark(),
    timeoutMs: 5,
  });
  await expect(after).rejects.toThrow("in vain for a message");
});

test("messages are emptied by REST too where the content intent is off", async () => {
  await using simulator = await startDiscordSimulator({ privilegedIntents: false });
  const contract = attachContract(simulator);
  const { channels: of, guilds } = api(simulator);
  const plain = simulator.say({ userId: users.ana, channelId: channels.general, content: "secret" });
  const toBot = simulator.say({
    userId: users.ana,
    channelId: channels.general,
    content: `<@${DEMO.botId}> open`,
  });
  expect((await of.getMessage(channels.general, plain.id)).content).toBe("");
  expect((await of.getMessage(channels.general, toBot.id)).content).toContain("open");
  expect(await refusal(guilds.getMembers(guildId))).toMatchObject({ code: 50001 });
  expect(contract.violations).toEqual([]);
});
