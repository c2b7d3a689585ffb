import { describe, expect, test } from "bun:test";
import { membersTools } from "../../src/tools/members/all.ts";
import { messagesTools } from "../../src/tools/messages/all.ts";
import { rolesTools } from "../../src/tools/roles/all.ts";
import { toolsFind } from "../../src/tools/tools-find.ts";
import { ana, bench, call as callDirectly, ids, toolThat } from "./harness.ts";

/** As the model does, in a turn. */
const call: typeof callDirectly = (registry, part) => callDirectly(registry, { turnId: "t_1", ...part });

const all = [...messagesTools, ...membersTools, ...rolesTools, toolsFind];

async function find(query: string, part: Parameters<typeof call>[1] = {}, tools = all): Promise<unknown> {
  const { registry } = bench(tools);
  const outcome = await call(registry, { toolName: "discord_tools_find", input: { query }, ...part });
  expect(outcome.kind).toBe("done");
  expect(outcome.sources).toEqual([]);
  return outcome.value;
}

async function names(query: string, part: Parameters<typeof call>[1] = {}): Promise<readonly string[]> {
  const value = Object(await find(query, part));
  return value.tools.map(({ name }: { readonly name: string }) => name);
}

describe("what is found", () => {
  test.each([
    ["time out a member", "discord_member_timeout"],
    ["ban somebody", "discord_member_ban"],
    ["who is banned", "discord_bans_list"],
    ["give a role to a member", "discord_role_give"],
    ["change the colour of a role", "discord_role_edit"],
    ["pinned messages", "discord_pins_list"],
    ["delete many messages at once", "discord_messages_delete"],
    ["search old messages", "discord_messages_search"],
    ["change my nickname", "discord_member_nickname"],
    ["kick", "discord_member_kick"],
  ])("%s: among the first three is %s", async (query, wanted) => {
    expect((await names(query)).slice(0, 3)).toContain(wanted);
  });

  test("is at most eight, each with its name and what it does", async () => {
    const value = Object(await find("message member role"));
    expect(value.tools).toHaveLength(8);
    expect(Object.keys(value.tools[0])).toEqual(["name", "description"]);
  });

  test("is what arguments are called, too", async () => {
    expect(await names("minutes")).toContain("discord_member_timeout");
  });

  test("nothing: then the names of all are told", async () => {
    const value = await find("Wetterbericht");
    expect(value).toEqual({ tools: [], note: expect.stringContaining("discord_role_give") });
    expect(JSON.stringify(value)).not.toContain("discord_tools_find");
  });
});

test("only what the actor and the session may use is found", async () => {
  const direct = { ...ana, guildId: null };
  expect(await names("ban kick time out role", { actor: direct })).toEqual([]);
  expect(await names("role", { activeTools: ["discord_role_give"] })).toEqual(["discord_role_give"]);
  const { registry } = bench(all, { policy: { tools: ["roles:read"] } });
  const outcome = await call(registry, { toolName: "discord_tools_find", input: { query: "role" } });
  expect(
    Object(outcome.value)
      .tools.map(({ name }: { readonly name: string }) => name)
      .sort(),
  ).toEqual(["discord_role_info", "discord_roles_list"]);
});

test("it asks Discord nothing, and is in the audit log", async () => {
  const { registry, facts, audit } = bench(all);
  facts.failure = new Error("Discord is away");
  const outcome = await call(registry, { toolName: "discord_tools_find", input: { query: "role" } });
  expect(outcome.kind).toBe("done");
  expect(facts.asked).toEqual([]);
  expect(audit).toMatchObject([{ toolName: "discord_tools_find", verdict: "done", actorUserId: ids.ana }]);
});

test("it is offered to the model, and listed to nobody", () => {
  const guild = { guild: { kind: "guild", argument: null, absent: "error", needs: 0n } } as const;
  const other = toolThat(() => 1, { name: "other", targets: guild });
  const { registry } = bench([other, toolsFind], { policy: { tools: ["other"] } });
  expect(registry.list().map(({ name }) => name)).toEqual(["other"]);
  expect(registry.usable(ana, []).map(({ name }) => name)).toEqual(["other"]);
  expect(registry.definitions(ana, ["other"])).toMatchObject([
    { definition: { name: "other" } },
    { definition: { name: "discord_tools_find" }, isCore: false, isFinder: true },
  ]);
  expect(registry.definitions(ana, ["other"])[0]).not.toHaveProperty("isFinder");
});

test("who is given the list cannot call what does not stand in it", async () => {
  const { registry, audit } = bench(all);
  const request = { toolName: "discord_tools_find", input: { query: "role" } };
  const outcome = await callDirectly(registry, request);
  expect(outcome).toMatchObject({ kind: "refused", code: "unknown_tool" });
  expect(outcome.text).toContain("known are discord_message_history");
  expect(audit).toMatchObject([{ toolName: "discord_tools_find", verdict: "refused" }]);
});

test("a query has at most 200 characters", async () => {
  const { registry } = bench(all);
  const input = { query: "x".repeat(201) };
  const outcome = await call(registry, { toolName: "discord_tools_find", input });
  expect(outcome.code).toBe("invalid_arguments");
  expect(outcome.text).toContain("200");
});

test("finding a tool permits nothing", async () => {
  const { registry } = bench(all);
  await call(registry, { toolName: "discord_tools_find", input: { query: "kick" } });
  const outcome = await call(registry, { toolName: "discord_member_kick", input: { user_id: ids.bot } });
  expect(outcome).toMatchObject({ kind: "refused", code: "permission_denied" });
});
