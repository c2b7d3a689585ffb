import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { allTools } from "../../src/tools/all.ts";
import { boundValue, leastBytes } from "../../src/tools/bound.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { assertFits } from "./checked.ts";
import { bench, call, toolThat } from "./harness.ts";
import { DEMO, grant, startWorld, type ToolWorld } from "./world.ts";

setDefaultTimeout(60_000);

const { botId, channels, guildId, roles, users } = DEMO;

describe("what a tool says of its results", () => {
  test("holds for what each of them does", async () => {
    // At once: each of them waits for a bound on requests of its own.
    const called = new Set((await Promise.all(groups.map(callAll))).flat());
    expect([...called].toSorted()).toEqual(allTools.map(({ name }) => name).toSorted());
  });

  test("is an object, as clients want it, or one of several", () => {
    const types = allTools.map(({ output }) => {
      const schema = JSON.parse(JSON.stringify(output));
      return (schema.anyOf ?? [schema]).every(({ type }: { type: unknown }) => type === "object");
    });
    expect(types).not.toContain(false);
  });

  test("is given with the tool, the same each time", () => {
    const { registry } = bench(allTools);
    const [first] = registry.list();
    expect(first?.output).toEqual(JSON.parse(JSON.stringify(allTools[0]?.output)));
    expect(registry.list()[0]).toBe(first);
  });

  test("holds for what is cut, however little room there is", () => {
    const cut = allTools.filter((tool) => {
      const values = largest(JSON.parse(JSON.stringify(tool.output)));
      return values.map((value) => assertFitsCut(tool, value)).includes(true);
    });
    expect(cut.length).toBeGreaterThan(40);
  });
});

test("a result that is not as the tool says is caught", async () => {
  const tool = { ...toolThat(() => ({ member_id: "1" })), output: kicked() };
  await expect(call(bench([tool]).registry)).rejects.toThrow("A result of probe is not of its output");
  const more = { ...toolThat(() => ({ kicked: "1", more: 1 })), output: kicked() };
  await expect(call(bench([more]).registry)).rejects.toThrow('"additionalProperty":"more"');
});

function kicked() {
  const tool = allTools.find(({ name }) => name === "discord_member_kick");
  if (tool === undefined) throw new Error("There is no such tool.");
  return tool.output;
}

/** The arguments, or what makes them of the result before. */
type Input = object | ((last: unknown) => object);
type Calls = readonly (readonly [toolName: string, input: Input])[];

/** Of that result. */
const field =
  (name: string, more: object = {}) =>
  (last: unknown) => ({ [name]: String(Object(last)[name]), ...more });

const say = ({ simulator }: ToolWorld, content: string): string =>
  simulator.say({ userId: users.ben, channelId: channels.general, content }).id;
const ben = { user_id: users.ben };
const crew = { role_id: roles.crew };
const thread = { channel_id: channels.thread };
const forum = { channel_id: channels.forum };
const everyone = { channel_id: channels.general, role_id: guildId };

/** Every tool once at least, by the owner of the demo's server, each group in a world of its own. */
const groups: readonly ((world: ToolWorld) => Calls)[] = [
  () => [
    ["discord_channel_info", {}],
    ["discord_channels_list", {}],
    ["discord_channel_create", { name: "dock" }],
    ["discord_channel_edit", field("channel_id", { topic: "Ropes" })],
    ["discord_channel_move", field("channel_id", { category_id: channels.category })],
    ["discord_channel_sync", field("channel_id", { category_id: channels.category })],
    ["discord_channel_delete", field("channel_id")],
    ["discord_channel_overwrite_set", { ...everyone, deny: ["Attach Files"] }],
    ["discord_channel_overwrite_clear", everyone],
  ],
  () => [
    ["discord_user_lookup", ben],
    ["discord_user_message", { content: "Ahoy" }],
    ["discord_message_send", { content: "Ahoy" }],
    ["discord_message_edit", field("message_id", { content: "Ahoy all" })],
    ["discord_message_reply", field("message_id", { content: "Ahoy yourself" })],
    ["discord_message_delete", field("message_id")],
    ["discord_message_history", { limit: 100 }],
    ["discord_messages_search", { content: "tide" }],
  ],
  (world) => {
    const message = { message_id: say(world, "The tide is out.") };
    const reaction = { ...message, emoji: "👍" };
    return [
      ["discord_message_get", message],
      ["discord_file_send", { urls: ["https://files.example/tide.txt"], content: "Tides" }],
      ["discord_attachment_read", field("message_id")],
      ["discord_message_pin", message],
      ["discord_pins_list", {}],
      ["discord_message_unpin", message],
      ["discord_reaction_add", reaction],
      ["discord_reactions_list", message],
      ["discord_reactions_list", reaction],
      ["discord_reaction_remove", reaction],
      ["discord_messages_delete", { message_ids: [say(world, "one"), say(world, "two")] }],
    ];
  },
  () => [
    ["discord_memory_remember", { text: "They like tea." }],
    ["discord_memory_forget", field("memory_id")],
    ["discord_memory_recall", {}],
    ["discord_memory_clear", {}],
    ["discord_tools_find", { query: "time out a member" }],
    ["discord_server_stats", {}],
    ["discord_permissions_explain", { permission: "Send Messages", ...ben }],
    ["discord_permissions_audit", {}],
  ],
  () => [
    ["discord_threads_list", {}],
    ["discord_thread_create", { name: "Knots" }],
    ["discord_thread_lock", thread],
    ["discord_thread_unlock", thread],
    ["discord_thread_archive", thread],
    ["discord_thread_unarchive", thread],
    ["discord_thread_member_add", { ...thread, ...ben }],
    ["discord_thread_member_remove", { ...thread, ...ben }],
  ],
  () => [
    ["discord_forum_posts_list", forum],
    ["discord_forum_post_create", { ...forum, title: "Sails", content: "Which?", tags: ["boats"] }],
    ["discord_forum_post_read", (last) => ({ channel_id: Object(last).thread_id })],
    ["discord_member_kick", ben],
    ["discord_member_ban", ben],
    ["discord_bans_list", {}],
    ["discord_member_unban", ben],
    ["discord_audit_log", { limit: 100 }],
  ],
  () => [
    ["discord_members_search", {}],
    ["discord_member_info", { ...ben, with_permissions: true }],
    ["discord_member_nickname", { ...ben, nickname: "Benjamin" }],
    ["discord_member_timeout", { ...ben, minutes: 5 }],
    ["discord_member_timeout_end", ben],
    ["discord_role_give", { ...ben, ...crew }],
    ["discord_role_info", { ...crew, with_permissions: true }],
    ["discord_role_take", { ...ben, ...crew }],
  ],
  () => [
    ["discord_roles_list", {}],
    ["discord_role_create", { name: "Cooks", color: "#112233" }],
    ["discord_role_edit", field("role_id", { name: "Cook" })],
    ["discord_role_edit", field("role_id", { position: 2 })],
    ["discord_role_delete", field("role_id")],
  ],
];

/** What was called. A result that does not fit its tool's output is thrown as a fault. */
async function callAll(calls: (world: ToolWorld) => Calls): Promise<readonly string[]> {
  await using world = await startWorld({ tools: allTools });
  grant(world, botId, PermissionFlagsBits.Administrator);
  const called: string[] = [];
  let last: unknown = null;
  for (const [name, input] of calls(world)) {
    last = await world.done(name, typeof input === "function" ? input(last) : input, { turn: "t_1" });
    called.push(name);
  }
  return called;
}

/** Whether it had to be cut. */
function assertFitsCut(tool: Tool, value: Json): boolean {
  assertFits(tool, value);
  const bounded = boundValue(value, leastBytes);
  assertFits(tool, bounded.value);
  const said = bounded.isCut ? bounded.truncated : "";
  expect(Buffer.byteLength(bounded.json() + said)).toBeLessThanOrEqual(leastBytes);
  return bounded.isCut;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Values with every field that there can be, long texts and long lists; one for each way in which the whole can be. */
function largest(schema: Schema): readonly Json[] {
  return (schema.anyOf ?? [schema]).map((one) => exampleOf(one, ""));
}

function exampleOf(schema: Schema, name: string): Json {
  const [first] = schema.anyOf ?? [];
  if (first !== undefined) return exampleOf(first, name);
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, part]) => [key, exampleOf(part, key)]),
      );
    case "array":
      return Array.from({ length: 6 }, () => exampleOf(schema.items ?? {}, name));
    case "integer":
    case "number":
      return Number.MAX_SAFE_INTEGER;
    case "boolean":
      return false;
    case "null":
      return null;
    case "string":
      if (name.endsWith("_id")) return "9".repeat(20);
      if (schema.description?.endsWith("An ISO 8601 time.")) return "2026-05-01T18:30:00.123456+00:00";
      // Of the characters that take the most bytes.
      return "\u0001".repeat(2000);
    default:
      throw new Error(`${name} is of no type that is known: ${JSON.stringify(schema)}`);
  }
}
