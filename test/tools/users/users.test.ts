import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { ToolPolicy } from "../../../src/config/tool-policy.ts";
import { usersTools } from "../../../src/tools/users/all.ts";
import { type CallOptions, DEMO, startWorld, type ToolWorld } from "../world.ts";

const { users, guildId, botId } = DEMO;
const lookup = "discord_user_lookup";
const message = "discord_user_message";
const nowhere = "123456789012345678";
const ana: CallOptions = { as: users.ana };

const open = (policy: Partial<ToolPolicy> = {}) => startWorld({ tools: usersTools, policy });

const direct = (world: ToolWorld, userId: string): CallOptions => ({
  as: userId,
  guild: null,
  channel: world.simulator.openDirectMessage(userId),
});

const postedAs = (world: ToolWorld, value: unknown) =>
  world.simulator.world.messages.get((value as { message_id: string }).message_id);

/** The answers without the ids that they speak of. */
async function answers(
  world: ToolWorld,
  tool: string,
  ids: readonly string[],
  where: CallOptions,
  input: object = {},
) {
  const all: string[] = [];
  for (const id of ids) {
    const { kind, code, text } = await world.call(tool, { user_id: id, ...input }, where);
    all.push(`${kind} ${code} ${text.replaceAll(id, "…")}`);
  }
  return all;
}

describe("looking up", () => {
  test("tells about the person who asks, with roles by name, highest first", async () => {
    await using world = await open();
    const until = new Date(Date.now() + 60_000).toISOString();
    const member = world.simulator.world.guilds.get(guildId)?.members.get(users.moderator);
    if (member === undefined) throw new Error("No such member.");
    Object.assign(member, { communication_disabled_until: until });
    expect(await world.done(lookup, {}, { as: users.moderator })).toMatchObject({
      user_id: users.moderator,
      username: "mika",
      display_name: "Mika",
      bot: false,
      created_at: "2024-03-01T00:00:00.000Z",
      member: { nick: null, roles: ["Moderator", "Crew"], timed_out_until: until },
    });
  });

  test("tells of others' time-outs to those who can give one, as what not everybody sees", async () => {
    await using world = await open();
    const until = Date.now() + 60_000;
    world.simulator.changes.members.timeout(guildId, users.ben, until);
    const toAna = await world.call(lookup, { user_id: users.ben }, ana);
    expect(toAna.value).toMatchObject({ member: { nick: "Benny" } });
    expect(JSON.stringify(toAna.value)).not.toContain("timed_out");
    expect(toAna.sources).toEqual([`user:${users.ben}`, `guild:${guildId}`]);
    const toMika = await world.call(lookup, { user_id: users.ben }, { as: users.moderator });
    const shown = { timed_out_until: new Date(until).toISOString() };
    expect(toMika.value).toMatchObject({ member: shown });
    expect(toMika.sources).toContain(`guild:${guildId}:${PermissionFlagsBits.ModerateMembers}`);
  });

  test("finds another member by name, mention or id", async () => {
    await using world = await open();
    for (const said of ["@Benny", "ben", `<@${users.ben}>`, users.ben])
      expect(await world.done(lookup, { user_id: said }, ana)).toMatchObject({
        username: "ben",
        member: { nick: "Benny" },
      });
    const { sources } = await world.call(lookup, { user_id: users.ben }, ana);
    expect(sources).toEqual([`user:${users.ben}`, `guild:${guildId}`]);
  });

  test("answers for a stranger as for nobody, unless the person may ban them", async () => {
    await using world = await open();
    const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
    const [known, unknown] = await answers(world, lookup, [stranger.id, nowhere], ana);
    expect(known).toBe(unknown ?? "");
    expect(known).toBe("refused not_found There is nobody with the id … who can be seen from here.");
    expect(await world.done(lookup, { user_id: stranger.id }, { as: users.moderator })).toMatchObject({
      username: "stranger",
      member: null,
    });
    const [nobody] = await answers(world, lookup, [nowhere], { as: users.moderator });
    expect(nobody).toBe(unknown ?? "");
  });

  test("costs the same requests for a stranger and for nobody", async () => {
    await using world = await open();
    const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
    const asked = async (id: string) => {
      const before = world.simulator.requests.length;
      await world.call(lookup, { user_id: id }, ana);
      const paths = world.simulator.requests
        .slice(before)
        .map(({ method, path }) => `${method} ${path.replaceAll(id, "…")}`);
      return paths.sort();
    };
    await asked(users.ben);
    expect(await asked(stranger.id)).toEqual(await asked(nowhere));
  });

  test("in a direct message knows the two who are there, and nobody else", async () => {
    await using world = await open();
    const where = direct(world, users.ana);
    const own = await world.done(lookup, {}, where);
    expect(own).toMatchObject({ username: "ana" });
    expect(own).not.toHaveProperty("member");
    expect(await world.done(lookup, { user_id: botId }, where)).toMatchObject({ username: "harbour-pilot" });
    const [ben, unknown] = await answers(world, lookup, [users.ben, nowhere], where);
    expect(ben).toBe(unknown ?? "");
  });
});

describe("a direct message", () => {
  test("goes to the person who asks, without pings, and is written down", async () => {
    await using world = await open();
    const value = await world.done(message, { content: "Tea at four @everyone" }, ana);
    const posted = postedAs(world, value);
    expect(posted).toMatchObject({
      channel_id: world.simulator.openDirectMessage(users.ana),
      content: "Tea at four @everyone",
      mention_everyone: false,
    });
    expect(value).toMatchObject({ message_id: posted?.id, user_id: users.ana });
    expect(await world.sent.userOf(posted?.id ?? "")).toBe(users.ana);
  });

  test("goes to nobody else, unless the operator allows it", async () => {
    await using world = await open();
    await world.refused(
      message,
      { user_id: "@Benny", content: "Psst" },
      ana,
      "not to @Benny",
      "direct_messages",
    );
    const [ben, unknown] = await answers(world, message, [users.ben, nowhere], direct(world, users.ana), {
      content: "Psst",
    });
    expect(ben).toBe(unknown ?? "");
  });

  test("to another member says on whose behalf, where no text can stand before it", async () => {
    await using world = await open({ directMessages: "members", writes: "ask" });
    const input = { user_id: "@Benny", content: "Bring tea" };
    expect(await world.question(message, input, ana)).toBe(
      `Send @Benny (${users.ben}) the direct message “Bring tea”?`,
    );
    const posted = postedAs(world, await world.done(message, input, ana));
    expect(posted?.channel_id).toBe(world.simulator.openDirectMessage(users.ben));
    expect(posted?.content).toBe(`-# On behalf of <@${users.ana}>:\nBring tea`);
    expect(posted?.mentions).toEqual([]);
    const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
    const [known, unknown] = await answers(world, message, [stranger.id, nowhere], ana, { content: "Psst" });
    expect(known).toBe(unknown ?? "");
    await world.refused(message, { user_id: "tide-tables", content: "Psst" }, ana, "is a bot");
  });

  test("asks before what was read in a private channel goes to who cannot read it", async () => {
    await using world = await open({ directMessages: "members" });
    const sources = [`channel:${DEMO.channels.staff}`];
    const where = { as: users.moderator, sources, approve: false };
    const toBen = await world.call(message, { user_id: "@Benny", content: "The keys…" }, where);
    expect(toBen).toMatchObject({ kind: "asked" });
    expect(toBen.question?.text).toContain("not everybody there can see");
    expect(await world.call(message, { content: "The keys…" }, where)).toMatchObject({ kind: "done" });
  });

  test("has an end", async () => {
    await using world = await open();
    await world.refused(message, { content: "x".repeat(1901) }, ana, "content");
    await world.refused(message, { content: " " }, ana, "content");
  });
});
