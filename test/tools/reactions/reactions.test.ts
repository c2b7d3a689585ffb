import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { reactionsTools } from "../../../src/tools/reactions/all.ts";
import { DEMO, grant, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId, emojiId } = DEMO;
const { AddReactions, ReadMessageHistory, UseExternalEmojis } = PermissionFlagsBits;
const add = "discord_reaction_add";
const remove = "discord_reaction_remove";
const list = "discord_reactions_list";

const start = (more = {}) => startWorld({ tools: reactionsTools, ...more });
const tea = (world: ToolWorld): string =>
  world.simulator.say({ userId: users.ben, channelId: channels.general, content: "Tea?" }).id;
const reactions = (world: ToolWorld, id: string) => world.simulator.world.messages.get(id)?.reactions ?? [];

function forbid({ simulator }: ToolWorld, userId: string, deny: bigint): void {
  simulator.changes.channels.setOverwrite(channels.general, { id: userId, type: "member", deny });
}

describe("reacting", () => {
  test("with an emoji of Unicode, and with one of the server in each way of writing it", async () => {
    await using world = await start();
    const message_id = tea(world);
    const as = users.ana;
    expect(await world.done(add, { message_id, emoji: "👍" }, { as })).toMatchObject({ emoji: "👍" });
    await world.done(add, { message_id, emoji: `<:anchor_up:${emojiId}>` }, { as });
    await world.done(add, { message_id, emoji: `anchor_up:${emojiId}` }, { as });
    expect(reactions(world, message_id).map(({ emoji, count, me }) => [emoji.name, count, me])).toEqual([
      ["👍", 1, true],
      ["anchor_up", 1, true],
    ]);
  });

  test("asks nothing where the person speaks, and elsewhere in plain words", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    const message_id = tea(world);
    const input = { channel_id: channels.general, message_id, emoji: "👍" };
    expect((await world.call(add, input, { as: users.ana, approve: false })).kind).toBe("done");
    expect(await world.question(add, input, { as: users.ana, channel: channels.help })).toBe(
      "React with 👍 to the message of @Ben in #general: “Tea?”?",
    );
  });

  test("takes Add Reactions only while nobody has reacted so", async () => {
    await using world = await start();
    const message_id = tea(world);
    const input = { message_id, emoji: "❤️" };
    const as = users.ana;
    forbid(world, users.ana, AddReactions);
    await world.refused(add, input, { as }, "@Ana cannot Add Reactions in #general");
    world.simulator.people.react(users.ben, message_id, "❤️");
    await world.done(add, input, { as });
    forbid(world, DEMO.botId, AddReactions);
    await world.refused(add, { message_id, emoji: "🎉" }, { as: users.ben }, "The bot cannot Add Reactions");
    forbid(world, users.ana, ReadMessageHistory);
    await world.refused(add, input, { as }, "@Ana cannot Read Message History in #general");
  });

  test("is not for who is timed out, even where it takes no permission", async () => {
    await using world = await start();
    const message_id = tea(world);
    world.simulator.people.react(users.ben, message_id, "👍");
    world.simulator.changes.members.timeout(guildId, users.ana, Date.now() + 60_000);
    await world.refused(add, { message_id, emoji: "👍" }, { as: users.ana }, "@Ana is timed out");
  });

  test("with another server's emoji takes Use External Emojis, unless somebody has reacted with it", async () => {
    await using world = await start();
    const message_id = tea(world);
    const input = { message_id, emoji: "far:300000000000000009" };
    const as = users.ana;
    await world.refused(add, input, { as }, "@Ana cannot Use External Emojis in #general");
    grant(world, users.ana, UseExternalEmojis);
    await world.refused(add, input, { as }, "The bot cannot Use External Emojis in #general");
    world.simulator.people.react(users.ben, message_id, input.emoji);
    await world.done(add, input, { as: users.ben });
  });

  test("with what is no emoji is refused", async () => {
    await using world = await start();
    const message_id = tea(world);
    for (const emoji of ["thumbs up", ":+1:", "a👍", "<:x:12>", "7"])
      await world.refused(add, { message_id, emoji }, { as: users.ana }, "is no emoji");
    for (const emoji of ["7️⃣", "🇳🇴", "👩‍🚀", "👍🏽"])
      await world.done(add, { message_id, emoji }, { as: users.ana });
  });
});

describe("taking the bot's reaction back", () => {
  test("is for moderators, since to anybody else it is another's", async () => {
    await using world = await start();
    const message_id = tea(world);
    const input = { message_id, emoji: "👍" };
    await world.done(add, input, { as: users.ana });
    await world.refused(remove, input, { as: users.ana }, "@Ana cannot Manage Messages in #general");
    await world.done(remove, input, { as: users.moderator });
    expect(reactions(world, message_id)).toEqual([]);
    await world.refused(remove, input, { as: users.moderator }, "The bot has not reacted with 👍");
    world.simulator.people.react(users.ben, message_id, "👍");
    await world.refused(remove, input, { as: users.moderator }, "The bot has not reacted with 👍");
  });

  test("in a direct message is for who is there", async () => {
    await using world = await start();
    const channel = world.simulator.openDirectMessage(users.ana);
    const { id } = world.simulator.say({ userId: users.ana, channelId: channel, content: "Tea?" });
    const input = { message_id: id, emoji: "👍" };
    const direct = { as: users.ana, guild: null, channel };
    await world.done(add, input, direct);
    await world.done(remove, input, direct);
    expect(reactions(world, id)).toEqual([]);
  });
});

describe("listing reactions", () => {
  test("counts them, and names people page by page", async () => {
    await using world = await start();
    const message_id = tea(world);
    for (const id of [users.owner, users.ana, users.ben]) world.simulator.people.react(id, message_id, "👍");
    await world.done(add, { message_id, emoji: `anchor_up:${emojiId}` }, { as: users.ana });
    expect(await world.done(list, { message_id }, { as: users.ana })).toEqual({
      message_id,
      reactions: [
        { emoji: "👍", count: 3 },
        { emoji: `anchor_up:${emojiId}`, count: 1, bot_reacted: true },
      ],
    });
    const first = Object(await world.done(list, { message_id, emoji: "👍", limit: 2 }, { as: users.ana }));
    expect(first.people.map((one: { user_id: string }) => one.user_id)).toEqual([users.owner, users.ana]);
    expect(first.next_after).toBe(users.ana);
    const after = { message_id, emoji: "👍", limit: 2, after: first.next_after };
    const second = Object(await world.done(list, after, { as: users.ana }));
    expect(second.people).toEqual([{ user_id: users.ben, username: "ben", display_name: "Ben" }]);
    expect(second.next_after).toBeUndefined();
  });

  test("is refused where the person cannot read", async () => {
    await using world = await start();
    const message_id = tea(world);
    forbid(world, users.ana, ReadMessageHistory);
    await world.refused(list, { message_id }, { as: users.ana }, "@Ana cannot Read Message History");
    const [staff] = world.simulator.world.messages.in(channels.staff);
    const input = { channel_id: channels.staff, message_id: staff?.id };
    await world.refused(list, input, { as: users.ana }, "There is no channel with the id");
    forbid(world, DEMO.botId, ReadMessageHistory);
    await world.refused(list, { message_id }, { as: users.ben }, "The bot cannot Read Message History");
  });
});
