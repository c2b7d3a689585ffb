import { describe, expect, test } from "bun:test";
import { ChannelType } from "discord-api-types/v10";
import { channels, guildId, Rig, users } from "./harness.ts";

const { signal } = new AbortController();
const nobody = "1212912186163299999";

/** Requests after so many, those with which messages are caught up with apart. */
const asked = (rig: Rig, from: number): string[] =>
  rig.sim.requests
    .slice(from)
    .map(({ method, path }) => `${method} ${path}`)
    .filter((request) => !request.includes("/messages"))
    .toSorted();

const ofGuild = (rig: Rig): number =>
  rig.sim.requests.filter(({ path }) => path.startsWith(`/guilds/${guildId}/channels`)).length;

describe("locating a channel for somebody", () => {
  test("sends the same two requests for one that is there, one that is hidden and one that does not exist", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("hello"));
    const { facts } = rig.discord;
    rig.sim.changes.channels.removeOverwrite(channels.staff, rig.sim.botUser.id);
    for (const id of [channels.general, channels.thread, channels.privateThread, channels.staff, nobody]) {
      const before = rig.sim.requests.length;
      await facts.locate(id, users.ana, signal);
      expect(asked(rig, before)).toEqual([
        `GET /channels/${id}`,
        `GET /channels/${id}/thread-members/${users.ana}`,
      ]);
    }
  });

  test("says what it is, and whether they belong to it", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    const general = await facts.locate(channels.general, users.ana, signal);
    expect(general).toMatchObject({
      channel: { guildId, name: "general", thread: null },
      isThreadMember: false,
    });
    const of = (userId: string) => facts.locate(channels.privateThread, userId, signal);
    expect(await of(users.moderator)).toMatchObject({
      channel: { type: ChannelType.PrivateThread, parentId: channels.general },
      isThreadMember: true,
    });
    expect(await of(users.ana)).toMatchObject({ isThreadMember: false });
  });

  test("finds nothing where there is nothing, or nothing that the bot can see", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    expect(await facts.locate(nobody, users.ana, signal)).toBeNull();
    const body = { message: "Missing Access", code: 50001 };
    rig.sim.faults.rest({ path: /^\/channels\/\d+/, respond: 403, body, times: 2 });
    expect(await facts.locate(channels.staff, users.ana, signal)).toBeNull();
  });

  test("is no finding when Discord does not answer one of the two", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    const paths = [
      new RegExp(`^/channels/${channels.thread}$`),
      new RegExp(`^/channels/${channels.thread}/thread-members/`),
    ];
    for (const path of paths) {
      rig.sim.faults.rest({ path, respond: 503, times: 5 });
      const error = await facts.locate(channels.thread, users.ana, signal).catch((one: unknown) => one);
      expect(error).toHaveProperty("code", "discord_unavailable");
      rig.sim.faults.clear();
    }
  });

  test("answers only when both have been answered", async () => {
    await using rig = await Rig.start();
    const held = rig.sim.faults.rest({ path: /thread-members/, respond: "hold" });
    let isDone = false;
    const located = rig.discord.facts.locate(nobody, users.ana, signal).then((found) => {
      isDone = true;
      return found;
    });
    while (!rig.sim.requests.some(({ path }) => path === `/channels/${nobody}`))
      await new Promise((resolve) => setImmediate(resolve));
    await rig.discord.reader.user(users.ana, signal);
    expect([held.hits, isDone]).toEqual([1, false]);
    held.release();
    expect(await located).toBeNull();
  });
});

describe("the channels of a server", () => {
  test("are the known ones, without a request and without threads", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("hello"));
    const before = ofGuild(rig);
    const found = await rig.discord.facts.channels(guildId, signal);
    expect(found.map(({ id }) => id).toSorted()).toEqual(
      [...rig.sim.world.guild(guildId).channels.keys()].toSorted(),
    );
    expect(ofGuild(rig)).toBe(before);
  });

  test("are read while what is known cannot be trusted, and then none is known", async () => {
    await using rig = await Rig.start({ timing: { trustMs: 0 } });
    const { facts } = rig.discord;
    const before = ofGuild(rig);
    for (let n = 0; n < 2; n++)
      expect((await facts.channels(guildId, signal)).map(({ id }) => id)).toContain(channels.general);
    expect(ofGuild(rig) - before).toBe(2);
    expect(facts.knownChannel(channels.general)).toBeNull();
  });

  test("are read together with the server after a resume, once", async () => {
    await using rig = await Rig.start();
    await rig.handled(rig.say("hello"));
    const before = ofGuild(rig);
    await rig.restart();
    const { facts } = rig.discord;
    const [found] = await Promise.all([facts.channels(guildId, signal), facts.guild(guildId, signal)]);
    expect(found.map(({ id }) => id)).not.toContain(channels.thread);
    expect(ofGuild(rig) - before).toBe(1);
    expect(facts.knownChannel(channels.thread)?.parentId).toBe(channels.general);
  });
});
