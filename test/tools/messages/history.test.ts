import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { messagesTools } from "../../../src/tools/messages/all.ts";
import { unwrapped } from "../harness.ts";
import { DEMO, startWorld, type ToolWorld, type WorldOptions } from "../world.ts";

const { channels, users } = DEMO;
const { ReadMessageHistory, ViewChannel } = PermissionFlagsBits;
const history = "discord_message_history";
const as = users.ana;

const start = (more: Partial<WorldOptions> = {}) => startWorld({ tools: messagesTools, ...more });

function forbid({ simulator }: ToolWorld, userId: string, deny: bigint): void {
  simulator.changes.channels.setOverwrite(channels.general, { id: userId, type: "member", deny });
}

const contents = (value: unknown): string[] =>
  Object(value).messages.map(({ content }: { content: string }) => content);

describe("reading the history", () => {
  test("gives the newest first, with who wrote what when", async () => {
    await using world = await start();
    const value = Object(await world.done(history, { limit: 2 }, { as }));
    expect(value.channel_id).toBe(channels.general);
    expect(value.messages).toEqual([
      {
        message_id: expect.any(String),
        author: { user_id: users.ben, username: "ben", display_name: "Ben" },
        content: "Count me in for the regatta, I can bring tea.",
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
      expect.objectContaining({
        author: expect.objectContaining({ username: "ana" }),
        content: expect.stringContaining("first Saturday"),
      }),
    ]);
  });

  test("tells of replies, attachments, edits and reactions", async () => {
    await using world = await start();
    const { simulator } = world;
    const asked = simulator.say({ userId: users.ben, channelId: channels.general, content: "Tea?" });
    const reply = simulator.say({
      userId: users.ana,
      channelId: channels.general,
      content: "Pleas",
      replyTo: asked.id,
      attachments: [{ filename: "cup.png" }],
    });
    simulator.edit(reply.id, "Please");
    simulator.people.react(users.ben, reply.id, "🍵");
    expect(Object(await world.done(history, { limit: 1 }, { as })).messages).toEqual([
      expect.objectContaining({
        content: "Please",
        edited_at: expect.any(String),
        reply_to: { message_id: asked.id, author: "ben" },
        attachments: ["cup.png"],
        reactions: [{ emoji: "🍵", count: 1 }],
      }),
    ]);
  });

  test("pages before, after and around a message, but not two at once", async () => {
    await using world = await start();
    const say = (content: string) =>
      world.simulator.say({ userId: users.ana, channelId: channels.general, content }).id;
    const [first = "", middle = "", last = ""] = ["one", "two", "three"].map(say);
    const read = async (input: object) => contents(await world.done(history, input, { as }));
    expect(await read({ before: last, limit: 2 })).toEqual(["two", "one"]);
    expect(await read({ after: first })).toEqual(["three", "two"]);
    expect(await read({ around: middle, limit: 3 })).toEqual(["three", "two", "one"]);
    await world.refused(history, { before: last, after: first }, { as }, "at most one");
    for (const limit of [0, 101, 1.5, "10"]) await world.refused(history, { limit }, { as }, "limit");
  });

  test("of another channel by its name, of a thread, and of one's own direct message", async () => {
    await using world = await start();
    expect(contents(await world.done(history, { channel_id: "#help" }, { as }))).toHaveLength(2);
    expect(contents(await world.done(history, { channel_id: channels.sharedThread }, { as }))).toEqual([
      "I vote for Teaspoon.",
    ]);
    const channel = world.simulator.openDirectMessage(as);
    world.simulator.say({ userId: as, channelId: channel, content: "Between us" });
    const direct = { guild: null, channel };
    expect(contents(await world.done(history, {}, { ...direct, as }))).toEqual(["Between us"]);
    await world.refused(history, {}, { ...direct, as: users.ben }, "There is no channel with the id");
  });

  test("says so when the content is kept back, and does not when there was none", async () => {
    await using open = await start();
    open.simulator.say({ userId: users.ana, channelId: channels.general, content: "secret" });
    expect(await open.done(history, {}, { as })).not.toHaveProperty("note");
    await using closed = await start({
      privilegedIntents: { messageContent: false, members: true, presences: true },
    });
    closed.simulator.say({ userId: users.ana, channelId: channels.general, content: "secret" });
    const value = await closed.done(history, {}, { as });
    expect(Object(value).note).toContain("message content intent");
    expect(JSON.stringify(value)).not.toContain("secret");
  });

  test("is refused without Read Message History, to person or bot, and of what is hidden", async () => {
    await using world = await start();
    forbid(world, users.ana, ReadMessageHistory);
    await world.refused(history, {}, { as }, "@Ana cannot Read Message History in #general");
    await world.done(history, {}, { as: users.moderator });
    forbid(world, DEMO.botId, ReadMessageHistory);
    await world.refused(
      history,
      {},
      { as: users.moderator },
      "The bot cannot Read Message History in #general",
    );
    expect(world.audit.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([
      "refused permission_denied",
      "done null",
      "refused permission_denied",
    ]);
    forbid(world, users.ana, ViewChannel);
    const hidden = await world.refused(history, {}, { as }, "There is no channel with the id");
    const staff = await world.refused(history, { channel_id: channels.staff }, { as });
    expect(staff.text.replace(channels.staff, channels.general)).toBe(hidden.text);
  });

  test("cuts a hundred long messages to what fits, the oldest first", async () => {
    await using world = await start();
    for (let n = 0; n < 100; n++) {
      const content = `${n} ${"ž".repeat(1000)}`;
      world.simulator.say({ userId: users.ana, channelId: channels.general, content });
    }
    const outcome = await world.call(history, { limit: 100 }, { as });
    expect(Buffer.byteLength(outcome.text)).toBeLessThanOrEqual(16 * 1024);
    const value = unwrapped(outcome.text);
    expect(contents(value)[0]).toStartWith("99 ");
    const said = `${100 - contents(value).length} of messages`;
    expect(outcome.truncated).toContain(said);
    expect(outcome.text.slice(0, outcome.text.indexOf("<untrusted-"))).toContain(said);
  });

  test("is failed, not refused, when Discord gives no messages after all", async () => {
    await using world = await start();
    world.simulator.faults.rest({ path: /\/messages$/, respond: 503, times: 2 });
    const outcome = await world.call(history, {}, { as });
    expect(outcome).toMatchObject({ kind: "failed", code: "discord_unavailable" });
  });
});
