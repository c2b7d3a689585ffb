import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { threadsTools } from "../../../src/tools/threads/all.ts";
import { type CallOptions, DEMO, disarm, grant, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const { CreatePrivateThreads, CreatePublicThreads, SendMessages, SendMessagesInThreads } =
  PermissionFlagsBits;
const create = "discord_thread_create";

const start = (more = {}) => startWorld({ tools: threadsTools, ...more });

async function started(world: ToolWorld, input: object, options: CallOptions) {
  const { thread_id: id, ...value } = Object(await world.done(create, input, options));
  return { id, value, thread: world.simulator.world.guild(guildId).threads.get(id) };
}

function forbid({ simulator }: ToolWorld, userId: string, deny: bigint, channelId = channels.general): void {
  simulator.changes.channels.setOverwrite(channelId, { id: userId, type: "member", deny });
}

describe("starting a thread", () => {
  test("by itself or on a message, with the reason in Discord's audit log", async () => {
    await using world = await start();
    const as = users.ana;
    const plain = await started(
      world,
      { name: "Tea times", auto_archive_minutes: 60, reason: "too long here" },
      { as },
    );
    expect(plain.thread).toMatchObject({
      name: "Tea times",
      type: ChannelType.PublicThread,
      parent_id: channels.general,
      thread_metadata: { auto_archive_duration: 60 },
    });
    expect(world.reasons()).toEqual([`For @Ana (${users.ana}): too long here`]);
    const { id } = world.simulator.say({ userId: users.ben, channelId: channels.help, content: "Knots?" });
    const input = { channel_id: "#help", name: "Knots", message_id: id };
    expect((await started(world, input, { as })).thread).toMatchObject({
      id,
      type: ChannelType.PublicThread,
    });
    await world.refused(create, input, { as }, "has a thread already");
  });

  test("asks in plain words", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    const { id } = world.simulator.say({ userId: users.ben, channelId: channels.general, content: "Knots?" });
    expect(await world.question(create, { name: "Knots" })).toBe(
      "Start a public thread “Knots” in #general?",
    );
    expect(await world.question(create, { name: "Knots", message_id: id })).toBe(
      "Start a public thread “Knots” on the message of @Ben in #general: “Knots?”?",
    );
  });

  test("that is private brings the person into it", async () => {
    await using world = await start();
    const input = { name: "Surprise", private: true, invitable: false };
    await world.refused(create, input, { as: users.ana }, "@Ana cannot Create Private Threads in #general");
    grant(world, users.ana, CreatePrivateThreads);
    const { id, thread, value } = await started(world, input, { as: users.ana });
    expect(thread).toMatchObject({
      type: ChannelType.PrivateThread,
      thread_metadata: { invitable: false },
    });
    expect(world.simulator.world.guild(guildId).threadMembers.get(id)?.has(users.ana)).toBe(true);
    expect(value.note).toBeUndefined();
    world.simulator.faults.rest({ method: "PUT", path: /thread-members/, respond: 500 });
    const lonely = await started(world, input, { as: users.ana });
    expect(lonely.value.note).toContain("The person could not be added to it");
  });

  test("in an announcement channel is of its kind, and takes writing there only by itself", async () => {
    await using world = await start();
    const news = world.simulator.say({
      userId: users.owner,
      channelId: channels.announcements,
      content: "Open",
    });
    const there = { channel_id: channels.announcements, name: "Open?" };
    const as = users.ana;
    await world.refused(create, there, { as }, "@Ana cannot Send Messages in #announcements");
    const { thread } = await started(world, { ...there, message_id: news.id }, { as });
    expect(thread?.type).toBe(ChannelType.AnnouncementThread);
    expect((await started(world, there, { as: users.owner })).thread?.type).toBe(
      ChannelType.AnnouncementThread,
    );
    await world.refused(create, { ...there, private: true }, { as: users.owner }, "no private threads");
  });

  test("takes the permissions of the person and of the bot", async () => {
    await using world = await start();
    const input = { name: "x" };
    const as = users.ana;
    forbid(world, users.ana, CreatePublicThreads);
    await world.refused(create, input, { as }, "@Ana cannot Create Public Threads in #general");
    forbid(world, users.ana, SendMessagesInThreads);
    await world.refused(create, input, { as }, "@Ana cannot Send Messages in Threads in #general");
    forbid(world, users.ana, SendMessages);
    await world.refused(create, input, { as }, "@Ana cannot Send Messages in #general");
    forbid(world, DEMO.botId, CreatePublicThreads);
    await world.refused(create, input, { as: users.ben }, "The bot cannot Create Public Threads in #general");
    await world.refused(
      create,
      { ...input, channel_id: channels.staff },
      { as },
      "There is no channel with the id",
    );
    disarm(world, CreatePrivateThreads);
    await world.refused(
      create,
      { ...input, private: true },
      { as: users.owner },
      "The bot cannot Create Private Threads",
    );
  });

  test("counts for slow mode", async () => {
    await using world = await start();
    const there = { channel_id: channels.random, name: "one" };
    await world.done(create, there, { as: users.ana });
    await world.refused(create, there, { as: users.ana }, "slow mode");
  });

  test("on a message counts too, and makes the message nobody else's", async () => {
    await using world = await start();
    const say = () =>
      world.simulator.say({ userId: DEMO.botId, channelId: channels.random, content: "For Ben" }).id;
    const [first, second] = [say(), say()];
    await world.sent.record({
      messageId: first,
      channelId: channels.general,
      userId: users.ben,
      at: 1,
    });
    const there = { channel_id: channels.random, name: "one" };
    await world.done(create, { ...there, message_id: first }, { as: users.ana });
    await world.refused(create, { ...there, message_id: second }, { as: users.ana }, "slow mode");
    expect(await world.sent.userOf(first)).toBe(users.ben);
  });

  test("wants a name within Discord's limit, and what fits together", async () => {
    await using world = await start();
    const as = users.owner;
    await world.refused(create, { name: "x".repeat(101) }, { as }, "name");
    await world.refused(create, { name: "x", auto_archive_minutes: 61 }, { as }, "auto_archive_minutes");
    await world.refused(create, { name: "x", invitable: false }, { as }, "private threads only");
    const { id } = world.simulator.say({ userId: users.ben, channelId: channels.general, content: "?" });
    const both = { name: "x", private: true, message_id: id };
    await world.refused(create, both, { as }, "message_id is for public threads only");
    await world.refused(create, { channel_id: channels.forum, name: "x" }, { as }, "of the kind forum");
    await world.refused(create, { name: "x", message_id: channels.staff }, { as }, "There is no message");
  });
});
