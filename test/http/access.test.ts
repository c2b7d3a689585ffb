import { afterAll, beforeAll, expect, test } from "bun:test";
import { ids } from "../tools/harness.ts";
import { ana, bodyOf, connect, initialized } from "./client.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

test("a token that is limited to one server does not come to another's conversation by a wrong guild_id", async () => {
  const session_id = await initialized(await connect(world));
  await world.post("/mcp/process", { session_id, message: "between us" });
  const allowed = "444444444444444444";
  const { secret } = await world.token({ userId: ana.user_id, guildIds: [allowed] });
  const authorization = `Bearer ${secret}`;

  const honest = await world.post("/mcp/initialize", ana, { authorization });
  expect(honest.status).toBe(403);
  const lying = await bodyOf(
    await world.post("/mcp/initialize", { ...ana, guild_id: allowed }, { authorization }),
  );
  expect(lying.context.conversation_history).toEqual([]);
  await world.post("/mcp/process", { session_id: lying.session_id, message: "and now?" }, { authorization });
  expect(JSON.stringify(world.claude.requests.at(-1)?.body)).not.toContain("between us");
});

test("a key of idempotency gives nobody the answers of a session whose id was theirs before", async () => {
  const month = 31 * 24 * 60 * 60 * 1000;
  const ben = { ...ana, user_id: "555555555555555555" };
  const metadata = { idempotency_key: "1" };
  const ask = async (who: typeof ana, answer: string) => {
    world.script.answer = () => answer;
    const client = await connect(world);
    const session_id = await initialized(client, { ...who, session_id: "main" });
    const called = await client.request(
      "tool_call",
      { session_id, tool_name: "echo", arguments: {} },
      { metadata },
    );
    const answered = await client.request("process", { session_id, message: "well?" }, { metadata });
    await client.close();
    return { called: called.type, response: answered.data.response };
  };
  expect(await ask(ana, "for Ana alone")).toEqual({ called: "tool_result", response: "for Ana alone" });
  world.clock.offset += month;
  await world.sessions.expire();
  const before = world.tools.calls;
  expect(await ask(ben, "for Ben")).toEqual({ called: "tool_result", response: "for Ben" });
  expect(world.tools.calls).toBe(before + 1);
});

test("a socket that only listens is closed when its token is revoked, and no other", async () => {
  const { secret, tokenId } = await world.token({ userId: ana.user_id });
  const listener = await connect(world, { token: secret });
  await initialized(listener, { session_id: "overheard" });
  const browser = await connect(world, {
    token: null,
    path: `/mcp/ws?ticket=${(await bodyOf(await world.post("/mcp/tickets", {}, { authorization: `Bearer ${secret}` }))).ticket}`,
  });
  const other = await connect(world);
  await world.http.closeInvalid();
  expect((await listener.request("cancel", { session_id: "overheard" })).type).toBe("response");

  await world.revoke(tokenId);
  await world.http.closeInvalid();
  for (const { closed } of [listener, browser]) expect(await closed).toMatchObject({ code: 1008 });
  expect((await other.request("cancel", { session_id: "overheard" })).type).toBe("response");
});

test("the bot's own sessions are for tokens that may act as the bot, whatever is asked of them", async () => {
  const bot = { user_id: ids.bot, channel_id: ids.general, guild_id: ids.guild };
  expect((await world.post("/mcp/initialize", bot)).status).toBe(403);
  const { secret } = await world.token({ scopes: ["sessions", "tools", "act:bot"] });
  const trusted = await connect(world, { token: secret });
  const session_id = await initialized(trusted, bot);
  expect(world.reach.asked.at(-1)).toEqual({
    kind: "bot",
    userId: ids.bot,
    channelId: ids.general,
    guildId: ids.guild,
  });
  expect((await trusted.request("tool_call", { session_id, tool_name: "echo" })).type).toBe("tool_result");
  const { data } = await trusted.request("tool_call", { session_id, tool_name: "close" });
  expect(data.code).toBe("approval_required");

  const operator = await connect(world);
  for (const [type, more] of [
    ["approve", { approval_id: data.approval_id, approved: true }],
    ["context_update", {}],
    ["cancel", {}],
    ["process", { message: "hello" }],
    ["tool_call", { tool_name: "echo" }],
  ] as const)
    expect((await operator.request(type, { session_id, ...more })).data).toMatchObject({
      code: "forbidden",
      scope: "act:bot",
    });
  expect((await world.get(`/mcp/tools?session_id=${session_id}`)).status).toBe(403);
  await expect(connect(world, { path: `/mcp/ws/${session_id}` })).rejects.toThrow();
});

test("a token that is good for metrics alone does not listen to a session", async () => {
  const session_id = await initialized(await connect(world));
  const { secret: token } = await world.token({ scopes: ["metrics"] });
  const path = `/mcp/ws/${session_id}`;
  await expect(connect(world, { path, token })).rejects.toThrow();
  const { secret } = await world.token({ scopes: ["tools"] });
  await (await connect(world, { path, token: secret })).close();
});
