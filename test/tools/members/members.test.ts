import { expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { membersTools } from "../../../src/tools/members/all.ts";
import { DEMO, startWorld } from "../world.ts";
import { asAna, asModerator, letModerators } from "./people.ts";

const { guildId, users, roles } = DEMO;
const { BanMembers, KickMembers, ManageRoles, ModerateMembers } = PermissionFlagsBits;
const world = () => startWorld({ tools: membersTools });
const soon = () => Date.now() + 3_600_000;

test("members are found by the beginning of a name, whatever its case", async () => {
  await using at = await world();
  expect(await at.done("discord_members_search", { query: "BENN" }, asAna)).toEqual({
    members: [
      {
        user_id: users.ben,
        username: "ben",
        display_name: "Benny",
        nick: "Benny",
        joined_at: expect.any(String),
        roles: [],
      },
    ],
  });
  expect(await at.done("discord_members_search", { query: "nobody" }, asAna)).toEqual({ members: [] });
});

test("members are listed page by page, in the order of their ids", async () => {
  await using at = await world();
  const first = await at.done("discord_members_search", { limit: 4 }, asAna);
  expect(first).toMatchObject({ next_after: users.ana, members: [{}, {}, {}, { user_id: users.ana }] });
  const second = await at.done("discord_members_search", { limit: 4, after: users.ana }, asAna);
  expect(second).toMatchObject({ members: [{ user_id: users.ben }, { user_id: users.otherBot }] });
  expect(second).not.toHaveProperty("next_after");
});

test("what is found by name has pages too", async () => {
  await using at = await world();
  for (const username of ["boat-1", "boat-2", "boat-3"]) {
    const { id } = at.simulator.changes.guilds.addUser({ username });
    at.simulator.changes.members.add(guildId, { userId: id });
  }
  const first = await at.done("discord_members_search", { query: "boat", limit: 2 }, asAna);
  expect(first).toMatchObject({ members: [{ username: "boat-1" }, { username: "boat-2" }] });
  const after = Reflect.get(Object(first), "next_after");
  const second = await at.done("discord_members_search", { query: "boat", limit: 2, after }, asAna);
  expect(second).toMatchObject({ members: [{ username: "boat-3" }] });
  expect(second).not.toHaveProperty("next_after");
});

test("members are found by a role, which can be named", async () => {
  await using at = await world();
  expect(await at.done("discord_members_search", { role_id: "@crew" }, asAna)).toMatchObject({
    members: [
      { user_id: users.moderator, roles: ["Moderator", "Crew"] },
      { user_id: users.ana, roles: ["Crew"] },
    ],
  });
  const both = { query: "a", role_id: roles.crew };
  expect(await at.done("discord_members_search", both, asAna)).toMatchObject({
    members: [{ user_id: users.ana }],
  });
  await at.refused("discord_members_search", { role_id: "captain" }, asAna, "no role captain in Harbour");
});

test("a large server is looked through a part at a time", async () => {
  await using at = await world();
  const { guilds, members } = at.simulator.changes;
  for (let n = 0; n < 5200; n++) {
    const { id } = guilds.addUser({ username: `sailor-${n}` });
    members.add(guildId, { userId: id, ...(n === 5100 ? { roleIds: [roles.muted] } : {}) });
  }
  const first = await at.done("discord_members_search", { role_id: "Muted" }, asAna);
  expect(first).toMatchObject({ members: [], note: expect.stringContaining("5000 members") });
  const after = Reflect.get(Object(first), "next_after");
  const second = await at.done("discord_members_search", { role_id: "Muted", after }, asAna);
  expect(second).toMatchObject({ members: [{ username: "sailor-5100" }] });
  expect(second).not.toHaveProperty("next_after");
  const named = await at.done("discord_members_search", { query: "sailor", limit: 1 }, asAna);
  expect(named).toMatchObject({ note: expect.stringContaining("1000 members by a name") });
});

test("without the members intent nobody can be listed, but found by name", async () => {
  await using at = await world();
  const body = { code: 50001, message: "Missing Access" };
  at.simulator.faults.rest({ path: /^\/guilds\/\d+\/members$/, respond: 403, body });
  const outcome = await at.call("discord_members_search", {}, asAna);
  expect(outcome).toMatchObject({ isError: true, code: "permission_denied" });
  expect(outcome.text).toContain("server members intent");
  expect(await at.done("discord_members_search", { query: "ben" }, asAna)).toMatchObject({ members: [{}] });
});

test("a member is described to everybody, by a name too", async () => {
  await using at = await world();
  const outcome = await at.call("discord_member_info", { user_id: "@Mika" }, asAna);
  expect(outcome.value).toEqual({
    user_id: users.moderator,
    username: "mika",
    display_name: "Mika",
    joined_at: expect.any(String),
    roles: [
      { role_id: roles.moderator, name: "Moderator" },
      { role_id: roles.crew, name: "Crew" },
    ],
    boosting_since: null,
    pending_rules: false,
    account_created_at: expect.any(String),
  });
  expect(outcome.sources.toSorted()).toEqual([`guild:${guildId}`, `user:${users.moderator}`]);
});

test("a time-out is shown to those who can give one, and to oneself, as what not everybody sees", async () => {
  await using at = await world();
  const until = soon();
  at.simulator.changes.members.timeout(guildId, users.ben, until);
  const shown = { timed_out_until: new Date(until).toISOString() };
  const toMika = await at.call("discord_member_info", { user_id: users.ben }, asModerator);
  expect(toMika.value).toMatchObject(shown);
  expect(toMika.sources).toContain(`guild:${guildId}:${ModerateMembers}`);
  expect(await at.done("discord_member_info", {}, { as: users.ben })).toMatchObject(shown);
  expect(await at.done("discord_member_info", { user_id: users.ben }, asAna)).not.toHaveProperty(
    "timed_out_until",
  );
});

test("what others may do is told to those who manage roles alone", async () => {
  await using at = await world();
  letModerators(at, KickMembers | ModerateMembers);
  const ofMika = { user_id: users.moderator, with_permissions: true };
  const words = "@Ana cannot Manage Roles in Harbour";
  await at.refused("discord_member_info", ofMika, asAna, words);
  const own = await at.call("discord_member_info", { with_permissions: true }, asModerator);
  expect(own.value).toMatchObject({ key_permissions: ["Kick Members", "Time Out Members"] });
  expect(own.sources).not.toContain(`guild:${guildId}:${ManageRoles}`);
  const toOwner = await at.call("discord_member_info", ofMika);
  expect(toOwner.value).toMatchObject({ key_permissions: ["Kick Members", "Time Out Members"] });
  expect(toOwner.sources).toContain(`guild:${guildId}:${ManageRoles}`);
  const ofOwner = await at.done("discord_member_info", { with_permissions: true });
  expect(ofOwner).toMatchObject({ key_permissions: ["Administrator"], owns_server: true });
});

test("somebody who is no member is told to be none", async () => {
  await using at = await world();
  at.simulator.changes.members.remove(guildId, users.ben);
  await at.refused("discord_member_info", { user_id: users.ben }, asAna, "no member of this server");
  await at.refused("discord_member_info", { user_id: "ben" }, asAna, "nobody called ben");
  const long = "ben".repeat(40);
  await at.refused(
    "discord_member_info",
    { user_id: long },
    asAna,
    `nobody called ${long.slice(0, 100)} in this server`,
  );
});

test("bans are listed page by page to those who can ban", async () => {
  await using at = await world();
  letModerators(at, KickMembers);
  await at.refused("discord_bans_list", {}, asModerator, "@Mika cannot Ban Members in Harbour");
  letModerators(at, BanMembers);
  for (const username of ["shark", "squid"]) {
    const { id } = at.simulator.changes.guilds.addUser({ username });
    at.simulator.changes.members.ban(guildId, id, `${username} bites`);
  }
  const first = await at.call("discord_bans_list", { limit: 1 }, asModerator);
  expect(first.value).toMatchObject({ bans: [{ username: "shark", reason: "shark bites" }] });
  expect(first.sources).toContain(`guild:${guildId}:${BanMembers}`);
  const after = Reflect.get(Object(first.value), "next_after");
  const second = await at.done("discord_bans_list", { limit: 1, after }, asModerator);
  expect(second).toMatchObject({ bans: [{ username: "squid" }] });
  expect(second).not.toHaveProperty("next_after");
  expect(await at.done("discord_bans_list", { user_id: after }, asModerator)).toMatchObject({
    bans: [{ username: "shark" }],
  });
  expect(await at.done("discord_bans_list", { user_id: users.ana }, asModerator)).toEqual({ bans: [] });
});
