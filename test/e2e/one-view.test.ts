import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { resolve } from "node:path";
import {
  Client as McpClient,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { askService } from "../../src/control/control.ts";
import { toolUse } from "../../src/simulator/claude/reply.ts";
import { DEMO, twoServers } from "../../src/simulator/discord/world-seed.ts";
import { SocketTransport } from "../mcp/clients.ts";
import { Client } from "./client.ts";
import { Service } from "./service.ts";
import { channels, guildId, mention, results, users } from "./surroundings.ts";

setDefaultTimeout(30_000);

/*
 * A token that is bound to an ordinary member sees the server as that member does, and no more, by whichever door.
 */

const secret = "Keys to the boathouse are with Olive.";
const wish = "Mika hides a barnacle under the stairs.";
const missing = "100000000000099999";

let service: Service;
const opened = new AsyncDisposableStack();
const tokens = { ana: "", mika: "" };
beforeAll(async () => {
  service = opened.use(await Service.start({ discord: { seed: twoServers() }, env: { TOOLS: "all" } }));
  tokens.ana = await tokenOf(users.ana);
  tokens.mika = await tokenOf(users.moderator);
});
afterAll(async () => {
  expect(service.contract.violations).toEqual([]);
  await opened.disposeAsync();
});

async function tokenOf(user_id: string): Promise<string> {
  const made = { name: "test", user_id, scopes: null, guild_ids: null, expires_at: null };
  const answer = await askService(service.config.dataDir, "token_create", made);
  const token = /dmcp_[\w-]+/.exec(JSON.stringify(answer?.result))?.[0];
  if (token === undefined) throw new Error("There is no token.");
  return token;
}

interface Answer {
  readonly isError: boolean;
  readonly text: string;
}

/** Calls a tool as one person in #general. */
type Door = (tool: string, input: object) => Promise<Answer>;
type Who = keyof typeof tokens;
const idOf = { ana: users.ana, mika: users.moderator } as const;

/** What the model reads of the tool that it is made to call, when somebody has said something. */
async function byModel(tool: string, input: object, say: () => Promise<unknown>): Promise<Answer> {
  service.claude.script([toolUse(tool, input)], "I see.");
  await say();
  const [result] = results(service.asked.at(-1));
  return { isError: result?.is_error ?? false, text: result?.content ?? "" };
}

const place = (who: Who) => ({ user_id: idOf[who], guild_id: guildId, channel_id: channels.general });

async function open(who: Who): Promise<{ readonly client: Client; readonly session_id: unknown }> {
  const client = opened.use(await Client.open(service.url, tokens[who]));
  const { data } = await client.request("initialize", place(who));
  return { client, session_id: data.session_id };
}

const here = `guild_id=${guildId}&channel_id=${channels.general}`;
const main = resolve(import.meta.dir, "../../src/main.ts");

async function mcpClient(transport: Transport): Promise<McpClient> {
  const client = new McpClient({ name: "test", version: "1" });
  await client.connect(transport);
  opened.defer(() => client.close());
  return client;
}

const overHttp = (who: Who) =>
  mcpClient(
    new StreamableHTTPClientTransport(new URL(`${service.url}/mcp?${here}`), {
      requestInit: { headers: { authorization: `Bearer ${tokens[who]}` } },
    }),
  );

async function mcpDoor(client: McpClient): Promise<Door> {
  return async (name, input) => {
    const { isError = false, content } = await client.callTool({ name, arguments: { ...input } });
    const [first] = content;
    return { isError, text: first?.type === "text" ? first.text : "" };
  };
}

const doors: Readonly<Record<string, (who: Who) => Promise<Door>>> = {
  chat: async (who) => (tool, input) =>
    byModel(tool, input, () => service.ask(`${mention} do it`, { userId: idOf[who] })),
  "the agent, over HTTP": async (who) => {
    const { session_id } = await open(who);
    return (tool, input) =>
      byModel(tool, input, async () => {
        const headers = { authorization: `Bearer ${tokens[who]}`, "content-type": "application/json" };
        const body = JSON.stringify({ session_id, message: "Do it." });
        const response = await fetch(`${service.url}/mcp/process`, { method: "POST", headers, body });
        expect(response.status).toBe(200);
      });
  },
  "the JSON protocol": async (who) => {
    const { client, session_id } = await open(who);
    return async (tool_name, input) => {
      const {
        type,
        data,
        error = "",
      } = await client.request("tool_call", {
        ...{ session_id, tool_name, arguments: input },
      });
      return type === "error"
        ? { isError: true, text: error }
        : { isError: false, text: JSON.stringify(data.result) };
    };
  },
  "the Model Context Protocol, over HTTP": async (who) => mcpDoor(await overHttp(who)),
  "the Model Context Protocol, over a WebSocket": async (who) => {
    const url = `${service.url.replace("http", "ws")}/mcp/ws?${here}`;
    const headers = { authorization: `Bearer ${tokens[who]}` };
    return mcpDoor(await mcpClient(new SocketTransport(url, { headers, protocols: ["mcp"] })));
  },
  "the Model Context Protocol, over standard input and output": async (who) => {
    const args = [main, "mcp", "--guild", guildId, "--channel", channels.general];
    const env = {
      PATH: process.env.PATH ?? "",
      DATABASE_URL: service.config.database.path,
      DISCORD_MCP_TOKEN: tokens[who],
    };
    return mcpDoor(
      await mcpClient(new StdioClientTransport({ command: process.execPath, args, env, stderr: "ignore" })),
    );
  },
};

/** Ids and marks apart, which differ. */
const plain = ({ isError, text }: Answer) => ({ isError, text: text.replaceAll(/\d{15,20}/g, "ID") });

describe.each(Object.entries(doors))("by %s", (_name, enter) => {
  test("a moderator sees what moderators see", async () => {
    const mika = await enter("mika");
    expect((await mika("discord_channels_list", {})).text).toContain(channels.staff);
    expect((await mika("discord_message_history", { channel_id: channels.staff })).text).toContain(secret);
    expect((await mika("discord_audit_log", {})).isError).toBe(false);
    await mika("discord_memory_remember", { text: wish });
    expect((await mika("discord_memory_recall", {})).text).toContain(wish);
  });

  test("a member sees what members see, and no more", async () => {
    const ana = await enter("ana");
    const list = await ana("discord_channels_list", {});
    expect(list.text).toContain(channels.general);
    expect(list.text).not.toContain(channels.staff);

    const history = (channel_id: string) => ana("discord_message_history", { channel_id });
    expect((await history(channels.general)).isError).toBe(false);
    const none = plain(await history(missing));
    expect(none).toEqual({
      isError: true,
      text: expect.stringContaining("There is no channel with the id ID"),
    });
    const { keepers, lampRoom } = DEMO.lighthouse.channels;
    for (const hidden of [channels.staff, keepers, lampRoom])
      expect(plain(await history(hidden))).toEqual(none);
    expect((await ana("discord_messages_search", { query: "boathouse" })).text).not.toContain("Olive");

    const refused = async (tool: string, input: object) => {
      const { isError, text } = await ana(tool, input);
      return isError ? text : `not refused: ${text}`;
    };
    expect(await refused("discord_audit_log", {})).toContain("cannot View Audit Log in Harbour");
    expect(await refused("discord_bans_list", {})).toContain("cannot Ban Members in Harbour");
    const ofMika = { user_id: users.moderator, with_permissions: true };
    expect(await refused("discord_member_info", ofMika)).toContain("cannot Manage Roles in Harbour");
    expect((await ana("discord_memory_recall", {})).text).not.toContain("barnacle");
  });
});

test("a member's token opens nothing of somebody else's", async () => {
  const theirs = await open("mika");
  const ana = opened.use(await Client.open(service.url, tokens.ana));
  const forbidden = { type: "error", data: { code: "forbidden" } };
  expect(await ana.request("initialize", place("mika"))).toMatchObject(forbidden);
  const { session_id } = theirs;
  for (const [type, data] of [
    ["tool_call", { tool_name: "discord_channels_list" }],
    ["process", { message: "What did Mika say?" }],
    ["context_update", {}],
    ["cancel", {}],
  ] as const)
    expect(await ana.request(type, { session_id, ...data })).toMatchObject(forbidden);
});

test("and reads no address of somebody else's", async () => {
  const read = async (client: McpClient, uri: string): Promise<string> => {
    try {
      const { contents } = await client.readResource({ uri });
      return JSON.stringify(contents);
    } catch (error) {
      return `refused: ${error instanceof Error ? error.message.replaceAll(/\d{15,20}/g, "ID") : ""}`;
    }
  };
  const [ana, mika] = [await overHttp("ana"), await overHttp("mika")];
  const messages = (id: string) => `discord://channels/${id}/messages`;
  expect(await read(mika, messages(channels.staff))).toContain(secret);
  const none = await read(ana, messages(missing));
  expect(none).toStartWith("refused: ");
  expect(await read(ana, messages(channels.staff))).toBe(none);
  expect(await read(ana, messages(channels.general))).not.toStartWith("refused");
  expect(await read(ana, `discord://guilds/${DEMO.lighthouse.guildId}`)).toBe(
    await read(ana, `discord://guilds/${missing}`),
  );
  const listed = await read(ana, `discord://guilds/${guildId}/channels`);
  expect(listed).toContain(channels.general);
  expect(listed).not.toContain(channels.staff);

  const ref = { type: "ref/resource" as const, uri: "discord://channels/{channel_id}/messages" };
  const complete = async (client: McpClient, value: string) =>
    (await client.complete({ ref, argument: { name: "channel_id", value } })).completion.values;
  expect(await complete(mika, "staff")).toEqual([channels.staff]);
  expect(await complete(ana, "staff")).toEqual([]);
  expect(await complete(ana, "general")).toEqual([channels.general]);

  // Ana was refused it.
  const done = JSON.stringify('"tool_name":"discord_bans_list","verdict":"done"').slice(1, -1);
  await mika.callTool({ name: "discord_bans_list", arguments: {} });
  service.claude.script("The tide turns at six.");
  await mika.callTool({ name: "ask", arguments: { message: "What of the tide?" } });
  // Rows of what only reads are written a moment later.
  while (!(await read(mika, "discord://me/audit")).includes(done)) await new Promise(setImmediate);
  expect(await read(ana, "discord://me/audit")).not.toContain(done);
  const ofMika = await read(mika, "discord://me/conversations");
  const [, conversation = "none"] = /conversations\/([0-9a-f-]{36})/.exec(ofMika) ?? [];
  expect(await read(mika, `discord://me/conversations/${conversation}`)).toContain("The tide turns at six.");
  expect(await read(ana, `discord://me/conversations/${conversation}`)).toStartWith("refused");
  expect(await read(ana, "discord://me/conversations")).not.toContain(conversation);
  expect(await read(ana, "discord://me/conversation")).not.toContain("tide");
});
