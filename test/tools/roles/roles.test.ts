import { expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import { rolesTools } from "../../../src/tools/roles/all.ts";
import { asAna, asModerator, letModerators, member } from "../members/people.ts";
import { DEMO, startWorld, type ToolWorld } from "../world.ts";

const { guildId, users, roles } = DEMO;
const { BanMembers, KickMembers, ManageMessages, ManageRoles } = PermissionFlagsBits;
const world = () => startWorld({ tools: rolesTools });
const rolesOf = (at: ToolWorld) => at.simulator.world.guild(guildId).roles;
const forMika = `For @Mika (${users.moderator})`;

/** From the lowest. */
const order = (at: ToolWorld) =>
  [...rolesOf(at).values()].sort((a, b) => a.position - b.position).map(({ name }) => name);

test("roles are listed page by page, the highest first", async () => {
  await using at = await world();
  const first = await at.done("discord_roles_list", { limit: 3 }, asAna);
  expect(first).toEqual({
    total: 4,
    next_offset: 3,
    roles: [
      {
        role_id: roles.moderator,
        name: "Moderator",
        position: 4,
        color: "#e67e22",
        hoist: true,
        mentionable: false,
      },
      expect.objectContaining({ name: "Harbour Pilot", position: 3, managed: true }),
      expect.objectContaining({ name: "Crew", position: 2, color: "#3498db" }),
    ],
  });
  const second = await at.done("discord_roles_list", { limit: 3, offset: 3 }, asAna);
  expect(second).toMatchObject({ roles: [{ name: "Muted", position: 1 }] });
  expect(second).not.toHaveProperty("next_offset");
});

test("a role is described with its members, page by page", async () => {
  await using at = await world();
  const first = await at.call("discord_role_info", { role_id: "crew", limit: 1 }, asAna);
  expect(first.value).toMatchObject({
    role_id: roles.crew,
    position: 2,
    next_after: users.moderator,
    members: [{ user_id: users.moderator, username: "mika", display_name: "Mika" }],
  });
  expect(first.sources).toEqual([`guild:${guildId}`]);
  const after = { role_id: roles.crew, after: users.moderator };
  expect(await at.done("discord_role_info", after, asAna)).toMatchObject({ members: [{ username: "ana" }] });
  const everyone = await at.done("discord_role_info", { role_id: "@everyone" }, asAna);
  expect(everyone).toMatchObject({ position: 0, note: "Every member has it.", members: [] });
});

test("without the members intent a role is described without its members", async () => {
  await using at = await world();
  const body = { code: 50001, message: "Missing Access" };
  at.simulator.faults.rest({ path: /^\/guilds\/\d+\/members$/, respond: 403, body });
  expect(await at.done("discord_role_info", { role_id: "crew" }, asAna)).toMatchObject({
    name: "Crew",
    members: [],
    note: expect.stringContaining("server members intent"),
  });
});

test("what a role permits is told to those who manage roles", async () => {
  await using at = await world();
  const input = { role_id: "Moderator", with_permissions: true };
  await at.refused("discord_role_info", input, asAna, "@Ana cannot Manage Roles in Harbour");
  letModerators(at, ManageRoles | KickMembers);
  const told = await at.call("discord_role_info", input, asModerator);
  expect(told.value).toMatchObject({ permissions: ["Kick Members", "Manage Roles"] });
  expect(told.sources).toContain(`guild:${guildId}:${ManageRoles}`);
});

test("a role is made with what is named, and nothing else", async () => {
  await using at = await world();
  const plain = await at.done("discord_role_create", { name: "Guests" });
  expect(rolesOf(at).get(Reflect.get(Object(plain), "role_id"))?.permissions).toBe("0");
  letModerators(at, ManageRoles | ManageMessages);
  const input = {
    name: "Helpers",
    permissions: ["Manage Messages", "MANAGE_ROLES"],
    color: "#00ff7f",
    hoist: true,
    mentionable: true,
    reason: "they help",
  };
  expect(await at.question("discord_role_create", input, asModerator)).toBe(
    "Create the role “Helpers” in Harbour, with the permissions Manage Messages, Manage Roles?",
  );
  const made = await at.done("discord_role_create", input, asModerator);
  expect(made).toMatchObject({ name: "Helpers", color: "#00ff7f", hoist: true, mentionable: true });
  const role = rolesOf(at).get(Reflect.get(Object(made), "role_id"));
  expect(BigInt(role?.permissions ?? 0)).toBe(ManageRoles | ManageMessages);
  expect(at.reasons().at(-1)).toBe(`${forMika}: they help`);
});

test("nobody gives by a role what they do not have, and neither does the bot", async () => {
  await using at = await world();
  letModerators(at, ManageRoles);
  const withBan = { name: "x", permissions: ["Ban Members"] };
  const words = "@Mika cannot give what they do not have themselves: Ban Members";
  await at.refused("discord_role_create", withBan, asModerator, words);
  const crew = { role_id: "crew", add_permissions: ["ban members"] };
  await at.refused("discord_role_edit", crew, asModerator, "@Mika cannot give");
  const admin = { name: "x", permissions: ["Administrator"] };
  await at.refused("discord_role_create", admin, {}, "The bot cannot give", "Administrator");
  await at.refused(
    "discord_role_edit",
    { role_id: "crew", add_permissions: ["Administrator"] },
    {},
    "The bot",
  );
});

test("what somebody does not have they do not take away either", async () => {
  await using at = await world();
  letModerators(at, ManageRoles);
  at.simulator.changes.guilds.updateRole(guildId, roles.muted, { permissions: String(BanMembers) });
  const input = { role_id: "Muted", remove_permissions: ["Ban Members"] };
  await at.refused("discord_role_edit", input, asModerator, "@Mika cannot take away", "Ban Members");
  await at.done("discord_role_edit", input);
  expect(rolesOf(at).get(roles.muted)?.permissions).toBe("0");
});

test("unknown permissions are listed", async () => {
  await using at = await world();
  const input = { name: "x", permissions: ["Kick Members", "Fly", "Swim"] };
  const outcome = await at.refused("discord_role_create", input, {}, "Fly, Swim");
  expect(outcome.code).toBe("invalid_arguments");
});

test("a role is changed in what is said alone", async () => {
  await using at = await world();
  letModerators(at, ManageRoles | KickMembers | ManageMessages);
  at.simulator.changes.guilds.updateRole(guildId, roles.crew, { permissions: String(KickMembers) });
  const input = {
    role_id: "crew",
    name: "Sailors",
    mentionable: false,
    add_permissions: ["Manage Messages"],
    remove_permissions: ["Kick Members"],
  };
  expect(await at.question("discord_role_edit", input, asModerator)).toBe(
    `Change the role "Crew" (${roles.crew}): call it “Sailors”; let not everybody mention it; let its members Manage Messages; no longer let its members Kick Members?`,
  );
  await at.done("discord_role_edit", input, asModerator);
  expect(rolesOf(at).get(roles.crew)).toMatchObject({
    name: "Sailors",
    mentionable: false,
    permissions: String(ManageMessages),
    color: 0x3498db,
  });
  await at.done("discord_role_edit", { role_id: "Sailors", color: "#000000", hoist: true });
  expect(rolesOf(at).get(roles.crew)).toMatchObject({
    color: 0,
    hoist: true,
    permissions: String(ManageMessages),
  });
});

test("a change of a role has to be one", async () => {
  await using at = await world();
  const refused = (input: object, words: string) =>
    at.refused("discord_role_edit", { role_id: "crew", ...input }, {}, words);
  await refused({}, "Say what is to change");
  await refused({ position: 1, name: "x" }, "a call of its own");
  await refused({ add_permissions: ["Connect"], remove_permissions: ["Connect"] }, "at once: Connect");
  await refused({ name: "x".repeat(101) }, "100");
  await refused({ color: "red" }, "color");
  await refused({ position: 9 }, "4 roles");
});

test("of @everyone only the permissions change", async () => {
  await using at = await world();
  const everyone = { role_id: "@everyone" };
  await at.refused("discord_role_edit", { ...everyone, name: "x" }, {}, "only the permissions");
  await at.refused("discord_role_edit", { ...everyone, position: 2 }, {}, "only the permissions");
  await at.done("discord_role_edit", { ...everyone, add_permissions: ["Manage Messages"] });
  const held = BigInt(rolesOf(at).get(guildId)?.permissions ?? 0);
  expect(held & ManageMessages).toBe(ManageMessages);
  await at.refused("discord_role_delete", everyone, {}, "cannot be deleted");
  await at.refused("discord_role_give", { ...everyone, user_id: "ben" }, {}, "cannot be given");
  await at.refused("discord_role_take", { ...everyone, user_id: "ben" }, {}, "cannot be taken");
});

test("a role moves among those below both", async () => {
  await using at = await world();
  const { guilds } = at.simulator.changes;
  const top = guilds.addRole(guildId, { name: "Deck", permissions: 0n });
  guilds.updateRole(guildId, roles.bot, { position: 8 });
  guilds.updateRole(guildId, roles.moderator, { position: 9 });
  expect(order(at)).toEqual(["@everyone", "Deck", "Muted", "Crew", "Harbour Pilot", "Moderator"]);
  const up = await at.done("discord_role_edit", { role_id: top.id, position: 3, reason: "up" });
  expect(up).toMatchObject({ name: "Deck", position: 3 });
  expect(order(at)).toEqual(["@everyone", "Muted", "Crew", "Deck", "Harbour Pilot", "Moderator"]);
  expect(at.reasons().at(-1)).toBe(`For @Olive (${users.owner}): up`);
  await at.done("discord_role_edit", { role_id: top.id, position: 1 });
  expect(order(at)).toEqual(["@everyone", "Deck", "Muted", "Crew", "Harbour Pilot", "Moderator"]);
  const sent = at.reasons().length;
  expect(await at.done("discord_role_edit", { role_id: top.id, position: 1 })).toMatchObject({ position: 1 });
  expect(at.reasons()).toHaveLength(sent);
  const over = { role_id: top.id, position: 4 };
  await at.refused("discord_role_edit", over, {}, 'The bot cannot touch the role "Harbour Pilot"');
  letModerators(at, ManageRoles);
  guilds.updateRole(guildId, roles.moderator, { position: 2 });
  const words = '@Mika cannot touch the role "Crew"';
  await at.refused("discord_role_edit", { role_id: top.id, position: 4 }, asModerator, words);
});

test("a role is given and taken, once", async () => {
  await using at = await world();
  letModerators(at, ManageRoles);
  const input = { role_id: "Muted", user_id: "@Benny", reason: "loud" };
  expect(await at.question("discord_role_give", input, asModerator)).toBe(
    `Give the role "Muted" (${roles.muted}) to @Benny (${users.ben})?`,
  );
  await at.done("discord_role_give", input, asModerator);
  expect(member(at, users.ben)?.roles).toEqual([roles.muted]);
  expect(at.reasons().at(-1)).toBe(`${forMika}: loud`);
  const sent = at.reasons().length;
  expect(await at.done("discord_role_give", input, asModerator)).toMatchObject({ given: false });
  expect(at.reasons()).toHaveLength(sent);
  await at.done("discord_role_take", input, asModerator);
  expect(member(at, users.ben)?.roles).toEqual([]);
  expect(await at.done("discord_role_take", input, asModerator)).toMatchObject({ taken: false });
});

test("a role is deleted, and taken from all", async () => {
  await using at = await world();
  expect(await at.question("discord_role_delete", { role_id: "Crew" })).toBe(
    `Delete the role "Crew" (${roles.crew})?`,
  );
  await at.done("discord_role_delete", { role_id: "Crew", reason: "ashore" });
  expect(rolesOf(at).has(roles.crew)).toBe(false);
  expect(member(at, users.ana)?.roles).toEqual([]);
  expect(at.reasons().at(-1)).toBe(`For @Olive (${users.owner}): ashore`);
});

const acts = [
  ["discord_role_edit", { name: "x" }],
  ["discord_role_delete", {}],
  ["discord_role_give", { user_id: users.ben }],
  ["discord_role_take", { user_id: users.ben }],
] as const;

test.each(acts)("%s needs Manage Roles and a role above, of both", async (name, more) => {
  await using at = await world();
  const of = (roleId: string) => ({ role_id: roleId, ...more });
  letModerators(at, KickMembers);
  await at.refused(name, of(roles.crew), asModerator, "@Mika cannot Manage Roles in Harbour");
  letModerators(at, ManageRoles);
  await at.refused(name, of(roles.moderator), asModerator, '@Mika cannot touch the role "Moderator"');
  await at.refused(name, of(roles.moderator), {}, 'The bot cannot touch the role "Moderator"');
  await at.refused(name, of(roles.bot), {}, "belongs to an integration");
  at.simulator.changes.guilds.updateRole(guildId, roles.bot, { permissions: "1024" });
  await at.refused(name, of(roles.crew), asModerator, "The bot cannot Manage Roles in Harbour");
});

test("making a role needs Manage Roles", async () => {
  await using at = await world();
  await at.refused("discord_role_create", { name: "x" }, asAna, "@Ana cannot Manage Roles in Harbour");
});

test("two roles of one name are told apart by their ids", async () => {
  await using at = await world();
  const { id } = at.simulator.changes.guilds.addRole(guildId, { name: "crew", permissions: 0n });
  await at.refused("discord_role_delete", { role_id: "Crew" }, {}, roles.crew, id, "give the id");
});
