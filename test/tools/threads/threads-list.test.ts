import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { threadsTools } from "../../../src/tools/threads/all.ts";
import { type CallOptions, DEMO, disarm, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const { ManageThreads, ReadMessageHistory, ViewChannel } = PermissionFlagsBits;
const list = "discord_threads_list";

const start = (more = {}) => startWorld({ tools: threadsTools, ...more });

interface Page {
  readonly ids: readonly string[];
  readonly next_before?: string;
  readonly note?: string;
}

async function threads(world: ToolWorld, input: object, options: CallOptions): Promise<Page> {
  const { threads: found, ...rest } = Object(await world.done(list, input, options));
  return { ids: found.map(({ thread_id }: { thread_id: string }) => thread_id), ...rest };
}

/** Archived threads of #help, a minute apart, the latest last. */
function archive(world: ToolWorld, kind: "thread" | "private_thread", owners: readonly string[]): string[] {
  return owners.map((ownerId, n) => {
    const { id } = world.simulator.changes.channels.add(guildId, {
      name: `old ${n}`,
      kind,
      parentId: channels.help,
      ownerId,
      archived: true,
    });
    const metadata = world.simulator.world.guild(guildId).threads.get(id)?.thread_metadata;
    if (metadata !== undefined)
      metadata.archive_timestamp = new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString();
    return id;
  });
}

describe("active threads", () => {
  test("of the server are those that the person can see, the private ones of members and moderators", async () => {
    await using world = await start();
    world.simulator.changes.channels.add(guildId, {
      id: "300000000000000077",
      name: "rota",
      kind: "thread",
      parentId: channels.staff,
      ownerId: users.moderator,
    });
    const seenBy = async (as: string) => (await threads(world, {}, { as })).ids.toSorted();
    const open = [channels.thread, channels.post].toSorted();
    expect(await seenBy(users.ben)).toEqual(open);
    expect(await seenBy(users.ana)).toEqual([...open, channels.sharedThread].toSorted());
    expect(await seenBy(users.moderator)).toEqual(
      [...open, channels.sharedThread, channels.privateThread, "300000000000000077"].toSorted(),
    );
    const deny = { id: users.ben, type: "member", deny: ViewChannel } as const;
    world.simulator.changes.channels.setOverwrite(channels.general, deny);
    expect(await seenBy(users.ben)).toEqual([channels.post]);
  });

  test("come with what not everybody might have read of", async () => {
    await using world = await start();
    const outcome = await world.call(list, {}, { as: users.ana });
    expect(outcome.sources).toEqual([`guild:${guildId}`, `channel:${channels.sharedThread}`]);
    const ofBen = await world.call(list, {}, { as: users.ben });
    expect(ofBen.sources).toEqual([`guild:${guildId}`]);
    const thread = { name: "rota", kind: "thread", parentId: channels.staff } as const;
    world.simulator.changes.channels.add(guildId, { ...thread, ownerId: users.moderator });
    const ofMika = await world.call(list, {}, { as: users.moderator });
    expect(ofMika.sources).toContain(`channel:${channels.staff}`);
  });

  test("of one channel, those with the latest activity first, page by page", async () => {
    await using world = await start();
    const ids = ["one", "two", "three"].map(
      (name) =>
        world.simulator.changes.channels.add(guildId, {
          name,
          kind: "thread",
          parentId: channels.help,
          ownerId: users.ben,
        }).id,
    );
    const [one = "", two = "", three = ""] = ids;
    world.simulator.say({ userId: users.ben, channelId: one, content: "Still here" });
    const first = await threads(world, { channel_id: "#help", limit: 2 }, { as: users.ana });
    expect(first.ids).toEqual([one, three]);
    const rest = { channel_id: "#help", limit: 2, before: first.next_before };
    expect(await threads(world, rest, { as: users.ana })).toEqual({
      ids: [two],
      ...{ channel_id: channels.help },
    });
    await world.refused(list, { channel_id: channels.staff }, { as: users.ana }, "There is no channel");
    await world.refused(list, { before: "2026" }, { as: users.ana }, "before must be the next_before");
  });
});

test("hidden threads take nothing from those that are seen, however many they are", async () => {
  await using world = await start();
  const open = await threads(world, {}, { as: users.ben });
  for (let n = 0; n < 60; n++) {
    const thread = { name: `secret ${n}`, kind: "private_thread", parentId: channels.help } as const;
    const { id } = world.simulator.changes.channels.add(guildId, { ...thread, ownerId: users.moderator });
    world.simulator.say({ userId: users.moderator, channelId: id, content: "Hush" });
  }
  const before = world.simulator.requests.length;
  expect(await threads(world, {}, { as: users.ben })).toEqual(open);
  expect(world.simulator.requests.length - before).toBeLessThan(60);
});

describe("archived threads", () => {
  test("are listed by channel, page by page, for who reads its history", async () => {
    await using world = await start();
    const ids = archive(world, "thread", [users.ben, users.ana, users.ben]);
    const newest = ids.toReversed();
    const input = { channel_id: channels.help, state: "archived", limit: 2, before: "2026-06-01" };
    const first = await threads(world, input, { as: users.ana });
    expect(first.ids).toEqual(newest.slice(0, 2));
    const rest = { ...input, before: first.next_before };
    expect((await threads(world, rest, { as: users.ana })).ids[0]).toBe(ids[0] ?? "?");
    expect((await threads(world, { ...input, limit: 1 }, { as: users.ana })).ids).toEqual(newest.slice(0, 1));
    await world.refused(list, { state: "archived" }, { as: users.ana }, "give channel_id");
    const deny = { id: users.ana, type: "member", deny: ReadMessageHistory } as const;
    world.simulator.changes.channels.setOverwrite(channels.help, deny);
    await world.refused(list, input, { as: users.ana }, "@Ana cannot Read Message History in #help");
    await world.done(list, { channel_id: channels.help }, { as: users.ana });
  });

  test("that are private are for their members and for moderators", async () => {
    await using world = await start();
    const [ofBen, ofAna] = archive(world, "private_thread", [users.ben, users.ana]);
    const input = { channel_id: channels.help, state: "private_archived" };
    expect((await threads(world, input, { as: users.moderator })).ids).toEqual([ofAna ?? "", ofBen ?? ""]);
    const own = await threads(world, input, { as: users.ana });
    expect(own.ids).toEqual([ofAna ?? ""]);
    expect(own.note).toBeUndefined();
    disarm(world, ManageThreads);
    const none = await threads(world, input, { as: users.ana });
    expect(none).toMatchObject({ ids: [], note: expect.stringContaining("The bot lacks Manage Threads") });
  });

  test("that are hidden and many are not all asked about", async () => {
    await using world = await start();
    archive(world, "private_thread", Array(80).fill(users.ben));
    const input = { channel_id: channels.help, state: "private_archived" };
    const before = world.simulator.requests.length;
    const page = await threads(world, input, { as: users.ana });
    // As if there were none: their number is not told either.
    expect(page).toEqual({ ids: [], ...{ channel_id: channels.help } });
    expect(world.simulator.requests.length - before).toBeLessThan(80);
    const first = await threads(world, { ...input, limit: 50 }, { as: users.moderator });
    expect(first.ids).toHaveLength(50);
    expect(first.next_before).toBeDefined();
  });
});
