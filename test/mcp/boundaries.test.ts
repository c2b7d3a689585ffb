import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Service } from "../e2e/service.ts";
import { channels, guildId, users } from "../e2e/surroundings.ts";
import { come, here, read, refusalOf, startHarbour, tokenFor } from "./harbour.ts";
import { answerOf, initialize, legacy, type Message, modern, post, socketWire } from "./raw.ts";

setDefaultTimeout(30_000);

/*
 * What a token must not come to although it speaks for the right person: by what was good for it before, by an id that
 * can be worked out, or by a part that looks harmless.
 */

let service: Service;
beforeAll(async () => {
  service = await startHarbour();
});
afterAll(async () => {
  expect(service.contract.violations).toEqual([]);
  await service[Symbol.asyncDispose]();
});

const place = { user_id: users.ana, channel_id: channels.general, guild_id: guildId };

async function json(path: string, data: object, bearer = service.operatorToken): Promise<Message> {
  const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
  const response = await fetch(`${service.url}${path}`, {
    ...{ method: "POST", headers },
    body: JSON.stringify(data),
  });
  return response.json();
}

/** A request of the JSON protocol, and its reply. */
async function say(type: string, data: object, metadata: object = {}): Promise<Message> {
  using wire = await socketWire(`${service.url}/mcp/ws`, { token: service.operatorToken });
  wire.send({ type, id: "1", data, metadata });
  return await wire.next(({ id }) => id === "1");
}

/** The direct messages of somebody with the bot. */
async function directChannel(userId: string): Promise<string> {
  const { apiUrl, token } = service.config.discord;
  const response = await fetch(`${apiUrl}/v10/users/@me/channels`, {
    method: "POST",
    headers: { authorization: `Bot ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ recipient_id: userId }),
  });
  const { id }: Message = await response.json();
  return id;
}

describe("a session's token", () => {
  test("of direct messages is told of no call that was made from a server", async () => {
    await using ana = await come(service);
    await ana.callTool({ name: "discord_channels_list", arguments: {} });
    const direct = { user_id: users.ana, channel_id: await directChannel(users.ana) };
    const { token } = await json("/mcp/initialize", direct);
    await using client = await come(service, { bearer: token, query: "" });
    await client.callTool({ name: "discord_user_lookup", arguments: {} });
    const { result } = await read(client, "discord://me/audit");
    expect(result.calls.map((call: Message) => [call.tool_name, call.guild_id])).toEqual([
      ["discord_user_lookup", null],
    ]);
  });

  test("loses what its session loses, while it is connected", async () => {
    const { token, session_id } = await json("/mcp/initialize", place);
    using socket = await socketWire(`${service.url}/mcp/ws`, { token, protocols: ["mcp"] });
    const opened = await post(service.url, initialize({ elicitation: {} }), { token });
    await opened.text();
    const headers = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    let ids = 0;
    const ask = {
      "over a WebSocket": async (method: string, params: object) => {
        const id = ++ids;
        socket.send(modern(id, method, params));
        return await socket.next((message) => message.id === id);
      },
      "in a session over HTTP": async (method: string, params: object) =>
        answerOf(await post(service.url, legacy(++ids, method, params), { token, headers })),
    };
    const history = { name: "discord_message_history", arguments: {} };
    for (const way of Object.values(ask)) {
      const { result } = await way("tools/call", history);
      expect(result.isError).toBeFalsy();
    }
    await say("context_update", { session_id, active_tools: ["discord_channels_list"] });
    for (const [name, way] of Object.entries(ask)) {
      const { result } = await way("tools/call", history);
      expect([name, result._meta["discord-mcp/error"]?.code]).toEqual([name, "tool_inactive"]);
      const listed = (await way("tools/list", {})).result.tools.map((tool: Message) => tool.name);
      expect([name, listed]).toEqual([name, ["discord_channels_list", "ask"]]);
    }
    const watched = {
      notifications: { resourceSubscriptions: [`discord://channels/${channels.help}/messages`] },
    };
    const { error } = await ask["over a WebSocket"]("subscriptions/listen", watched);
    expect(error.data.code).toBe("tool_inactive");
  });
});

test("the session of another's client cannot be taken before they come", async () => {
  const bearer = await tokenFor(service, {});
  const tokenId = /^dmcp_([^_]+)_/.exec(bearer)?.[1];
  const name = JSON.stringify([tokenId, users.ana, guildId, channels.general]);
  const session_id = `mcp.${new Bun.CryptoHasher("sha256").update(name).digest("base64url")}`;
  const bens = { ...place, user_id: users.ben, session_id };
  const refused = await json("/mcp/initialize", bens, await tokenFor(service, { userId: users.ben }));
  await using ana = await come(service, { bearer });
  const { result } = await read(ana, "discord://me/conversation");
  // Otherwise this test tries nothing.
  expect(result.session_id).toBe(session_id);
  expect(refused).toMatchObject({ data: { code: "invalid_data", path: "session_id" } });
});

test("ids of servers are not completed for a token without the scope tools", async () => {
  const completed = async (scopes: readonly ("tools" | "turns")[]) => {
    await using client = await come(service, { scopes, query: here });
    const ref = { type: "ref/resource" as const, uri: "discord://guilds/{guild_id}" };
    const { completion } = await client.complete({ ref, argument: { name: "guild_id", value: "" } });
    return completion.values;
  };
  expect(await completed(["tools"])).toEqual([guildId]);
  expect(await completed(["turns"])).toEqual([]);
});

test("who begins to watch is refused as a reader is, written down, and costs Discord no reading", async () => {
  await using ana = await come(service);
  using socket = await socketWire(`${service.url}/mcp/ws?${here}`, {
    token: await tokenFor(service, {}),
    protocols: ["mcp"],
  });
  const watch = async (id: number, channelId: string) => {
    const uri = `discord://channels/${channelId}/messages`;
    socket.send(modern(id, "subscriptions/listen", { notifications: { resourceSubscriptions: [uri] } }));
    return await socket.next(
      (message) => message.id === id || Object.values(message.params?._meta ?? {}).includes(id),
    );
  };
  const readings = () =>
    service.discord.requests.filter(({ method, path }) => method === "GET" && path.endsWith("/messages"))
      .length;
  const before = readings();
  expect(await watch(1, channels.help)).toMatchObject({
    method: "notifications/subscriptions/acknowledged",
  });
  const { error } = await watch(2, channels.staff);
  expect(error.message).toBe(`There is no channel with the id ${channels.staff} that can be seen from here.`);
  expect(readings()).toBe(before);
  const { result } = await read(ana, "discord://me/audit");
  expect(result.calls.slice(0, 2).map(({ tool_name, verdict }: Message) => [tool_name, verdict])).toEqual([
    ["discord_message_history", "refused"],
    ["discord_message_history", "done"],
  ]);
  await read(ana, `discord://channels/${channels.help}/messages`);
  expect(readings()).toBe(before + 1);
});

test.each(["MCP", "the JSON protocol"])(
  "an answer is not given again to who may not read its source now: %s",
  async (door) => {
    const bearer = await tokenFor(service, {});
    await using client = await come(service, { bearer });
    const message = `call \`discord_message_history\` with {"channel_id": "${channels.help}"}`;
    const { session_id } = await json("/mcp/initialize", place, bearer);
    const ask =
      door === "MCP"
        ? () =>
            client.callTool({
              name: "ask",
              arguments: { message },
              _meta: { "discord-mcp/idempotency_key": "k" },
            })
        : () => say("process", { session_id, message }, { idempotency_key: "k" });
    const uri = `discord://channels/${channels.help}/messages`;
    const first = JSON.stringify(await ask());
    expect(first).toContain("bowline");
    expect(JSON.stringify(await ask())).toContain("bowline");
    const hide = { id: users.ana, type: "member", deny: PermissionFlagsBits.ViewChannel } as const;
    service.discord.changes.channels.setOverwrite(channels.help, hide);
    try {
      while ((await refusalOf(client.readResource({ uri }))) === null);
      const again = JSON.stringify(await ask());
      expect(again).not.toContain("bowline");
      expect(again).toContain("is withheld");
      expect(again).toContain("permission_denied");
    } finally {
      service.discord.changes.channels.removeOverwrite(channels.help, users.ana);
      while ((await refusalOf(client.readResource({ uri }))) !== null);
    }
  },
);

test("the outcome of a change is not given again to who may not read its place now, and the change is not made again", async () => {
  await using own = await startHarbour({ TOOL_WRITES: "run" });
  await using client = await come(own);
  const send = () =>
    client.callTool({
      name: "discord_message_send",
      arguments: { channel_id: channels.help, content: "two half hitches" },
      _meta: { "discord-mcp/idempotency_key": "k" },
    });
  const sent = () =>
    own.discord.world.messages.in(channels.help).filter(({ content }) => content.includes("two half hitches"))
      .length;
  const first = await send();
  expect(first.isError ?? false).toBe(false);
  expect(await send()).toEqual(first);
  const hide = { id: users.ana, type: "member", deny: PermissionFlagsBits.ViewChannel } as const;
  own.discord.changes.channels.setOverwrite(channels.help, hide);
  const uri = `discord://channels/${channels.help}/messages`;
  while ((await refusalOf(client.readResource({ uri }))) === null);
  const again = await send();
  expect(again).toMatchObject({ isError: true });
  expect(JSON.stringify(again)).toContain("is withheld");
  expect(sent()).toBe(1);
});
