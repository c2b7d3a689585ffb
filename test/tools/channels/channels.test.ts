import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import type { WorldSeed } from "../../../src/simulator/discord/seed.ts";
import { channelsTools } from "../../../src/tools/channels/all.ts";
import { actorOf, DEMO, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId, roles } = DEMO;
const { ManageChannels, ManageThreads, ViewChannel, Connect } = PermissionFlagsBits;

const open = (seed?: (seed: WorldSeed) => WorldSeed) =>
  startWorld({ tools: channelsTools, ...(seed === undefined ? {} : { seed }) });

/** Crew, to which Ana belongs, manages channels: in the server, or in one channel alone. */
const crewMay =
  (bits: bigint, where: string | null = null) =>
  (seed: WorldSeed): WorldSeed => ({
    ...seed,
    guilds: seed.guilds.map((guild) => ({
      ...guild,
      roles: (guild.roles ?? []).map((role) =>
        role.id === roles.crew && where === null ? { ...role, permissions: bits } : role,
      ),
      channels: (guild.channels ?? []).map((channel) =>
        channel.id === where
          ? {
              ...channel,
              overwrites: [
                ...(channel.overwrites ?? []),
                { id: roles.crew, type: "role" as const, allow: bits },
              ],
            }
          : channel,
      ),
    })),
  });

const named = (world: ToolWorld, name: string) =>
  [...(world.simulator.world.guilds.get(guildId)?.channels.values() ?? [])].find((one) => one.name === name);
const namesIn = (value: unknown): string[] =>
  (value as { channels: { name: string }[] }).channels.map(({ name }) => name);

describe("the list", () => {
  test("is what the person sees, category by category", async () => {
    await using world = await open();
    const ana = await world.done("discord_channels_list", {}, { as: users.ana });
    expect(namesIn(ana)).toEqual([
      "announcements",
      "ideas",
      "Quayside",
      "general",
      "help",
      "random",
      "Wheelhouse",
    ]);
    expect(ana).toMatchObject({
      channels: expect.arrayContaining([
        {
          channel_id: channels.general,
          name: "general",
          type: "text",
          topic: "Say hello",
          category: "Quayside",
          category_id: channels.category,
          position: expect.any(Number),
        },
      ]),
    });
    expect(namesIn(await world.done("discord_channels_list", {}, { as: users.moderator }))).toContain(
      "staff",
    );
  });

  test("names what not all members see among its sources, and nothing else", async () => {
    await using world = await open();
    const { sources } = await world.call("discord_channels_list", {}, { as: users.moderator });
    expect(sources).toEqual([`guild:${guildId}`, `channel:${channels.staff}`]);
    const { sources: plain } = await world.call("discord_channels_list", {}, { as: users.ana });
    expect(plain).toEqual([`guild:${guildId}`]);
  });

  test("counts the places of what the person sees, whatever stands hidden between", async () => {
    await using world = await open();
    const quayside = { kind: "text", parentId: channels.category } as const;
    const places = async (as: string) => {
      const value = await world.done("discord_channels_list", { category_id: channels.category }, { as });
      return Object.fromEntries(
        Object(value).channels.map(({ name, position }: { name: string; position: number }) => [
          name,
          position,
        ]),
      );
    };
    for (const name of ["vault", "ledger"]) {
      const { id } = world.simulator.changes.channels.add(guildId, { ...quayside, name });
      world.simulator.changes.channels.setOverwrite(id, {
        ...{ id: guildId, type: "role", deny: ViewChannel },
      });
      world.simulator.changes.channels.setOverwrite(id, {
        ...{ id: DEMO.botId, type: "member", allow: ViewChannel },
      });
    }
    world.simulator.changes.channels.add(guildId, { ...quayside, name: "pier" });
    expect(await places(users.ana)).toEqual({ general: 0, help: 1, random: 2, pier: 3, Wheelhouse: 0 });
    expect(await places(users.owner)).toMatchObject({ vault: 3, ledger: 4, pier: 5, Wheelhouse: 0 });
  });

  test("is filtered, and comes in pages", async () => {
    await using world = await open();
    const list = async (input: object) => await world.done("discord_channels_list", input, { as: users.ana });
    expect(namesIn(await list({ type: "voice" }))).toEqual(["Wheelhouse"]);
    expect(namesIn(await list({ name: "RAN" }))).toEqual(["random"]);
    expect(namesIn(await list({ category_id: "Quayside" }))).toEqual([
      "general",
      "help",
      "random",
      "Wheelhouse",
    ]);
    const first = await list({ limit: 4 });
    expect(first).toMatchObject({ next_offset: 4 });
    const second = await list({ limit: 4, offset: 4 });
    expect(second).not.toHaveProperty("next_offset");
    expect([...namesIn(first), ...namesIn(second)]).toEqual(namesIn(await list({})));
    await world.refused("discord_channels_list", { type: "thread" }, { as: users.ana }, "type");
  });

  test("names no category that the person does not see", async () => {
    await using world = await open((seed) => ({
      ...seed,
      guilds: seed.guilds.map((guild) => ({
        ...guild,
        channels: (guild.channels ?? []).map((one) =>
          one.id === channels.category
            ? { ...one, overwrites: [{ id: users.ana, type: "member" as const, deny: ViewChannel }] }
            : one,
        ),
      })),
    }));
    const text = JSON.stringify(await world.done("discord_channels_list", {}, { as: users.ana }));
    expect(text).toContain("general");
    expect(text).not.toContain("Quayside");
    const info = await world.done(
      "discord_channel_info",
      { channel_id: channels.general },
      { as: users.ana },
    );
    expect(info).not.toHaveProperty("category");
  });

  test("is of servers alone", async () => {
    await using world = await open();
    const channel = world.simulator.openDirectMessage(users.ana);
    await world.refused(
      "discord_channels_list",
      {},
      { as: users.ana, guild: null, channel },
      "direct message",
    );
  });
});

describe("a description", () => {
  test("is given of any channel that the person sees, by its name too", async () => {
    await using world = await open();
    expect(
      await world.done("discord_channel_info", { channel_id: "#help" }, { as: users.ana }),
    ).toMatchObject({
      channel_id: channels.help,
      type: "text",
      topic: "Ask the crew",
      category: "Quayside",
    });
    const thread = await world.done(
      "discord_channel_info",
      { channel_id: channels.thread },
      { as: users.ana },
    );
    expect(thread).toMatchObject({ type: "thread", parent_name: "general", archived: false });
  });

  test("is the same refusal for what is hidden and for what does not exist", async () => {
    await using world = await open();
    const ids = [channels.staff, channels.privateThread, "123456789012345678"];
    const answers = await Promise.all(
      ids.map(async (id) => {
        const { code, text } = await world.call(
          "discord_channel_info",
          { channel_id: id },
          { as: users.ana },
        );
        return `${code} ${text.replace(id, "…")}`;
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers.join()).toStartWith("not_found");
  });
});

describe("a new channel", () => {
  test("is made with its settings, in its category, with the reason", async () => {
    await using world = await open();
    const value = await world.done("discord_channel_create", {
      name: "Tide Tables",
      category_id: "Quayside",
      topic: "High and low",
      slow_mode_seconds: 30,
      age_restricted: true,
      reason: "asked for",
    });
    expect(value).toMatchObject({
      name: "tide-tables",
      type: "text",
      category: "Quayside",
      slow_mode_seconds: 30,
    });
    expect(named(world, "tide-tables")).toMatchObject({
      parent_id: channels.category,
      topic: "High and low",
      rate_limit_per_user: 30,
      nsfw: true,
    });
    expect(world.reasons()).toEqual([`For @Olive (${users.owner}): asked for`]);
  });

  test("of another kind has what that kind has", async () => {
    await using world = await open();
    await world.done("discord_channel_create", {
      name: "Deck",
      type: "voice",
      bitrate: 64_000,
      user_limit: 5,
    });
    expect(named(world, "Deck")).toMatchObject({
      type: ChannelType.GuildVoice,
      bitrate: 64_000,
      user_limit: 5,
    });
    await world.done("discord_channel_create", { name: "Hold", type: "category" });
    expect(named(world, "Hold")).toMatchObject({ type: ChannelType.GuildCategory });
    const wrong = async (input: object, ...words: string[]) =>
      await world.refused("discord_channel_create", { name: "x", ...input }, {}, ...words);
    await wrong({ type: "voice", topic: "x" }, "voice has no topic");
    await wrong({ topic: "x".repeat(1025) }, "at most 1024");
    await wrong({ type: "voice", user_limit: 100 }, "at most 99");
    await wrong({ type: "category", category_id: "Quayside" }, "A category cannot be in another one");
    await wrong({ category_id: "#general" }, "this works for: category");
    await wrong({ name: "x".repeat(101) }, "name");
  });

  test("takes Manage Channels in the server, or in its category", async () => {
    await using world = await open(crewMay(ManageChannels, channels.category));
    await world.refused(
      "discord_channel_create",
      { name: "x" },
      { as: users.ana },
      "@Ana cannot Manage Channels in Harbour",
    );
    await world.refused(
      "discord_channel_create",
      { name: "x", category_id: "Quayside" },
      { as: users.ben },
      "@Benny cannot Manage Channels in #Quayside",
    );
    await world.done("discord_channel_create", { name: "x", category_id: "Quayside" }, { as: users.ana });
    expect(named(world, "x")).toMatchObject({ parent_id: channels.category });
  });

  test("is asked about in words where the policy says so", async () => {
    await using world = await startWorld({ tools: channelsTools, policy: { writes: "ask" } });
    const text = await world.question("discord_channel_create", {
      name: "tea",
      type: "forum",
      slow_mode_seconds: 5,
    });
    expect(text).toBe('Create the forum channel “tea” in "Harbour", with slow mode 5 s?');
  });
});

describe("a change", () => {
  test("is made of what is named alone", async () => {
    await using world = await open(crewMay(ManageChannels, channels.help));
    const input = { channel_id: "#help", topic: "Ask anything", slow_mode_seconds: 10 };
    const value = await world.done("discord_channel_edit", input, { as: users.ana });
    expect(value).toMatchObject({ name: "help", topic: "Ask anything", slow_mode_seconds: 10 });
    expect(named(world, "help")).toMatchObject({ topic: "Ask anything", rate_limit_per_user: 10 });
    await world.done(
      "discord_channel_edit",
      { channel_id: "#help", name: "ask", topic: "" },
      { as: users.ana },
    );
    expect(named(world, "ask")?.id).toBe(channels.help);
    expect((named(world, "ask") as { topic?: string | null }).topic || null).toBeNull();
  });

  test("takes Manage Channels there, of the person and of the bot", async () => {
    await using world = await open((seed) => ({
      ...seed,
      guilds: seed.guilds.map((guild) => ({
        ...guild,
        channels: (guild.channels ?? []).map((one) =>
          one.id === channels.random
            ? { ...one, overwrites: [{ id: roles.bot, type: "role" as const, deny: ManageChannels }] }
            : one,
        ),
      })),
    }));
    const input = { channel_id: "#help", topic: "x" };
    await world.refused(
      "discord_channel_edit",
      input,
      { as: users.ana },
      "@Ana cannot Manage Channels in #help",
    );
    await world.refused(
      "discord_channel_edit",
      { channel_id: "#random", topic: "x" },
      {},
      "The bot cannot Manage Channels in #random",
    );
  });

  test("has to be one, of a channel that is no thread, within its limits", async () => {
    await using world = await open();
    await world.refused("discord_channel_edit", { channel_id: "#help" }, {}, "Say what is to change");
    await world.refused(
      "discord_channel_edit",
      { channel_id: channels.thread, name: "x" },
      {},
      "#spring regatta is a channel of the kind thread",
    );
    await world.refused(
      "discord_channel_edit",
      { channel_id: "#help", bitrate: 8000 },
      {},
      "text has no bitrate",
    );
    await world.refused(
      "discord_channel_edit",
      { channel_id: "#help", slow_mode_seconds: 21_601 },
      {},
      "slow_mode_seconds",
    );
  });
});

describe("a move", () => {
  test("goes into a category and out of it, and leaves the permissions", async () => {
    await using world = await open();
    const before = named(world, "staff")?.permission_overwrites;
    expect(
      await world.done("discord_channel_move", { channel_id: "#staff", category_id: "Quayside" }),
    ).toMatchObject({
      category: "Quayside",
      permissions: "unchanged",
    });
    expect(named(world, "staff")).toMatchObject({
      parent_id: channels.category,
      permission_overwrites: before,
    });
    await world.done("discord_channel_move", { channel_id: "#staff", out_of_category: true });
    expect(named(world, "staff")).toMatchObject({ parent_id: null, permission_overwrites: before });
  });

  test("puts it in its place among those that the person sees", async () => {
    await using world = await open();
    const inCategory = async () =>
      namesIn(await world.done("discord_channels_list", { category_id: "Quayside" }));
    await world.done("discord_channel_move", { channel_id: "#random", place: 0 });
    expect(await inCategory()).toEqual(["random", "general", "help", "Wheelhouse"]);
    await world.done("discord_channel_move", { channel_id: "#random", place: 9 });
    expect(await inCategory()).toEqual(["general", "help", "random", "Wheelhouse"]);
    await world.done("discord_channel_move", { channel_id: "#staff", category_id: "Quayside", place: 1 });
    expect(await inCategory()).toEqual(["general", "staff", "help", "random", "Wheelhouse"]);
  });

  test("takes Manage Channels there, where it goes, and for another place in the server", async () => {
    await using world = await open(crewMay(ManageChannels, channels.announcements));
    const as = users.ana;
    await world.refused(
      "discord_channel_move",
      { channel_id: "#help", place: 0 },
      { as },
      "@Ana cannot Manage Channels in #help",
    );
    await world.refused(
      "discord_channel_move",
      { channel_id: "#announcements", category_id: "Quayside" },
      { as },
      "in #Quayside",
    );
    await world.refused(
      "discord_channel_move",
      { channel_id: "#announcements", place: 0 },
      { as },
      "in Harbour",
    );
    await world.refused(
      "discord_channel_move",
      { channel_id: "#announcements", out_of_category: true },
      { as },
      "in Harbour",
    );
  });

  test("has to go somewhere, and to one place", async () => {
    await using world = await open();
    await world.refused("discord_channel_move", { channel_id: "#help" }, {}, "Say where to");
    await world.refused(
      "discord_channel_move",
      { channel_id: "#help", category_id: "Quayside", out_of_category: true },
      {},
      "at most one",
    );
    await world.refused(
      "discord_channel_move",
      { channel_id: "Quayside", category_id: "Quayside" },
      {},
      "cannot be in another one",
    );
  });
});

describe("deleting", () => {
  test("asks always, and says what is lost", async () => {
    await using world = await open();
    const asked = (id: string) => world.question("discord_channel_delete", { channel_id: id });
    expect(await asked("#help")).toBe(
      "Delete #help with every message and thread in it? This cannot be undone.",
    );
    expect(await asked("#ideas")).toContain("with every post in it");
    expect(await asked("Quayside")).toContain("its channels stay");
    expect(await asked(channels.thread)).toContain('the thread "spring regatta" of #general');
    expect(named(world, "help")).toBeDefined();
    expect(
      await world.done("discord_channel_delete", { channel_id: "#help", reason: "empty" }),
    ).toMatchObject({
      name: "help",
      deleted: true,
    });
    expect(named(world, "help")).toBeUndefined();
    expect(world.reasons()).toEqual([`For @Olive (${users.owner}): empty`]);
  });

  test("takes Manage Channels, of threads Manage Threads", async () => {
    await using world = await open(crewMay(ManageThreads));
    const as = users.ana;
    await world.refused(
      "discord_channel_delete",
      { channel_id: "#help" },
      { as },
      "@Ana cannot Manage Channels in #help",
    );
    await world.refused(
      "discord_channel_delete",
      { channel_id: channels.thread },
      { as: users.ben },
      "@Benny cannot Manage Threads in #spring regatta",
    );
    await world.done("discord_channel_delete", { channel_id: channels.thread }, { as });
    expect(world.simulator.world.channel(channels.thread)).toBeNull();
  });

  test("of a voice channel takes Connect, too", async () => {
    await using world = await open((seed) => {
      const managing = crewMay(ManageChannels)(seed);
      return {
        ...managing,
        guilds: managing.guilds.map((guild) => ({
          ...guild,
          channels: (guild.channels ?? []).map((one) =>
            one.id === channels.voice
              ? { ...one, overwrites: [{ id: roles.crew, type: "role" as const, deny: Connect }] }
              : one,
          ),
        })),
      };
    });
    const voice = { channel_id: channels.voice };
    await world.refused(
      "discord_channel_delete",
      voice,
      { as: users.ana },
      "@Ana cannot Manage Channels in #Wheelhouse",
    );
    await world.done("discord_channel_delete", voice);
    expect(world.simulator.world.channel(channels.voice)).toBeNull();
  });

  test("is not possible in a direct message", async () => {
    await using world = await open();
    const channel = world.simulator.openDirectMessage(users.ana);
    const actor = actorOf({ as: users.ana, guild: null, channel });
    await world.refused("discord_channel_delete", { channel_id: channel }, { as: actor }, "direct message");
  });
});
