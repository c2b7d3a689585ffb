import { expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { membersTools } from "../../../src/tools/members/all.ts";
import { DEMO, startWorld, type ToolWorld } from "../world.ts";
import { asAna, asModerator, letBotBeAbove, letModerators, member } from "./people.ts";

const { guildId, users, roles, botId } = DEMO;
const { BanMembers, ChangeNickname, KickMembers, ManageNicknames, ModerateMembers } = PermissionFlagsBits;
const now = Date.UTC(2026, 4, 1, 12);
const day = 24 * 3_600_000;
const world = () => startWorld({ tools: membersTools, now: () => now });
const forMika = `For @Mika (${users.moderator})`;
const timeoutOf = (at: ToolWorld, userId: string) =>
  Date.parse(member(at, userId)?.communication_disabled_until ?? "");

test("a nickname is changed and cleared, one's own by default", async () => {
  await using at = await world();
  await at.done("discord_member_nickname", { nickname: " Captain " }, asAna);
  expect(member(at, users.ana)?.nick).toBe("Captain");
  await at.done("discord_member_nickname", { nickname: "" }, asAna);
  expect(member(at, users.ana)?.nick).toBeNull();
  letModerators(at, ManageNicknames);
  await at.done("discord_member_nickname", { user_id: "Ben", nickname: "B", reason: "fun" }, asModerator);
  expect(member(at, users.ben)?.nick).toBe("B");
  expect(at.reasons().at(-1)).toBe(`${forMika}: fun`);
  const long = await at.call("discord_member_nickname", { nickname: "x".repeat(33) }, asAna);
  expect(long.text).toContain("32");
});

test("nicknames of others take Manage Nicknames, one's own Change Nickname", async () => {
  await using at = await world();
  const ofBen = { user_id: users.ben, nickname: "x" };
  await at.refused("discord_member_nickname", ofBen, asAna, "@Ana cannot Manage Nicknames in Harbour");
  at.simulator.changes.guilds.updateRole(guildId, guildId, { permissions: "1024" });
  letModerators(at, ManageNicknames);
  const own = { nickname: "x" };
  await at.refused("discord_member_nickname", own, asModerator, "@Mika cannot Change Nickname in Harbour");
  letModerators(at, ChangeNickname);
  await at.refused("discord_member_nickname", ofBen, asModerator, "@Mika cannot Manage Nicknames");
});

test("a nickname is changed of those below alone, by the person and by the bot", async () => {
  await using at = await world();
  letModerators(at, ManageNicknames | ChangeNickname);
  const words = "owns the server";
  await at.refused("discord_member_nickname", { user_id: users.owner, nickname: "x" }, asModerator, words);
  // The role of moderators is above the bot's.
  const own = { nickname: "x" };
  await at.refused("discord_member_nickname", own, asModerator, "The bot cannot do that to @Mika");
  letBotBeAbove(at);
  await at.done("discord_member_nickname", own, asModerator);
  expect(member(at, users.moderator)?.nick).toBe("x");
});

test("the bot's own nickname is changed by those above it", async () => {
  await using at = await world();
  letModerators(at, ManageNicknames);
  const ofBot = { user_id: botId, nickname: "Tug" };
  await at.refused("discord_member_nickname", ofBot, asAna, "@Ana cannot Manage Nicknames");
  await at.done("discord_member_nickname", ofBot, asModerator);
  expect(member(at, botId)?.nick).toBe("Tug");
  letBotBeAbove(at);
  await at.refused("discord_member_nickname", ofBot, asModerator, "@Mika cannot do that to @Tug");
});

test("a time-out lasts minutes, or until a time, and can be ended", async () => {
  await using at = await world();
  letModerators(at, ModerateMembers);
  const call = (input: object) =>
    at.done("discord_member_timeout", { user_id: "@ben", ...input }, asModerator);
  await call({ minutes: 10, reason: "shouting" });
  expect(timeoutOf(at, users.ben)).toBe(now + 600_000);
  expect(at.reasons().at(-1)).toBe(`${forMika}: shouting`);
  await call({ until: "2026-05-02T12:00:00" });
  expect(timeoutOf(at, users.ben)).toBe(now + day);
  await at.done("discord_member_timeout_end", { user_id: users.ben }, asModerator);
  expect(member(at, users.ben)?.communication_disabled_until).toBeNull();
  const sent = at.reasons().length;
  const again = await at.done("discord_member_timeout_end", { user_id: users.ben }, asModerator);
  expect(again).toMatchObject({ note: "They were in no time-out." });
  expect(at.reasons()).toHaveLength(sent);
});

test("a time-out has one end, which is to come within 28 days", async () => {
  await using at = await world();
  letModerators(at, ModerateMembers);
  const refused = (input: object, ...words: string[]) =>
    at.refused("discord_member_timeout", { user_id: users.ben, ...input }, asModerator, ...words);
  await refused({}, "either minutes or until");
  await refused({ minutes: 1, until: "2026-05-02" }, "either minutes or until");
  await refused({ minutes: 28 * 24 * 60 + 1 }, "40320");
  await refused({ until: "2026-05-30" }, "28 days");
  await refused({ until: "2026-05-01" }, "already over");
  await refused({ until: "2026-13-01" }, "no time that exists");
  await at.done("discord_member_timeout", { user_id: users.ben, minutes: 28 * 24 * 60 }, asModerator);
  expect(timeoutOf(at, users.ben)).toBe(now + 28 * day);
});

test("administrators are put in no time-out", async () => {
  await using at = await world();
  at.simulator.changes.guilds.updateRole(guildId, roles.crew, { permissions: "8" });
  const ofAna = { user_id: users.ana, minutes: 1 };
  await at.refused("discord_member_timeout", ofAna, {}, "@Ana is an administrator");
});

test("a member is kicked, a user banned, whether a member or not, and the ban lifted", async () => {
  await using at = await world();
  letModerators(at, KickMembers | BanMembers);
  const guild = at.simulator.world.guild(guildId);
  await at.done("discord_member_kick", { user_id: users.ben, reason: "spam" }, asModerator);
  expect(guild.members.has(users.ben)).toBe(false);
  expect(at.reasons().at(-1)).toBe(`${forMika}: spam`);

  const ofBen = { user_id: users.ben };
  const gone = await at.done("discord_member_ban", { ...ofBen, reason: "again" }, asModerator);
  expect(gone).toEqual({ banned: users.ben, was_member: false });
  const ofAna = { user_id: "@ana", delete_message_seconds: 604_800 };
  expect(await at.done("discord_member_ban", ofAna, asModerator)).toEqual({
    banned: users.ana,
    was_member: true,
  });
  expect([...guild.banned]).toEqual([
    [users.ben, `${forMika}: again`],
    [users.ana, forMika],
  ]);
  await at.done("discord_member_unban", { ...ofBen, reason: "sorry" }, asModerator);
  expect(guild.banned.has(users.ben)).toBe(false);
  expect(at.reasons().at(-1)).toBe(`${forMika}: sorry`);
  const twice = await at.call("discord_member_unban", ofBen, asModerator);
  expect(twice).toMatchObject({ isError: true, code: "not_found" });
});

test("what a banned user wrote goes as far back as is said", async () => {
  await using at = await world();
  const written = () =>
    at.simulator.world.messages.in(DEMO.channels.general).filter(({ author }) => author.id === users.ben);
  const old = written().length;
  at.simulator.say({ channelId: DEMO.channels.general, userId: users.ben, content: "spam" });
  expect(written()).toHaveLength(old + 1);
  await at.done("discord_member_ban", { user_id: users.ben, delete_message_seconds: 3600 });
  expect(written()).toHaveLength(old);
  const long = await at.call("discord_member_ban", { user_id: users.ana, delete_message_seconds: 604_801 });
  expect(long.text).toContain("604800");
});

const acts = [
  ["discord_member_timeout", ModerateMembers, "Time Out Members", { minutes: 5 }],
  ["discord_member_timeout_end", ModerateMembers, "Time Out Members", {}],
  ["discord_member_kick", KickMembers, "Kick Members", {}],
  ["discord_member_ban", BanMembers, "Ban Members", {}],
] as const;

test.each(acts)(
  "%s is asked about, and needs the permission and the place for it",
  async (name, bit, words, more) => {
    await using at = await world();
    const of = (userId: string) => ({ user_id: userId, ...more });
    letModerators(at, 0n);
    await at.refused(name, of(users.ben), asModerator, `@Mika cannot ${words} in Harbour`);
    letModerators(at, bit);
    const question = await at.question(name, of(users.ben), asModerator);
    expect(question).toContain(`@Benny (${users.ben})`);
    await at.refused(name, of(users.owner), asModerator, "owns the server");
    await at.refused(name, of(botId), asModerator, "The bot cannot do that to @harbour-pilot");
    const bot = at.simulator.changes.guilds.addRole(guildId, { name: "Top", permissions: bit });
    at.simulator.changes.guilds.updateRole(guildId, bot.id, { position: 20 });
    at.simulator.changes.members.addRole(guildId, users.ben, bot.id);
    await at.refused(name, of(users.ben), asModerator, "@Mika cannot do that to @Benny");
    await at.refused(name, of(users.moderator), { as: users.ben }, "The bot cannot do that to @Mika");
    letBotBeAbove(at);
    await at.refused(name, of(users.moderator), asModerator, "in Discord");
  },
);

test.each(acts)("%s needs the bot's permission too", async (name, bit, words, more) => {
  await using at = await world();
  letModerators(at, bit);
  at.simulator.changes.guilds.updateRole(guildId, roles.bot, { permissions: "1024" });
  await at.refused(name, { user_id: users.ben, ...more }, asModerator, `The bot cannot ${words} in Harbour`);
});

test("lifting a ban needs the permission, and says of whom", async () => {
  await using at = await world();
  at.simulator.changes.members.ban(guildId, users.ben, null);
  letModerators(at, KickMembers);
  const ofBen = { user_id: users.ben };
  await at.refused("discord_member_unban", ofBen, asModerator, "@Mika cannot Ban Members in Harbour");
  expect(await at.question("discord_member_unban", ofBen)).toBe(
    `Lift the ban of @Ben (${users.ben}) from Harbour?`,
  );
});

test("a question about a ban says what goes with it", async () => {
  await using at = await world();
  at.simulator.changes.members.remove(guildId, users.ben);
  const ask = (input: object) => at.question("discord_member_ban", input);
  expect(await ask({ user_id: users.ben, delete_message_seconds: 86_400 })).toBe(
    `Ban @Ben (${users.ben}), who is no member, from Harbour and delete what they wrote in the last 1 day?`,
  );
});
