import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { messagesTools } from "../../../src/tools/messages/all.ts";
import { type CallOptions, DEMO, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId } = DEMO;
const { ReadMessageHistory, ViewChannel } = PermissionFlagsBits;
const search = "discord_messages_search";

const start = (more = {}) => startWorld({ tools: messagesTools, resultBytes: 64 * 1024, ...more });

interface Found {
  readonly texts: readonly string[];
  readonly ids: readonly string[];
  readonly channels: readonly string[];
  readonly next_before?: string;
  readonly next_after?: string;
  readonly next_offset?: number;
  readonly note?: string;
}

async function find(world: ToolWorld, input: object, options: CallOptions = {}): Promise<Found> {
  const { messages, ...rest } = Object(await world.done(search, input, options));
  return {
    texts: messages.map(({ content }: { content: string }) => content),
    ids: messages.map(({ message_id }: { message_id: string }) => message_id),
    channels: messages.map(({ channel_id }: { channel_id: string }) => channel_id),
    ...rest,
  };
}

/** `count` messages of Ben's, a second apart, with one in a private thread after each. */
async function kites(count: number) {
  const past = Date.now() - 3_600_000;
  let now = past;
  const world = await start({ now: () => now });
  for (let n = 0; n < count; n++) {
    now += 1000;
    world.simulator.say({ userId: users.ben, channelId: channels.general, content: `kite ${n}` });
    now += 1000;
    world.simulator.say({
      userId: users.moderator,
      channelId: channels.privateThread,
      content: `kite secret ${n}`,
    });
  }
  return world;
}

describe("searching", () => {
  test("goes through every channel that the person can read, and through no other", async () => {
    await using world = await start();
    const { simulator } = world;
    const say = (channelId: string) =>
      simulator.say({ userId: users.owner, channelId, content: `heron in ${channelId}` });
    const everywhere = [
      channels.general,
      channels.help,
      channels.staff,
      channels.thread,
      channels.privateThread,
      channels.sharedThread,
      channels.post,
    ];
    for (const id of everywhere) say(id);
    const seenBy = async (as: string) =>
      (await find(world, { content: "heron", limit: 25 }, { as })).channels;
    expect(await seenBy(users.moderator)).toEqual(everywhere.toReversed());
    const hidden: readonly string[] = [channels.staff, channels.privateThread];
    expect(await seenBy(users.ana)).toEqual(everywhere.filter((id) => !hidden.includes(id)).toReversed());
    expect(await seenBy(users.ben)).toEqual([
      channels.post,
      channels.thread,
      channels.help,
      channels.general,
    ]);
    const deny = { id: users.ben, type: "member", deny: ReadMessageHistory } as const;
    simulator.changes.channels.setOverwrite(channels.general, deny);
    expect(await seenBy(users.ben)).toEqual([channels.post, channels.help]);
  });

  test("says the same of what is hidden and of what is not there", async () => {
    await using world = await start();
    const as = users.ana;
    const absent = await find(world, { content: "nothing of the kind" }, { as });
    for (const content of ["boathouse", "band"])
      expect(await find(world, { content }, { as })).toEqual(absent);
    expect((await find(world, { content: "band" }, { as: users.moderator })).texts).toHaveLength(1);
    const outcome = await world.call(search, { content: "boathouse" }, { as });
    expect(outcome.sources).toEqual([`guild:${guildId}`]);
    const seen = await world.call(search, { content: "boathouse" }, { as: users.moderator });
    expect(seen.sources).toEqual([`guild:${guildId}`, `channel:${channels.staff}`]);
  });

  test("comes from the channels of what is on other pages too, since that there is more is told", async () => {
    await using world = await start();
    world.simulator.say({ userId: users.moderator, channelId: channels.staff, content: "heron" });
    world.simulator.say({ userId: users.ben, channelId: channels.help, content: "heron" });
    const first = await world.call(search, { content: "heron", limit: 1 }, { as: users.moderator });
    expect(first.value).toMatchObject({ next_offset: 1, messages: [{ channel_id: channels.help }] });
    expect(first.sources).toContain(`channel:${channels.staff}`);
  });

  test("asks Discord for nothing when the person can read nothing", async () => {
    await using world = await start();
    const everyone = world.simulator.world.guild(guildId).roles.get(guildId);
    const bits = BigInt(everyone?.permissions ?? 0) & ~(ReadMessageHistory | ViewChannel);
    world.simulator.changes.guilds.updateRole(guildId, guildId, { permissions: String(bits) });
    expect((await find(world, { content: "regatta" }, { as: users.ana })).texts).toEqual([]);
    expect(world.simulator.requests.some(({ path }) => path.endsWith("/messages/search"))).toBe(false);
  });

  test("in one channel, by its name, with its threads, and with people by theirs", async () => {
    await using world = await start();
    const { simulator } = world;
    const as = users.ana;
    const hello = simulator.say({
      userId: users.ben,
      channelId: channels.help,
      content: `tide for <@${users.ana}>`,
    });
    simulator.say({ userId: users.ben, channelId: channels.general, content: "tide" });
    simulator.say({ userId: users.owner, channelId: channels.help, content: "tide" });
    const input = { content: "tide", channel_id: "#help", author_id: "@Benny", mentions: "ana" };
    expect((await find(world, input, { as })).ids).toEqual([hello.id]);
    expect((await find(world, { content: "tide", channel_id: "help" }, { as })).ids).toHaveLength(2);
    const named = await world.call(search, { content: "tide", channel_id: "help" }, { as });
    expect(named.sources).toEqual([`guild:${guildId}`, `channel:${channels.help}`]);
    const ideas = await find(world, { channel_id: "ideas", content: "dock" }, { as });
    expect(ideas.channels).toEqual([channels.post]);
    await world.refused(
      search,
      { content: "x", channel_id: channels.staff },
      { as },
      "There is no channel with the id",
    );
    await world.refused(search, { author_id: "@nobody" }, { as }, "nobody called nobody");
  });

  test("by what is in a message", async () => {
    await using world = await start();
    const withFile = world.simulator.say({
      userId: users.ben,
      channelId: channels.help,
      content: "chart",
      attachments: [{ filename: "chart.pdf", contentType: "application/pdf" }],
    });
    world.simulator.say({ userId: users.ben, channelId: channels.help, content: "chart" });
    expect((await find(world, { content: "chart", has: ["file"] }, { as: users.ana })).ids).toEqual([
      withFile.id,
    ]);
    await world.refused(search, { has: ["secrets"] }, { as: users.ana }, "has");
  });

  test("goes page by page through everything, newest or oldest first, past what is hidden", async () => {
    await using world = await kites(60);
    const all = Array.from({ length: 60 }, (_, n) => `kite ${n}`);
    const newest: string[] = [];
    let before: string | undefined;
    do {
      const part = await find(
        world,
        { content: "kite", limit: 25, ...(before === undefined ? {} : { before }) },
        { as: users.ana },
      );
      newest.push(...part.texts);
      before = part.next_before;
      expect(part.note).toBeUndefined();
    } while (before !== undefined);
    expect(newest).toEqual(all.toReversed());
    const first = await find(world, { content: "kite", sort: "oldest", limit: 25 }, { as: users.ana });
    const second = await find(
      world,
      { content: "kite", sort: "oldest", limit: 25, after: first.next_after },
      { as: users.ana },
    );
    expect([...first.texts, ...second.texts]).toEqual(all.slice(0, 50));
    const passed = await find(world, { content: "kite", limit: 25, offset: 25 }, { as: users.ana });
    expect(passed.texts).toEqual(all.toReversed().slice(25, 50));
    expect(passed.next_offset).toBe(50);
    const related = await find(world, { content: "kite", sort: "relevance", limit: 25 }, { as: users.ana });
    expect(related.next_offset).toBe(25);
    const more = await find(
      world,
      { content: "kite", sort: "relevance", limit: 25, offset: 50 },
      { as: users.ana },
    );
    expect(more.texts).toHaveLength(10);
    expect(more.next_offset).toBeUndefined();
  });

  test("says when there was more than is looked through at once, by what the person sees of it", async () => {
    await using world = await start();
    for (let n = 0; n < 110; n++) {
      const thread = { name: `reef ${n}`, kind: "thread", parentId: channels.help } as const;
      const { id } = world.simulator.changes.channels.add(guildId, { ...thread, ownerId: users.ben });
      world.simulator.say({ userId: users.ben, channelId: id, content: "cod" });
    }
    const found = await find(world, { content: "cod", limit: 25, offset: 200 }, { as: users.ana });
    expect(found.note).toContain("narrow the search");
  });

  test("tells no number of what is hidden by what it leaves out", async () => {
    await using world = await start();
    const as = users.ana;
    const absent = await find(world, { content: "kite" }, { as });
    for (let n = 0; n < 520; n++)
      world.simulator.say({ userId: users.moderator, channelId: channels.privateThread, content: "kite" });
    expect(await find(world, { content: "kite" }, { as })).toEqual(absent);
  });

  test("by time, which the ids hold, or from message to message", async () => {
    let now = Date.UTC(2026, 4, 1, 12);
    await using world = await start({ now: () => now });
    const say = (content: string) => {
      now += 60_000;
      return world.simulator.say({ userId: users.ben, channelId: channels.general, content });
    };
    const [one, two, three] = [say("gull one"), say("gull two"), say("gull three")];
    const as = users.ana;
    const texts = async (input: object) => (await find(world, { content: "gull", ...input }, { as })).texts;
    expect(await texts({ after: "2026-05-01T12:02:00Z" })).toEqual(["gull three", "gull two"]);
    expect(await texts({ before: "2026-05-01T12:02:00Z" })).toEqual(["gull one"]);
    expect(await texts({ after: one?.id, before: three?.id })).toEqual(["gull two"]);
    await world.refused(search, { after: two?.id, before: one?.id }, { as }, "after must be earlier");
    await world.refused(search, { after: "yesterday" }, { as }, "after must be an ISO 8601 time");
    await world.refused(search, {}, { as }, "Give at least one of");
    await world.refused(search, { content: "x", offset: 226 }, { as }, "offset");
    await world.refused(search, { content: "x", limit: 26 }, { as }, "limit");
  });

  test("of an age-restricted channel only when that is named", async () => {
    await using world = await start();
    world.simulator.changes.channels.update(channels.help, { nsfw: true });
    await find(world, { content: "bowline" }, { as: users.ana });
    await find(world, { content: "bowline", channel_id: channels.help }, { as: users.ana });
    const asked = world.simulator.requests.filter(({ path }) => path.endsWith("/messages/search"));
    expect(asked.map(({ query }) => query.include_nsfw)).toEqual([undefined, "true"]);
  });

  test("waits for Discord's index, and is no matter of direct messages", async () => {
    await using world = await start();
    const body = {
      message: "Index not yet available. Try again later",
      code: 110000,
      documents_indexed: 0,
      retry_after: 2,
    };
    world.simulator.faults.rest({ path: /messages\/search$/, respond: 202, body });
    const outcome = await world.call(search, { content: "x" }, { as: users.ana });
    expect(outcome).toMatchObject({ kind: "failed", code: "discord_unavailable", retryAfterMs: 2000 });
    expect(outcome.text).toContain("try again in 2 s");
    const direct = { as: users.ana, guild: null, channel: world.simulator.openDirectMessage(users.ana) };
    await world.refused(search, { content: "x" }, direct, "works in servers only");
  });

  test("shows nothing any more of a channel that was closed to the person since", async () => {
    await using world = await start();
    const as = users.ana;
    expect((await find(world, { content: "bowline" }, { as })).texts).toHaveLength(1);
    const deny = { id: users.ana, type: "member", deny: ViewChannel } as const;
    world.simulator.changes.channels.setOverwrite(channels.help, deny);
    expect((await find(world, { content: "bowline" }, { as })).texts).toEqual([]);
  });
});
