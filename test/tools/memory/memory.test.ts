import { expect, test } from "bun:test";
import type { Audience } from "../../../src/agent/ports.ts";
import { memoryTools } from "../../../src/tools/memory/all.ts";
import { type CallOptions, DEMO, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const open = () => startWorld({ tools: memoryTools });

/** A turn in a channel of the server, whose answer is posted there. */
const inChannel = (channelId: string, userId: string = users.moderator): CallOptions => ({
  as: userId,
  channel: channelId,
  turn: "t_1",
  audience: { kind: "channel", guildId, channelId },
});

/** A turn in a direct message with the bot. */
function inDirect(world: ToolWorld, userId: string = users.moderator): CallOptions {
  const channel = world.simulator.openDirectMessage(userId);
  const audience: Audience = { kind: "user", guildId: null, userId };
  return { as: userId, channel, guild: null, turn: "t_1", audience };
}

const remember = (world: ToolWorld, text: string, where: CallOptions) =>
  world.done("discord_memory_remember", { text }, where);
const recall = async (world: ToolWorld, where: CallOptions, input: object = {}) => {
  const value = (await world.done("discord_memory_recall", input, where)) as {
    note?: string;
    next_offset?: number;
    memories: { memory_id: string; text: string }[];
  };
  return { ...value, texts: value.memories.map(({ text }) => text) };
};

test("what is remembered is recalled in other channels, newest first, by its words", async () => {
  await using world = await open();
  await remember(world, "Mika likes green tea", inChannel(channels.general));
  await remember(world, "Mika's boat is called Teaspoon", inChannel(channels.general));
  const there = await recall(world, inChannel(channels.help));
  expect(there.texts).toEqual(["Mika's boat is called Teaspoon", "Mika likes green tea"]);
  expect(there).not.toHaveProperty("note");
  expect((await recall(world, inChannel(channels.help), { query: "GREEN mika" })).texts).toEqual([
    "Mika likes green tea",
  ]);
  expect((await recall(world, inChannel(channels.help), { query: "black tea" })).texts).toEqual([]);
});

test("it is the person's own", async () => {
  await using world = await open();
  await remember(world, "Mika likes green tea", inChannel(channels.general));
  expect((await recall(world, inChannel(channels.general, users.ana))).texts).toEqual([]);
  const [memory] = await world.memories.list(users.moderator);
  const outcome = await world.call(
    "discord_memory_forget",
    { memory_id: memory?.id },
    inChannel(channels.general, users.ana),
  );
  expect(outcome).toMatchObject({ kind: "failed", code: "not_found" });
  expect(await world.memories.list(users.moderator)).toHaveLength(1);
});

test("what was told where few read along is not recalled where more do", async () => {
  await using world = await open();
  await remember(world, "The regatta prize is a kettle", inChannel(channels.staff));
  await remember(world, "Mika is on leave in May", inDirect(world));
  await remember(world, "Mika likes green tea", inChannel(channels.general));
  const aloud = await recall(world, inChannel(channels.general));
  expect(aloud.texts).toEqual(["Mika likes green tea"]);
  expect(aloud.note).toStartWith("2 more are kept back");
  expect(aloud.note).toContain("direct message");
  // Not even by asking for its words.
  const guessed = await recall(world, inChannel(channels.general), { query: "kettle" });
  expect(guessed).toMatchObject({ texts: [], note: aloud.note });
  expect((await recall(world, inChannel(channels.staff))).texts).toEqual([
    "Mika likes green tea",
    "The regatta prize is a kettle",
  ]);
  const alone = await recall(world, inDirect(world));
  expect(alone.texts).toHaveLength(3);
  expect(alone).not.toHaveProperty("note");
});

test("what a turn has read before it counts, too", async () => {
  await using world = await open();
  await remember(world, "Keys are with Olive", {
    ...inChannel(channels.general),
    sources: [`channel:${channels.staff}`],
  });
  expect((await recall(world, inChannel(channels.general))).texts).toEqual([]);
  expect((await recall(world, inChannel(channels.staff))).texts).toEqual(["Keys are with Olive"]);
});

test("a program has the person alone as its audience, and what it tells is theirs alone", async () => {
  await using world = await open();
  const program: CallOptions = { as: users.moderator, channel: channels.general };
  await remember(world, "Mika's birthday is on Friday", program);
  await remember(world, "The regatta prize is a kettle", inChannel(channels.staff));
  expect((await recall(world, program)).texts).toHaveLength(2);
  expect((await recall(world, inChannel(channels.general))).texts).toEqual([]);
});

test("what the person cannot read any more is kept back from them", async () => {
  await using world = await open();
  await remember(world, "The regatta prize is a kettle", inChannel(channels.staff));
  world.simulator.changes.members.update(guildId, users.moderator, { roleIds: [] });
  const alone = await recall(world, inDirect(world));
  expect(alone.texts).toEqual([]);
  expect(alone.note).toContain("cannot be read by the person any more");
});

test("the result names what it rests on", async () => {
  await using world = await open();
  await remember(world, "The regatta prize is a kettle", inChannel(channels.staff));
  const { sources } = await world.call("discord_memory_recall", {}, inChannel(channels.staff));
  expect(sources).toEqual([`channel:${channels.staff}`]);
});

test("it comes in pages", async () => {
  await using world = await open();
  const here = inChannel(channels.general);
  for (const text of ["one", "two", "three"]) await remember(world, text, here);
  expect(await recall(world, here, { limit: 2 })).toMatchObject({ texts: ["three", "two"], next_offset: 2 });
  const last = await recall(world, here, { limit: 2, offset: 2 });
  expect(last.texts).toEqual(["one"]);
  expect(last).not.toHaveProperty("next_offset");
});

test("one thing is forgotten without being asked, everything only with a yes", async () => {
  await using world = await open();
  const here = { ...inChannel(channels.general), approve: false };
  for (const text of ["one", "two", "three"]) await remember(world, text, here);
  const [three] = (await recall(world, here)).memories;
  expect(await world.done("discord_memory_forget", { memory_id: three?.memory_id }, here)).toEqual({
    forgotten: 1,
  });
  expect((await recall(world, here)).texts).toEqual(["two", "one"]);
  expect(await world.question("discord_memory_clear", {}, here)).toBe(
    "Forget everything that I remember for you?",
  );
  expect((await recall(world, here)).texts).toEqual(["two", "one"]);
  expect(await world.done("discord_memory_clear", {}, inChannel(channels.general))).toEqual({ forgotten: 2 });
  expect((await recall(world, here)).texts).toEqual([]);
});

test("a text has an end, and there is room for so many", async () => {
  await using world = await open();
  const here = inChannel(channels.general);
  await world.refused("discord_memory_remember", { text: "x".repeat(1001) }, here, "text");
  await world.refused("discord_memory_remember", { text: "  " }, here, "text");
  for (let n = 0; n < 500; n++) await world.memories.add(users.moderator, `${n}`, []);
  expect(await world.call("discord_memory_remember", { text: "one more" }, here)).toMatchObject({
    kind: "failed",
    code: "invalid_arguments",
  });
});
