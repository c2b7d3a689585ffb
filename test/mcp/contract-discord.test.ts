import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startWorld, type World } from "../http/world.ts";
import { bench, ids, toolThat } from "../tools/harness.ts";
import { botId, channels, guildId, missingChannel, otherGuildId, users } from "../tools/matrix/scene.ts";
import { type MatrixWorld, startMatrixWorld } from "../tools/matrix/world.ts";
import {
  connect,
  createPool,
  type Kind,
  kinds,
  openControl,
  type Pool,
  type TestClient,
  ways,
} from "./clients.ts";
import { doorCases, isChange } from "./doors-cases.ts";
import { startDoors } from "./doors-world.ts";

setDefaultTimeout(20_000);

/*
 * The contract before the product's own tools: what they list, give and leave out, by every way in.
 */

const opened = new AsyncDisposableStack();
let matrix: MatrixWorld;
let world: World;
let pool: Pool;
beforeAll(async () => {
  matrix = opened.use(await startMatrixWorld({ isTrusted: true, hearsMembers: true }));
  world = opened.use(await startDoors(() => matrix));
  opened.use(openControl(world));
  pool = opened.use(createPool(world, users.newcomer));
});
afterAll(() => opened.disposeAsync());

const query = `guild_id=${guildId}&channel_id=${channels.talk}`;
const everyWay = ways.flatMap((way) => kinds.map((kind) => [way, kind] as const));

describe.each(everyWay)("%s, %s", (way, kind) => {
  const open = (): Promise<TestClient> => pool.of(way, kind, { query });

  test("lists every tool with all that a client needs of it", async () => {
    const { raw } = await open();
    const { tools } = await raw.listTools();
    const registered = matrix.registry.list();
    expect(tools.map(({ name }: { name: string }) => name)).toEqual([
      ...registered.map(({ name }) => name),
      "ask",
    ]);
    for (const [at, { kind: does, repeatable, title, description, parameters }] of registered.entries()) {
      expect(tools[at]).toMatchObject({
        ...{ title, description },
        inputSchema: { ...Object(parameters), type: "object" },
        outputSchema: { type: "object", required: ["note", "result"] },
        annotations: {
          ...{ title, readOnlyHint: does === "read", idempotentHint: repeatable, openWorldHint: true },
          destructiveHint: does === "destroy",
        },
      });
      expect(description.length).toBeGreaterThan(20);
    }
  });

  test("reads what a person may by its address, and what is hidden is as what is not there", async () => {
    const { raw } = await open();
    const read = async (uri: string) => JSON.parse((await raw.readResource({ uri })).contents[0].text);
    const { note, result } = await read(`discord://guilds/${guildId}`);
    expect(note).toContain("never an instruction");
    expect(result).toBeObject();
    const listed = JSON.stringify(await read(`discord://guilds/${guildId}/channels`));
    expect(listed).toContain(channels.general);
    expect(listed).not.toContain(channels.staff);
    expect((await read(`discord://channels/${channels.general}/messages`)).result.messages).not.toBeEmpty();
    expect(JSON.stringify(await read(`discord://users/${users.moderator}`))).toContain(users.moderator);

    const refusal = async (uri: string): Promise<string> => {
      const error = await raw.readResource({ uri }).catch((one: unknown) => one);
      expect(error.code).toBeOneOf([-32602, -32002]);
      return String(error.message).replaceAll(/\d{15,20}/g, "ID");
    };
    const none = await refusal(`discord://channels/${missingChannel}/messages`);
    expect(await refusal(`discord://channels/${channels.staff}/messages`)).toBe(none);
    expect(await refusal(`discord://guilds/${otherGuildId}`)).toBe(
      await refusal(`discord://guilds/${missingChannel}`),
    );
  });

  test("completes what the person can see", async () => {
    const { raw } = await open();
    const complete = async (uri: string, name: string, value: string) => {
      const asked = { ref: { type: "ref/resource", uri }, argument: { name, value } };
      return (await raw.complete(asked)).completion.values;
    };
    const messages = "discord://channels/{channel_id}/messages";
    expect(await complete(messages, "channel_id", "#general")).toContain(channels.general);
    expect(await complete(messages, "channel_id", "staff")).toEqual([]);
    expect(await complete("discord://users/{user_id}", "user_id", "@moderator")).toContain(users.moderator);
    await expect(complete("discord://nothing/{id}", "id", "x")).rejects.toMatchObject({ code: -32602 });
  });

  test("makes prompts of what is given, and says what is missing", async () => {
    const { raw } = await open();
    const { prompts } = await raw.listPrompts();
    expect(prompts.map(({ name }: { name: string }) => name)).toEqual([
      "catch_up",
      "draft_announcement",
      "review_moderation",
      "explain_permissions",
    ]);
    for (const { name, arguments: all = [] } of prompts) {
      const needed = all.filter((one: { required?: boolean }) => one.required);
      const given = Object.fromEntries(needed.map((one: { name: string }) => [one.name, "general"]));
      const { messages } = await raw.getPrompt({ name, arguments: given });
      expect(JSON.stringify(messages)).toContain(needed.length > 0 ? "general" : "audit log");
      for (const { name: path } of needed) {
        const { [path]: _, ...rest } = given;
        const failed = await raw.getPrompt({ name, arguments: rest }).catch((error: unknown) => error);
        expect(failed).toMatchObject({ code: -32602, data: { path } });
      }
    }
  });
});

test.each(kinds)("what tools give is of the schema that they list: %s", async (kind) => {
  const names = matrix.registry.list().map(({ name }) => name);
  const clients = new Map<string, TestClient>();
  const used = new Set<string>();
  for (const { tool, input, actor, ...one } of doorCases(matrix.discord, names)) {
    if (one.kind !== "allowed" || isChange({ tool })) continue;
    const place = `guild_id=${guildId}&channel_id=${actor.channelId}`;
    const key = `${actor.userId} ${place}`;
    const { secret } = await world.token({ userId: actor.userId });
    const client =
      clients.get(key) ??
      opened.use(await connect(world, "WebSocket", kind, { token: secret, query: place }));
    // From then on the client holds results against the schemas, and throws.
    if (!clients.has(key)) await client.raw.listTools();
    clients.set(key, client);
    expect(await client.call(tool, input)).toMatchObject({ structured: { note: expect.any(String) } });
    used.add(tool);
  }
  expect([...used]).toEqual(
    matrix.registry.list().flatMap(({ name, kind: does }) => (does === "read" ? [name] : [])),
  );
});

/** The newer client puts the pages together by itself, when it is asked for a list. */
const onePage = ({ raw }: TestClient, kind: Kind, params: { readonly cursor?: string }) =>
  kind === "the older client" ? raw.listTools(params) : raw.request({ method: "tools/list", params });

test.each(kinds)("a list that is longer than a page goes on where it ended: %s", async (kind) => {
  const probes = Array.from({ length: 250 }, (_, at) => toolThat(() => null, { name: `probe_${at}` }));
  const { registry } = bench(probes);
  await using many = await startWorld({
    discord: { registry, flow: matrix.flow, botUserId: botId, assertReachable: async () => {} },
  });
  const { secret } = await many.token({ userId: ids.ana });
  await using client = await connect(many, "HTTP", kind, { token: secret });
  const pages: string[][] = [];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const params = cursor === undefined ? {} : { cursor };
    const page = await onePage(client, kind, params);
    pages.push(page.tools.map(({ name }: { name: string }) => name));
    cursor = page.nextCursor;
  }
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 51]);
  expect(pages.flat()).toEqual([...probes.map(({ name }) => name), "ask"]);
});
