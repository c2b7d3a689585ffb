import { describe, expect, test } from "bun:test";
import { type APIMessage, ComponentType, MessageType, PermissionFlagsBits } from "discord-api-types/v10";
import { messagesTools } from "../../../src/tools/messages/all.ts";
import { DEMO, disarm, grant, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const { ManageMessages, ManageThreads } = PermissionFlagsBits;
const edit = "discord_message_edit";
const remove = "discord_message_delete";
const removeMany = "discord_messages_delete";

const start = (more = {}) => startWorld({ tools: messagesTools, ...more });
const general = channels.general;
const day = 24 * 60 * 60_000;

/** What a tool posted for somebody. */
async function posted(world: ToolWorld, as: string, content = "first"): Promise<string> {
  const value = await world.done("discord_message_send", { content }, { as });
  if (typeof value === "object" && value !== null && "message_id" in value) return String(value.message_id);
  throw new Error("Nothing was posted.");
}

const stored = (world: ToolWorld, id: string): APIMessage | null => world.simulator.world.messages.get(id);

function close(world: ToolWorld, state: { readonly locked?: boolean; readonly archived?: boolean }): void {
  const metadata = world.simulator.world.guild(guildId).threads.get(channels.thread)?.thread_metadata;
  if (metadata === undefined) throw new Error("The thread has no metadata.");
  world.simulator.changes.channels.update(channels.thread, { thread_metadata: { ...metadata, ...state } });
}

describe("editing", () => {
  test("changes what the bot posted for the person, once or twice", async () => {
    await using world = await start();
    const id = await posted(world, users.ana);
    expect(
      await world.done(edit, { message_id: id, content: "@everyone second" }, { as: users.ana }),
    ).toMatchObject({ message_id: id, content: "@everyone second" });
    expect(stored(world, id)).toMatchObject({ content: "@everyone second", mention_everyone: false });
    await world.done(edit, { message_id: id, content: "third" }, { as: users.ana });
    expect(await world.done(edit, { message_id: id, content: "third" }, { as: users.ana })).toBeDefined();
    expect(stored(world, id)?.content).toBe("third");
  });

  test("is refused to others, moderators too, and of what people wrote to everybody", async () => {
    await using world = await start();
    const id = await posted(world, users.ana);
    for (const as of [users.ben, users.moderator, users.owner])
      await world.refused(
        edit,
        { message_id: id, content: "x" },
        { as },
        "Only the person for whom the bot posted a message can have its words changed.",
      );
    const own = world.simulator.say({ userId: users.ana, channelId: general, content: "mine" });
    const input = { message_id: own.id, content: "x" };
    await world.refused(edit, input, { as: users.ana }, "Only messages that the bot posted can be edited");
    await world.refused(edit, input, { as: users.owner }, "Only messages that the bot posted can be edited");
  });

  test("leaves messages with buttons alone, since a person presses them for what they say", async () => {
    await using world = await start();
    const id = await posted(world, users.ana, "Ban @ben?");
    const message = stored(world, id);
    if (message !== null) message.components = [{ id: 1, type: ComponentType.TextDisplay, content: "x" }];
    await world.refused(edit, { message_id: id, content: "Say hello?" }, { as: users.ana }, "has buttons");
  });

  test("is no way around a time-out, a lock or an archive", async () => {
    await using world = await start();
    const there = { channel_id: channels.thread };
    const value = await world.done(
      "discord_message_send",
      { ...there, content: "flags" },
      { as: users.ana, channel: channels.thread },
    );
    const message_id = Object(value).message_id;
    const input = { ...there, message_id, content: "x" };
    close(world, { archived: true });
    await world.refused(edit, input, { as: users.ana }, "#spring regatta is archived");
    close(world, { archived: false, locked: true });
    await world.refused(edit, input, { as: users.ana }, "which is locked");
    close(world, { locked: false });
    world.simulator.changes.members.timeout(guildId, users.ana, Date.now() + day);
    await world.refused(edit, input, { as: users.ana }, "@Ana cannot Send Messages in Threads");
  });
});

describe("deleting", () => {
  test("is for one's own, and for what the bot posted for oneself", async () => {
    await using world = await start();
    const own = world.simulator.say({ userId: users.ana, channelId: general, content: "oops" });
    expect(await world.question(remove, { message_id: own.id }, { as: users.ana })).toBe(
      "Delete the message of @Ana in #general: “oops”?",
    );
    await world.done(remove, { message_id: own.id, reason: "a slip" }, { as: users.ana });
    expect(stored(world, own.id)).toBeNull();
    expect(world.reasons()).toEqual([`For @Ana (${users.ana}): a slip`]);
    const ours = await posted(world, users.ana);
    await world.refused(
      remove,
      { message_id: ours },
      { as: users.ben },
      "@Benny cannot Manage Messages in #general",
    );
    await world.done(remove, { message_id: ours }, { as: users.ana });
    expect(stored(world, ours)).toBeNull();
  });

  test("of others' takes Manage Messages, of the person and of the bot", async () => {
    await using world = await start();
    const own = world.simulator.say({ userId: users.ben, channelId: general, content: "spam" });
    const input = { message_id: own.id };
    await world.refused(remove, input, { as: users.ana }, "@Ana cannot Manage Messages in #general");
    disarm(world, ManageMessages);
    await world.refused(remove, input, { as: users.moderator }, "The bot cannot Manage Messages in #general");
    await world.refused(remove, input, { as: users.ben }, "The bot cannot Manage Messages in #general");
    grant(world, DEMO.botId, ManageMessages);
    await world.done(remove, input, { as: users.moderator });
    expect(stored(world, own.id)).toBeNull();
    const gone = await world.call(remove, input, { as: users.moderator });
    expect(gone).toMatchObject({ kind: "refused", code: "not_found" });
  });

  test("does not take a message about somebody for theirs", async () => {
    await using world = await start();
    const about = world.simulator.say({ userId: users.ana, channelId: general, content: "flagged" });
    about.type = MessageType.AutoModerationAction;
    await world.refused(remove, { message_id: about.id }, { as: users.ana }, "@Ana cannot Manage Messages");
  });

  test("waits while the person is timed out, and in a closed thread is for moderators", async () => {
    await using world = await start();
    const own = world.simulator.say({ userId: users.ana, channelId: channels.thread, content: "x" });
    const input = { channel_id: channels.thread, message_id: own.id };
    world.simulator.changes.members.timeout(guildId, users.ana, Date.now() + day);
    await world.refused(remove, input, { as: users.ana }, "@Ana is timed out");
    world.simulator.changes.members.timeout(guildId, users.ana, null);
    close(world, { archived: true, locked: true });
    await world.refused(remove, input, { as: users.ana }, "locked and archived");
    disarm(world, ManageThreads);
    await world.refused(remove, input, { as: users.moderator }, "The bot cannot delete messages");
    close(world, { locked: false });
    await world.done(remove, input, { as: users.ana });
  });
});

describe("deleting several", () => {
  const say = (world: ToolWorld, count: number): string[] =>
    Array.from(
      { length: count },
      (_, n) => world.simulator.say({ userId: users.ben, channelId: general, content: `spam ${n}` }).id,
    );

  test("takes Manage Messages, and says how many by whom", async () => {
    await using world = await start();
    const message_ids = say(world, 3);
    await world.refused(
      removeMany,
      { message_ids },
      { as: users.ben },
      "@Benny cannot Manage Messages in #general",
    );
    expect(await world.question(removeMany, { message_ids }, { as: users.moderator })).toBe(
      "Delete 3 messages in #general, by @Ben?",
    );
    expect(
      await world.done(removeMany, { message_ids, reason: "spam" }, { as: users.moderator }),
    ).toMatchObject({ count: 3 });
    expect(message_ids.map((id) => stored(world, id))).toEqual([null, null, null]);
    expect(world.reasons()).toEqual([`For @Mika (${users.moderator}): spam`]);
  });

  test("names those that are too old, and wants 2 to 100 of one channel", async () => {
    let now = Date.now() - 15 * day;
    await using world = await start({ now: () => now });
    const old = say(world, 2);
    now += 15 * day;
    const fresh = say(world, 2);
    const as = users.moderator;
    const outcome = await world.refused(
      removeMany,
      { message_ids: [...fresh, ...old] },
      { as },
      "14 days",
      old[0] ?? "?",
      old[1] ?? "?",
    );
    for (const id of fresh) expect(outcome.text).not.toContain(id);
    await world.refused(removeMany, { message_ids: [fresh[0]] }, { as }, "message_ids");
    await world.refused(
      removeMany,
      { message_ids: Array.from({ length: 101 }, (_, n) => String(300000000000000000n + BigInt(n))) },
      { as },
      "message_ids",
    );
    const link = `https://discord.com/channels/${guildId}/${general}/${fresh[0]}`;
    await world.refused(removeMany, { message_ids: [fresh[0], link] }, { as }, "discord_message_delete");
    const elsewhere = world.simulator.say({ userId: users.ben, channelId: channels.help, content: "x" });
    await world.refused(removeMany, { message_ids: [fresh[0], elsewhere.id] }, { as }, elsewhere.id);
    await world.done(removeMany, { message_ids: fresh }, { as });
  });
});

test("a yes to deleting holds for the words and the files that there were", async () => {
  await using world = await start();
  const attachments = [{ filename: "map.png" }];
  const said = world.simulator.say({ userId: users.ana, channelId: general, content: "a map", attachments });
  const asked = async (tool: string, input: object) => {
    const options = { as: users.owner, approve: false };
    return (await world.call(tool, { channel_id: general, ...input }, options)).question?.fingerprint;
  };
  const other = world.simulator.say({ userId: users.ana, channelId: general, content: "and more" });
  const both = { message_ids: [said.id, other.id] };
  const before = [await asked(remove, { message_id: said.id }), await asked(removeMany, both)];
  expect(before).toEqual([expect.any(String), expect.any(String)]);
  expect(await asked(remove, { message_id: said.id })).toBe(before[0]);
  world.simulator.world.messages.replace({ ...said, attachments: [] });
  expect(await asked(remove, { message_id: said.id })).not.toBe(before[0]);
  expect(await asked(removeMany, both)).not.toBe(before[1]);
});
