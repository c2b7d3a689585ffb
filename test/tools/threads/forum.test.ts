import { describe, expect, test } from "bun:test";
import { ChannelFlags, PermissionFlagsBits } from "discord-api-types/v10";
import { threadsTools } from "../../../src/tools/threads/all.ts";
import { DEMO, disarm, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId, tags } = DEMO;
const { ManageThreads, ReadMessageHistory, SendMessages, ViewChannel } = PermissionFlagsBits;
const list = "discord_forum_posts_list";
const create = "discord_forum_post_create";
const read = "discord_forum_post_read";

const start = (more = {}) => startWorld({ tools: threadsTools, ...more });
const forum = { channel_id: "ideas" };

function forbid({ simulator }: ToolWorld, userId: string, deny: bigint): void {
  simulator.changes.channels.setOverwrite(channels.forum, { id: userId, type: "member", deny });
}

function addPost({ simulator }: ToolWorld, name: string, more: object = {}): string {
  const post = { name, kind: "thread", parentId: channels.forum, ownerId: users.ben, ...more } as const;
  return simulator.changes.channels.add(guildId, post).id;
}

const ids = (value: unknown): string[] =>
  Object(value).posts.map(({ thread_id }: { thread_id: string }) => thread_id);

describe("listing posts", () => {
  test("gives them with their tags, the latest activity first, by tag and page by page", async () => {
    await using world = await start();
    const tea = addPost(world, "Tea on the quay", { appliedTags: [tags.tea, tags.boats] });
    const flags = addPost(world, "Flags");
    const value = await world.done(list, forum, { as: users.ana });
    expect(value).toMatchObject({ channel_id: channels.forum, tags: ["boats", "tea", "approved"] });
    expect(ids(value).slice(0, 2)).toEqual([flags, tea]);
    expect(Object(value).posts[1]).toMatchObject({
      title: "Tea on the quay",
      tags: ["boats", "tea"].toReversed(),
    });
    expect(ids(await world.done(list, { ...forum, tag: "BOATS" }, { as: users.ana }))).toEqual([
      tea,
      channels.post,
    ]);
    expect(ids(await world.done(list, { ...forum, tag: tags.tea }, { as: users.ana }))).toEqual([tea]);
    const first = await world.done(list, { ...forum, limit: 2 }, { as: users.ana });
    const rest = { ...forum, limit: 2, before: Object(first).next_before };
    const second = await world.done(list, rest, { as: users.ana });
    expect(ids(second)).toEqual([channels.post]);
    expect(Object(second).next_before).toBeUndefined();
    const unknown = await world.call(list, { ...forum, tag: "whales" }, { as: users.ana });
    expect(unknown).toMatchObject({ code: "invalid_arguments" });
    expect(unknown.text).toContain("it has boats, tea, approved");
  });

  test("gives archived ones page by page", async () => {
    await using world = await start();
    const old = ["one", "two", "three"].map((name, n) => {
      const id = addPost(world, name, { archived: true, appliedTags: [n === 1 ? tags.tea : tags.boats] });
      const metadata = world.simulator.world.guild(guildId).threads.get(id)?.thread_metadata;
      if (metadata !== undefined)
        metadata.archive_timestamp = new Date(Date.UTC(2026, 0, 1, n)).toISOString();
      return id;
    });
    const input = { ...forum, state: "archived" };
    const first = await world.done(list, { ...input, limit: 2 }, { as: users.ana });
    expect(ids(first)).toEqual(old.toReversed().slice(0, 2));
    const rest = { ...input, limit: 2, before: Object(first).next_before };
    expect(ids(await world.done(list, rest, { as: users.ana }))).toEqual(old.slice(0, 1));
    expect(ids(await world.done(list, { ...input, tag: "tea" }, { as: users.ana }))).toEqual([old[1] ?? ""]);
  });

  test("needs to see the forum and to read its history", async () => {
    await using world = await start();
    forbid(world, users.ana, ReadMessageHistory);
    await world.refused(list, forum, { as: users.ana }, "@Ana cannot Read Message History in #ideas");
    forbid(world, users.ana, ViewChannel);
    await world.refused(list, forum, { as: users.ana }, "There is no channel ideas");
    await world.refused(list, { channel_id: channels.general }, { as: users.ana }, "this works for: forum");
  });
});

describe("making a post", () => {
  test("with its first message, tags by name, and the reason in Discord's audit log", async () => {
    await using world = await start();
    const input = {
      ...forum,
      title: "A lamp",
      content: "@everyone For the pier.",
      tags: ["Boats", tags.tea],
    };
    const value = await world.done(create, { ...input, reason: "as agreed" }, { as: users.ana });
    const { thread_id: id } = Object(value);
    expect(value).toMatchObject({ title: "A lamp", tags: ["boats", "tea"] });
    expect(world.simulator.world.guild(guildId).threads.get(id)).toMatchObject({
      parent_id: channels.forum,
      applied_tags: [tags.boats, tags.tea],
    });
    expect(world.simulator.world.messages.get(id)).toMatchObject({
      content: "@everyone For the pier.",
      mention_everyone: false,
    });
    expect(world.sent.users.get(id)).toBe(users.ana);
    expect(world.reasons()).toEqual([`For @Ana (${users.ana}): as agreed`]);
  });

  test("asks in plain words", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    const input = { ...forum, title: "A lamp", content: "For the pier." };
    expect(await world.question(create, input, { as: users.ana })).toBe(
      "Make a post “A lamp” in #ideas, saying “For the pier.”?",
    );
  });

  test("takes Send Messages there, and no right to make threads", async () => {
    await using world = await start();
    const input = { ...forum, title: "x", content: "x" };
    forbid(world, users.ana, PermissionFlagsBits.CreatePublicThreads);
    await world.done(create, input, { as: users.ana });
    forbid(world, users.ana, SendMessages);
    await world.refused(create, input, { as: users.ana }, "@Ana cannot Send Messages in #ideas");
    forbid(world, DEMO.botId, SendMessages);
    await world.refused(create, input, { as: users.ben }, "The bot cannot Send Messages in #ideas");
  });

  test("asks for a tag where the forum does, and leaves some to moderators", async () => {
    await using world = await start();
    const input = { ...forum, title: "x", content: "x" };
    world.simulator.changes.channels.update(channels.forum, { flags: ChannelFlags.RequireTag });
    await world.refused(create, input, { as: users.ana }, "at least one tag", "boats, tea, approved");
    const approved = { ...input, tags: ["approved"] };
    await world.refused(create, approved, { as: users.ana }, "@Ana cannot Manage Threads in #ideas");
    await world.done(create, approved, { as: users.moderator });
    disarm(world, ManageThreads);
    await world.refused(create, approved, { as: users.moderator }, "The bot cannot Manage Threads in #ideas");
    await world.refused(create, { ...input, tags: ["whales"] }, { as: users.ana }, "There is no tag whales");
    await world.refused(
      create,
      { ...input, tags: ["1", "2", "3", "4", "5", "6"] },
      { as: users.ana },
      "tags",
    );
    await world.refused(create, { ...input, title: "x".repeat(101) }, { as: users.ana }, "title");
    await world.refused(create, { ...input, content: "x".repeat(2001) }, { as: users.ana }, "content");
  });

  test("waits for slow mode, which in a forum is about posts by hand and by tool", async () => {
    await using world = await start();
    world.simulator.changes.channels.update(channels.forum, { rate_limit_per_user: 3600 });
    const input = { ...forum, title: "x", content: "x" };
    await world.done(create, input, { as: users.ana });
    await world.refused(create, input, { as: users.ana }, "slow mode");
    addPost(world, "by hand");
    await world.refused(create, input, { as: users.ben }, "slow mode");
    await world.done(create, input, { as: users.moderator });
  });
});

describe("reading a post", () => {
  test("gives its first message, and replies newest first, page by page", async () => {
    await using world = await start();
    const said = ["one", "two", "three"].map(
      (content) => world.simulator.say({ userId: users.ben, channelId: channels.post, content }).id,
    );
    const input = { channel_id: channels.post, limit: 2 };
    const value = await world.done(read, input, { as: users.ana });
    expect(value).toMatchObject({
      title: "A floating dock",
      tags: ["boats"],
      owner_id: users.ana,
      first_message: { content: "A floating dock would rise with the tide." },
      next_before: said[1],
      replies: [{ content: "three" }, { content: "two" }],
    });
    const rest = await world.done(read, { ...input, before: said[1] }, { as: users.ana });
    expect(rest).toMatchObject({ replies: [{ content: "one" }, { content: "And with the tea." }] });
    expect(Object(rest).next_before).toBeUndefined();
  });

  test("says when the first message is gone", async () => {
    await using world = await start();
    world.simulator.remove(channels.post);
    const value = await world.done(read, { channel_id: channels.post }, { as: users.ana });
    expect(value).toMatchObject({ first_message: { deleted: true } });
  });

  test("is of posts that the person can see, and of posts only", async () => {
    await using world = await start();
    await world.refused(read, { channel_id: channels.thread }, { as: users.ana }, "no post of a forum");
    forbid(world, users.ana, ViewChannel);
    await world.refused(
      read,
      { channel_id: channels.post },
      { as: users.ana },
      "There is no channel with the id",
    );
  });
});
