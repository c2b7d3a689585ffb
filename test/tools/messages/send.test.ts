import { describe, expect, test } from "bun:test";
import { MessageFlags, PermissionFlagsBits } from "discord-api-types/v10";
import { messagesTools } from "../../../src/tools/messages/all.ts";
import { DEMO, grant, startWorld } from "../world.ts";

const { channels, users, guildId, emojiId } = DEMO;
const { EmbedLinks, MentionEveryone, UseExternalEmojis } = PermissionFlagsBits;
const send = "discord_message_send";
const reply = "discord_message_reply";

const start = (more = {}) => startWorld({ tools: messagesTools, ...more });
const said = (value: unknown): string =>
  typeof value === "object" && value !== null && "message_id" in value ? String(value.message_id) : "";

describe("sending", () => {
  test("posts in a channel named by its name, and remembers for whom", async () => {
    await using world = await start();
    const value = await world.done(send, { channel_id: "#help", content: "Hello" }, { as: users.ana });
    expect(value).toMatchObject({ content: "Hello", author: { user_id: DEMO.botId } });
    const posted = world.simulator.world.messages.get(said(value));
    expect(posted).toMatchObject({ channel_id: channels.help, content: "Hello" });
    expect(world.sent.users.get(said(value))).toBe(users.ana);
  });

  test("asks elsewhere than where the person speaks, in words that say what and where", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    const here = await world.call(send, { content: "Hi" }, { as: users.ana, approve: false });
    expect(here.kind).toBe("done");
    const asked = await world.question(
      send,
      { channel_id: channels.help, content: "Hi\n@everyone" },
      { as: users.ana },
    );
    expect(asked).toBe("Post “Hi @everyone” in #help?");
  });

  test("is refused where the person cannot write, and where the bot cannot", async () => {
    await using world = await start();
    const there = { channel_id: channels.announcements, content: "x" };
    await world.refused(send, there, { as: users.ana }, "@Ana cannot Send Messages in #announcements");
    await world.refused(send, there, { as: users.owner }, "The bot cannot Send Messages in #announcements");
    await world.refused(
      send,
      { channel_id: channels.staff, content: "x" },
      { as: users.ana },
      "There is no channel with the id",
    );
    await world.refused(send, { content: "x".repeat(2001) }, {}, "2000");
    await world.refused(send, { content: " \n" }, {}, "content");
  });

  test("in slow mode waits as the person would have to, for what the bot posted for them too", async () => {
    await using world = await start();
    const there = { channel_id: channels.random, content: "one" };
    await world.done(send, there, { as: users.ana });
    const outcome = await world.refused(send, there, { as: users.ana }, "slow mode", "#random");
    expect(outcome).toMatchObject({ code: "rate_limited" });
    expect(outcome.retryAfterMs).toBeGreaterThan(0);
    await world.done(send, there, { as: users.ben });
  });

  test("pings roles and everyone, shows links and uses other servers' emojis only as both may", async () => {
    await using world = await start();
    const post = async (content: string, as: string) =>
      world.simulator.world.messages.get(said(await world.done(send, { content }, { as })));
    expect(await post("@everyone", users.ana)).toMatchObject({ mention_everyone: false });
    expect(await post("@everyone", users.owner)).toMatchObject({ mention_everyone: true });
    expect((await post("https://example.org", users.ana))?.flags ?? 0).toBe(0);
    world.simulator.changes.channels.setOverwrite(channels.general, {
      id: users.ana,
      type: "member",
      deny: EmbedLinks | MentionEveryone,
    });
    expect(await post("https://example.org", users.ana)).toMatchObject({
      flags: MessageFlags.SuppressEmbeds,
    });
    await post(`<:anchor_up:${emojiId}>`, users.ana);
    const foreign = { content: "<:far:300000000000000009>" };
    await world.refused(send, foreign, { as: users.ana }, "@Ana cannot Use External Emojis in #general");
    grant(world, users.ana, UseExternalEmojis);
    await world.refused(send, foreign, { as: users.ana }, "The bot cannot Use External Emojis");
    grant(world, DEMO.botId, UseExternalEmojis);
    await world.done(send, foreign, { as: users.ana });
  });

  test("of an emoji that is kept for a role asks for that role", async () => {
    await using world = await start();
    const emoji = world.simulator.world.guild(guildId).emojis.get(emojiId);
    if (emoji !== undefined) Object.assign(emoji, { roles: [DEMO.roles.moderator] });
    const content = `<:anchor_up:${emojiId}>`;
    await world.refused(send, { content }, { as: users.ana }, "keeps for some roles");
    await world.done(send, { content }, { as: users.moderator });
  });

  test("to a locked thread is for moderators, and to an archived one opens it", async () => {
    await using world = await start();
    const { changes } = world.simulator;
    const thread = world.simulator.world.guild(guildId).threads.get(channels.thread);
    const metadata = thread?.thread_metadata;
    if (metadata === undefined) throw new Error("The thread has no metadata.");
    changes.channels.update(channels.thread, { thread_metadata: { ...metadata, locked: true } });
    const there = { channel_id: channels.thread, content: "flags!" };
    await world.refused(
      send,
      there,
      { as: users.ana },
      "@Ana cannot write in #spring regatta, which is locked",
    );
    await world.done(send, there, { as: users.moderator });
    await world.done(send, { ...there, channel_id: channels.archivedThread }, { as: users.ana });
    const opened = world.simulator.world.guild(guildId).threads.get(channels.archivedThread);
    expect(opened?.thread_metadata?.archived).toBe(false);
  });

  test("is refused from one call to the next when the right is taken away", async () => {
    await using world = await start();
    const there = { channel_id: channels.help, content: "x" };
    await world.done(send, there, { as: users.ana });
    const deny = { id: users.ana, type: "member", deny: PermissionFlagsBits.ViewChannel } as const;
    world.simulator.changes.channels.setOverwrite(channels.help, deny);
    await world.refused(send, there, { as: users.ana }, "There is no channel with the id");
  });

  test("by REST that fails is not known to have happened, and is not tried again", async () => {
    await using world = await start();
    world.simulator.faults.rest({ method: "POST", path: /\/messages$/, respond: 502 });
    const outcome = await world.call(send, { content: "once" }, { as: users.ana });
    expect(outcome).toMatchObject({ kind: "unknown", code: "outcome_unknown" });
    expect(world.simulator.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  });
});

describe("replying", () => {
  test("refers to the message, and pings its author only when asked to", async () => {
    await using world = await start();
    const asked = world.simulator.say({ userId: users.ben, channelId: channels.general, content: "Tea?" });
    const value = await world.done(reply, { message_id: asked.id, content: "Yes" }, { as: users.ana });
    expect(value).toMatchObject({ content: "Yes", reply_to: { message_id: asked.id, author: "ben" } });
    expect(world.simulator.world.messages.get(said(value))?.mentions).toEqual([]);
    const loud = await world.done(
      reply,
      { message_id: asked.id, content: "Yes!", ping: true },
      { as: users.ana },
    );
    expect(world.simulator.world.messages.get(said(loud))?.mentions.map(({ id }) => id)).toEqual([users.ben]);
    const link = `https://discord.com/channels/${guildId}/${channels.general}/${asked.id}`;
    await world.done(reply, { message_id: link, content: "By its link" }, { as: users.ana });
  });

  test("asks with the words that it replies to", async () => {
    await using world = await start({ policy: { writes: "ask" } });
    const asked = world.simulator.say({ userId: users.ben, channelId: channels.help, content: "Tea?" });
    const input = { channel_id: channels.help, message_id: asked.id, content: "Yes" };
    expect(await world.question(reply, input, { as: users.ana })).toBe(
      "Post “Yes” as a reply to the message of @Ben in #help: “Tea?”?",
    );
  });

  test("needs the history, the right to write, and a message of that channel", async () => {
    await using world = await start();
    const elsewhere = world.simulator.say({ userId: users.ben, channelId: channels.help, content: "Tea?" });
    const input = { message_id: elsewhere.id, content: "Yes" };
    await world.refused(reply, input, { as: users.ana }, "There is no message with the id");
    await world.refused(reply, { ...input, message_id: "tea" }, { as: users.ana }, "tea is no message");
    const deny = PermissionFlagsBits.ReadMessageHistory;
    world.simulator.changes.channels.setOverwrite(channels.help, { id: users.ana, type: "member", deny });
    await world.refused(
      reply,
      { ...input, channel_id: channels.help },
      { as: users.ana },
      "@Ana cannot Read Message History in #help",
    );
  });
});
