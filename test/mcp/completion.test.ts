import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";
import type { Service } from "../e2e/service.ts";
import { channels, guildId, mention, users } from "../e2e/surroundings.ts";
import { come, read, refusalOf, startHarbour } from "./harbour.ts";

setDefaultTimeout(30_000);

const { lighthouse } = DEMO;
let service: Service;
beforeAll(async () => {
  service = await startHarbour();
});
afterAll(async () => {
  expect(service.contract.violations).toEqual([]);
  await service[Symbol.asyncDispose]();
});

type Come = Parameters<typeof come>[1];
const templates = {
  guild_id: "discord://guilds/{guild_id}",
  channel_id: "discord://channels/{channel_id}/messages",
  user_id: "discord://users/{user_id}",
  conversation_id: "discord://me/conversations/{conversation_id}",
};

async function complete(
  ref: { type: "ref/resource"; uri: string } | { type: "ref/prompt"; name: string },
  argument: { name: string; value: string },
  options: Come = {},
  context: Record<string, string> = {},
) {
  await using client = await come(service, options);
  const { completion } = await client.complete({ ref, argument, context: { arguments: context } });
  return completion.values;
}

const ids = (name: keyof typeof templates, value: string, options?: Come, context?: Record<string, string>) =>
  complete({ type: "ref/resource", uri: templates[name] }, { name, value }, options, context);
const words = (prompt: string, name: string, value: string, options?: Come) =>
  complete({ type: "ref/prompt", name: prompt }, { name, value }, options);

describe("ids", () => {
  test("of servers are found by name, among those to which the person belongs", async () => {
    expect(await ids("guild_id", "harb")).toEqual([guildId]);
    expect(await ids("guild_id", guildId.slice(0, 8))).toEqual([guildId]);
    expect(await ids("guild_id", "light")).toEqual([]);
    expect((await ids("guild_id", "", { userId: users.ben })).toSorted()).toEqual(
      [guildId, lighthouse.guildId].toSorted(),
    );
    expect(await ids("guild_id", "", { userId: users.ben, guildIds: [guildId] })).toEqual([guildId]);
  });

  test("of channels are found by name, among those that the person sees", async () => {
    expect(await ids("channel_id", "#gen")).toEqual([channels.general]);
    expect(await ids("channel_id", "staff")).toEqual([]);
    expect(await ids("channel_id", "staff", { userId: users.moderator })).toEqual([channels.staff]);
    expect(await ids("channel_id", "gen", { query: "" })).toEqual([]);
    const chosen = { guild_id: lighthouse.guildId };
    expect(await ids("channel_id", "lamp", { userId: users.ben }, chosen)).toEqual([
      lighthouse.channels.lampRoom,
    ]);
    expect(await ids("channel_id", "lamp", {}, chosen)).toEqual([]);
  });

  test("of people are found by the beginning of their name", async () => {
    expect(await ids("user_id", "@mi")).toEqual([users.moderator]);
    expect(await ids("user_id", "nobody")).toEqual([]);
  });

  test("of conversations are the person's own", async () => {
    await service.ask(`${mention} hello`);
    await using client = await come(service);
    const { result } = await read(client, "discord://me/conversations");
    const own = result.conversations.map((one: { conversation_id: string }) => one.conversation_id);
    expect(own).toHaveLength(1);
    expect(await ids("conversation_id", "")).toEqual(own);
    expect(await ids("conversation_id", "zz")).toEqual([]);
    expect(await ids("conversation_id", "", { userId: users.moderator })).toEqual([]);
  });
});

describe("arguments of prompts", () => {
  test("are words that people read, and that tools take", async () => {
    expect(await words("catch_up", "channel", "gen")).toEqual(["#general"]);
    expect(await words("explain_permissions", "person", "mi")).toEqual(["@mika"]);
    expect(await words("catch_up", "since", "y")).toEqual(["yesterday"]);
    expect(await words("review_moderation", "hours", "")).toContain("24");
    expect(await words("draft_announcement", "about", "the")).toEqual([]);
  });

  test("are not suggested to those who have no tools", async () => {
    expect(await words("catch_up", "channel", "gen", { scopes: ["turns"] })).toEqual([]);
  });
});

test("what is no argument of ours is the request's mistake", async () => {
  expect(await refusalOf(words("nothing", "channel", ""))).toMatchObject({ code: -32602 });
  expect(await refusalOf(words("catch_up", "toString", ""))).toMatchObject({ code: -32602 });
  const other = { type: "ref/resource", uri: "discord://nothing/{id}" } as const;
  expect(await refusalOf(complete(other, { name: "id", value: "" }))).toMatchObject({ code: -32602 });
});
