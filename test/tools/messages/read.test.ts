import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { messagesTools } from "../../../src/tools/messages/all.ts";
import { DEMO, disarm, grant, startWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const { ManageMessages, PinMessages, ReadMessageHistory } = PermissionFlagsBits;
const get = "discord_message_get";
const pin = "discord_message_pin";
const unpin = "discord_message_unpin";
const pins = "discord_pins_list";
const general = channels.general;

const start = (more = {}) => startWorld({ tools: messagesTools, ...more });

describe("reading one message", () => {
  test("gives it with its link, by id or by link", async () => {
    await using world = await start();
    const { id } = world.simulator.say({ userId: users.ben, channelId: channels.help, content: "Tea?" });
    const link = `https://discord.com/channels/${guildId}/${channels.help}/${id}`;
    const value = await world.done(get, { channel_id: "help", message_id: link }, { as: users.ana });
    expect(value).toMatchObject({ link, message: { message_id: id, content: "Tea?" } });
    const outcome = await world.call(get, { channel_id: channels.help, message_id: id }, { as: users.ana });
    expect(outcome.sources).toEqual([`channel:${channels.help}`]);
  });

  test("needs to see the channel and to read its history", async () => {
    await using world = await start();
    const { id } = world.simulator.say({
      userId: users.moderator,
      channelId: channels.staff,
      content: "Keys",
    });
    const input = { channel_id: channels.staff, message_id: id };
    await world.refused(get, input, { as: users.ana }, "There is no channel with the id");
    await world.done(get, input, { as: users.moderator });
    const deny = { id: users.moderator, type: "member", deny: ReadMessageHistory } as const;
    world.simulator.changes.channels.setOverwrite(channels.staff, deny);
    await world.refused(get, input, { as: users.moderator }, "@Mika cannot Read Message History in #staff");
  });
});

describe("pins", () => {
  test("take Pin Messages, which Manage Messages does not hold any more", async () => {
    await using world = await start();
    const { id } = world.simulator.say({ userId: users.ben, channelId: general, content: "Rules" });
    const as = users.ana;
    grant(world, as, ManageMessages);
    await world.refused(pin, { message_id: id }, { as }, "@Ana cannot Pin Messages in #general");
    await world.refused(unpin, { message_id: id }, { as }, "@Ana cannot Pin Messages in #general");
    grant(world, as, PinMessages);
    expect(await world.done(pin, { message_id: id, reason: "the rules" }, { as: users.ana })).toEqual({
      message_id: id,
      channel_id: general,
      pinned: true,
    });
    expect(world.simulator.world.messages.get(id)?.pinned).toBe(true);
    await world.done(unpin, { message_id: id, reason: "old" }, { as: users.ana });
    expect(world.simulator.world.messages.get(id)?.pinned).toBe(false);
    expect(world.reasons()).toEqual([`For @Ana (${users.ana}): the rules`, `For @Ana (${users.ana}): old`]);
    disarm(world, PinMessages);
    await world.refused(
      pin,
      { message_id: id },
      { as: users.ana },
      "The bot cannot Pin Messages in #general",
    );
    grant(world, DEMO.botId, ManageMessages);
    await world.refused(
      pin,
      { message_id: id },
      { as: users.ana },
      "The bot cannot Pin Messages in #general",
    );
  });

  test("ask in plain words when changes ask", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    const { id } = world.simulator.say({ userId: users.ben, channelId: general, content: "Rules" });
    expect(await world.question(pin, { message_id: id })).toBe(
      "Pin the message of @Ben in #general: “Rules”?",
    );
    expect(await world.question(unpin, { message_id: id })).toStartWith("Unpin the message of @Ben");
  });

  test("of an archived thread wait until it is open", async () => {
    await using world = await start();
    const [first] = world.simulator.world.messages.in(channels.thread);
    const metadata = world.simulator.world.guild(guildId).threads.get(channels.thread)?.thread_metadata;
    if (first === undefined || metadata === undefined) throw new Error("The thread is not as seeded.");
    world.simulator.changes.channels.update(channels.thread, {
      thread_metadata: { ...metadata, archived: true },
    });
    await world.refused(pin, { channel_id: channels.thread, message_id: first.id }, {}, "is archived");
  });

  test("are listed with the latest first, page by page", async () => {
    let now = Date.now();
    await using world = await start({ now: () => now });
    const ids: string[] = [];
    for (const content of ["one", "two", "three"]) {
      now += 60_000;
      const { id } = world.simulator.say({ userId: users.ben, channelId: general, content });
      await world.done(pin, { message_id: id });
      ids.unshift(id);
    }
    const first = Object(await world.done(pins, { limit: 2 }, { as: users.ana }));
    expect(first.pins.map((one: { message_id: string }) => one.message_id)).toEqual(ids.slice(0, 2));
    const second = Object(await world.done(pins, { limit: 2, before: first.next_before }, { as: users.ana }));
    expect(second.pins.map((one: { message_id: string }) => one.message_id)).toEqual(ids.slice(2));
    expect(second.next_before).toBeUndefined();
    expect(Object(await world.done(pins, { before: "2024-01-01" }, { as: users.ana })).pins).toEqual([]);
    await world.refused(pins, { before: "2026-02-31T25:00:00Z" }, { as: users.ana }, "no time that exists");
    await world.refused(
      pins,
      { channel_id: channels.staff },
      { as: users.ana },
      "There is no channel with the id",
    );
  });
});
