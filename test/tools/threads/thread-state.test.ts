import { describe, expect, test } from "bun:test";
import { type APIThreadMetadata, PermissionFlagsBits } from "discord-api-types/v10";
import { threadsTools } from "../../../src/tools/threads/all.ts";
import { DEMO, disarm, grant, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const { ManageThreads, SendMessagesInThreads } = PermissionFlagsBits;
const archive = "discord_thread_archive";
const unarchive = "discord_thread_unarchive";
const lock = "discord_thread_lock";
const unlock = "discord_thread_unlock";
const addMember = "discord_thread_member_add";
const removeMember = "discord_thread_member_remove";

const start = (more = {}) => startWorld({ tools: threadsTools, ...more });
/** Ana's. */
const own = { channel_id: channels.thread };
/** Ben's, archived. */
const old = { channel_id: channels.archivedThread };
/** Mika's, private, with Ana in it. */
const shared = { channel_id: channels.sharedThread };

const metadata = (world: ToolWorld, { channel_id: id }: { readonly channel_id: string }) =>
  world.simulator.world.guild(guildId).threads.get(id)?.thread_metadata;

function set(
  world: ToolWorld,
  thread: { readonly channel_id: string },
  state: Partial<APIThreadMetadata>,
): void {
  const before = metadata(world, thread);
  if (before === undefined) throw new Error("The thread has no metadata.");
  world.simulator.changes.channels.update(thread.channel_id, { thread_metadata: { ...before, ...state } });
}

const members = (world: ToolWorld, id: string) => [
  ...(world.simulator.world.guild(guildId).threadMembers.get(id)?.keys() ?? []),
];

describe("archiving", () => {
  test("is for who started the thread, and for moderators", async () => {
    await using world = await start();
    await world.refused(archive, own, { as: users.ben }, "@Benny cannot Manage Threads in #spring regatta");
    expect(await world.done(archive, { ...own, reason: "over" }, { as: users.ana })).toEqual({
      thread_id: channels.thread,
      archived: true,
    });
    expect(metadata(world, own)?.archived).toBe(true);
    expect(world.reasons()).toEqual([`For @Ana (${users.ana}): over`]);
    await world.done(archive, own, { as: users.moderator });
    expect(world.simulator.requests.filter(({ method }) => method === "PATCH")).toHaveLength(1);
  });

  test("is not for its maker once it is locked, or while they cannot write in it", async () => {
    await using world = await start();
    set(world, own, { locked: true });
    await world.refused(archive, own, { as: users.ana }, "@Ana cannot Manage Threads in #spring regatta");
    set(world, own, { locked: false });
    const deny = { id: users.ana, type: "member", deny: SendMessagesInThreads } as const;
    world.simulator.changes.channels.setOverwrite(channels.general, deny);
    await world.refused(archive, own, { as: users.ana }, "@Ana cannot Send Messages in Threads");
    disarm(world, ManageThreads);
    await world.refused(archive, own, { as: users.moderator }, "The bot cannot Manage Threads");
  });

  test("of a private thread is nothing to those who do not see it, nor of what is no thread", async () => {
    await using world = await start();
    await world.refused(archive, shared, { as: users.ben }, "There is no channel with the id");
    await world.refused(archive, shared, { as: users.ana }, "@Ana cannot Manage Threads in #boat names");
    await world.refused(archive, {}, { as: users.ana }, "this works for: thread, private thread");
    expect(await world.question(archive, shared, { as: users.moderator }).catch(String)).toContain(
      "asks nothing",
    );
  });
});

describe("reopening", () => {
  test("is for whoever may write there, and when it is locked for moderators", async () => {
    await using world = await start();
    set(world, old, { locked: true });
    await world.refused(unarchive, old, { as: users.ben }, "@Benny cannot Manage Threads");
    set(world, old, { locked: false });
    await world.done(unarchive, old, { as: users.ana });
    expect(metadata(world, old)?.archived).toBe(false);
    set(world, old, { archived: true });
    const deny = { id: users.ana, type: "member", deny: SendMessagesInThreads } as const;
    world.simulator.changes.channels.setOverwrite(channels.help, deny);
    await world.refused(unarchive, old, { as: users.ana }, "@Ana cannot Send Messages in Threads");
    set(world, old, { locked: true });
    await world.done(unarchive, old, { as: users.moderator });
  });

  test("is not for who is timed out", async () => {
    await using world = await start();
    world.simulator.changes.members.timeout(guildId, users.ben, Date.now() + 60_000);
    await world.refused(unarchive, old, { as: users.ben }, "@Benny cannot Send Messages in Threads");
  });
});

describe("locking and unlocking", () => {
  test("is for moderators alone, the maker not among them", async () => {
    await using world = await start();
    await world.refused(lock, own, { as: users.ana }, "@Ana cannot Manage Threads in #spring regatta");
    await world.done(lock, own, { as: users.moderator });
    expect(metadata(world, own)?.locked).toBe(true);
    await world.refused(unlock, own, { as: users.ana }, "@Ana cannot Manage Threads in #spring regatta");
    expect(await world.done(unlock, own, { as: users.moderator })).toMatchObject({ locked: false });
    expect(metadata(world, own)?.locked).toBe(false);
    disarm(world, ManageThreads);
    await world.refused(lock, own, { as: users.moderator }, "The bot cannot Manage Threads");
  });

  test("of an archived thread: it is reopened first, which unlocking does and says", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    await world.refused(lock, old, { as: users.moderator }, "is archived");
    set(world, old, { locked: true });
    expect(await world.question(unlock, old, { as: users.moderator })).toBe(
      "Unlock the thread #knots of last year and reopen it?",
    );
    expect(await world.done(unlock, old, { as: users.moderator })).toMatchObject({ archived: false });
    expect(metadata(world, old)).toMatchObject({ locked: false, archived: false });
  });
});

describe("members of threads", () => {
  test("are added by those who write there, by name", async () => {
    await using world = await start();
    await world.done(addMember, { ...shared, user_id: "@Benny" }, { as: users.ana });
    expect(members(world, channels.sharedThread)).toContain(users.ben);
    await world.refused(
      addMember,
      { channel_id: channels.privateThread, user_id: users.ben },
      { as: users.ana },
      "There is no channel with the id",
    );
    const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
    await world.refused(
      addMember,
      { ...shared, user_id: stranger.id },
      { as: users.ana },
      "is no member of this server",
    );
  });

  test("of a private thread that is closed are added by its maker and by moderators", async () => {
    await using world = await start();
    set(world, shared, { invitable: false });
    const input = { ...shared, user_id: users.ben };
    await world.refused(addMember, input, { as: users.ana }, "@Ana cannot Manage Threads in #boat names");
    await world.done(addMember, input, { as: users.moderator });
  });

  test("are added to no archived or locked thread", async () => {
    await using world = await start();
    await world.refused(addMember, { ...old, user_id: users.ana }, { as: users.ben }, "is archived");
    set(world, own, { locked: true });
    await world.refused(addMember, { ...own, user_id: users.ben }, { as: users.ana }, "which is locked");
  });

  test("are removed by moderators, and by the maker of a private thread", async () => {
    await using world = await start();
    const input = { ...shared, user_id: users.ana };
    await world.refused(removeMember, input, { as: users.ana }, "@Ana cannot Manage Threads in #boat names");
    expect(await world.question(removeMember, input, { as: users.moderator })).toBe(
      `Remove @Ana (${users.ana}) from the thread #boat names?`,
    );
    await world.done(removeMember, input, { as: users.moderator });
    expect(members(world, channels.sharedThread)).not.toContain(users.ana);
    const { id } = world.simulator.changes.channels.add(guildId, {
      name: "plans",
      kind: "private_thread",
      parentId: channels.general,
      ownerId: users.ana,
      memberIds: [users.ben],
    });
    await world.refused(
      removeMember,
      { channel_id: id, user_id: users.ana },
      { as: users.ben },
      "@Benny cannot Manage Threads in #plans",
    );
    await world.done(removeMember, { channel_id: id, user_id: users.ben }, { as: users.ana });
    expect(members(world, id)).not.toContain(users.ben);
    const public_ = { ...own, user_id: users.ben };
    await world.refused(removeMember, public_, { as: users.ana }, "@Ana cannot Manage Threads");
    grant(world, users.ana, ManageThreads);
    await world.done(removeMember, public_, { as: users.ana });
  });
});

test("who is no member of the server is named to nobody by removing them from a thread", async () => {
  await using world = await start();
  const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
  const input = { ...own, user_id: stranger.id };
  expect(await world.question(removeMember, input, { as: users.moderator })).toBe(
    `Remove the user ${stranger.id} from the thread #spring regatta?`,
  );
});
