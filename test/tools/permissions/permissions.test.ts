import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { WorldSeed } from "../../../src/simulator/discord/seed.ts";
import { permissionsTools } from "../../../src/tools/permissions/all.ts";
import { type CallOptions, DEMO, grant, startWorld } from "../world.ts";

const { channels, users, guildId, roles } = DEMO;
const { ManageRoles, ManageWebhooks, MentionEveryone, ModerateMembers, ViewChannel } = PermissionFlagsBits;
const explain = "discord_permissions_explain";
const audit = "discord_permissions_audit";
const ana: CallOptions = { as: users.ana };
const mika: CallOptions = { as: users.moderator };

const open = (seed?: (seed: WorldSeed) => WorldSeed) =>
  startWorld({ tools: permissionsTools, ...(seed === undefined ? {} : { seed }) });

describe("an explanation", () => {
  test("names the role and the channel permission that decided", async () => {
    await using world = await open();
    const input = { permission: "Send Messages", channel_id: "#announcements" };
    const { value, sources } = await world.call(explain, input, ana);
    expect(value).toEqual({
      verdict: "@Ana may not Send Messages in #announcements.",
      allowed: false,
      permission: "Send Messages",
      user_id: users.ana,
      channel_id: channels.announcements,
      why: [
        "@everyone gives Send Messages in the server.",
        "#announcements denies Send Messages to @everyone.",
      ],
    });
    expect(sources).toEqual([`guild:${guildId}`, `channel:${channels.announcements}`]);
    expect(await world.done(explain, { permission: "SEND_MESSAGES" }, ana)).toMatchObject({
      verdict: "@Ana may Send Messages in #general.",
      why: ["@everyone gives Send Messages in the server."],
    });
  });

  test("is given about others, by any name that they have", async () => {
    await using world = await open();
    const staff = { permission: "ViewChannel", channel_id: "#staff" };
    expect(await world.done(explain, { ...staff, user_id: "@Benny" }, mika)).toMatchObject({
      allowed: false,
      why: ["@everyone gives View Channel in the server.", "#staff denies View Channel to @everyone."],
    });
    expect(await world.done(explain, { ...staff, user_id: "mika" }, mika)).toMatchObject({
      allowed: true,
      why: expect.arrayContaining(['#staff allows View Channel to the role "Moderator".']),
    });
    expect(await world.done(explain, { ...staff, user_id: "olive" }, mika)).toMatchObject({
      why: ["@Olive owns the server, and the owner may do everything."],
    });
  });

  test("goes on to what has to be there too", async () => {
    await using world = await open();
    const input = { permission: "Add Reactions", channel_id: "#staff", user_id: "@Benny" };
    expect(await world.done(explain, input, mika)).toMatchObject({
      allowed: false,
      why: [
        "@everyone gives Add Reactions in the server.",
        "Without View Channel in #staff, Add Reactions does not count there.",
        "@everyone gives View Channel in the server.",
        "#staff denies View Channel to @everyone.",
      ],
    });
  });

  test("looks at the server for what counts there alone", async () => {
    await using world = await open();
    const value = await world.done(explain, { permission: "Ban Members" }, ana);
    expect(value).toMatchObject({
      verdict: "@Ana may not Ban Members in Harbour.",
      why: ["No role of @Ana, @everyone included, gives Ban Members in the server."],
    });
    expect(value).not.toHaveProperty("channel_id");
  });

  test("knows threads and their members", async () => {
    await using world = await open();
    const inThread = { permission: "Send Messages in Threads", channel_id: channels.sharedThread };
    expect(await world.done(explain, inThread, ana)).toMatchObject({ allowed: true });
    const ofBen = await world.done(explain, { ...inThread, user_id: users.ben }, mika);
    expect(ofBen).toMatchObject({
      allowed: false,
      why: expect.arrayContaining([
        expect.stringContaining("a private thread to which @Benny was not added"),
      ]),
    });
    expect(
      await world.done(explain, { permission: "Send Messages", channel_id: channels.thread }, ana),
    ).toMatchObject({
      allowed: false,
      why: expect.arrayContaining([expect.stringContaining("is a thread")]),
    });
  });

  test("tells of time-outs", async () => {
    await using world = await open();
    const until = new Date(Date.now() + 60_000).toISOString();
    const member = world.simulator.world.guilds.get(guildId)?.members.get(users.ben);
    Object.assign(member ?? {}, { communication_disabled_until: until });
    const ofBen = { permission: "Send Messages", user_id: users.ben };
    const told = { allowed: false, why: expect.arrayContaining([expect.stringContaining("time-out")]) };
    const toMika = await world.call(explain, ofBen, mika);
    expect(toMika.value).toMatchObject(told);
    expect(toMika.sources).toContain(`guild:${guildId}:${ModerateMembers}`);
    expect(await world.done(explain, { permission: "Send Messages" }, { as: users.ben })).toMatchObject(told);
  });

  test("counts no time-out of others for who could not see it by hand", async () => {
    await using world = await open();
    grant(world, users.ana, ManageRoles);
    const ofBen = { permission: "Send Messages", user_id: users.ben };
    const before = await world.call(explain, ofBen, ana);
    world.simulator.changes.members.timeout(guildId, users.ben, Date.now() + 60_000);
    const after = await world.call(explain, ofBen, ana);
    expect(after.value).toEqual(before.value);
    expect(after.sources).toEqual(before.sources);
    expect(after.value).toMatchObject({ note: expect.stringContaining("is not counted") });
  });

  test("about others is for those who manage roles there, as what not everybody sees", async () => {
    await using world = await open();
    const ofMika = { permission: "Ban Members", user_id: users.moderator };
    await world.refused(explain, ofMika, ana, "@Ana cannot Manage Roles in Harbour");
    const sends = { ...ofMika, permission: "Send Messages" };
    await world.refused(explain, sends, ana, "@Ana cannot Manage Roles in #general");
    const { sources } = await world.call(explain, sends, {});
    expect(sources).toEqual([`guild:${guildId}:${ManageRoles}`, `channel:${channels.general}`]);
    world.simulator.changes.channels.setOverwrite(channels.general, {
      ...{ id: users.ana, type: "member", allow: ManageRoles },
    });
    await world.done(explain, sends, ana);
    await world.refused(explain, ofMika, ana, "@Ana cannot Manage Roles in Harbour");
  });

  test("is given of no channel that the person does not see, and of no stranger", async () => {
    await using world = await open();
    await world.refused(
      explain,
      { permission: "Speak", channel_id: channels.staff },
      ana,
      "There is no channel",
    );
    await world.refused(explain, { permission: "Speak", user_id: "123456789012345678" }, ana, "is no member");
    await world.refused(
      explain,
      { permission: "Fly" },
      ana,
      "Fly is no permission; known are",
      "Ban Members",
    );
    const channel = world.simulator.openDirectMessage(users.ana);
    await world.refused(explain, { permission: "Speak" }, { ...ana, guild: null, channel }, "direct message");
  });
});

const dangerousPlaces = (seed: WorldSeed): WorldSeed => ({
  ...seed,
  guilds: seed.guilds.map((guild) => ({
    ...guild,
    roles: guild.roles.map((role) =>
      role.id === roles.muted ? { ...role, permissions: ManageRoles } : role,
    ),
    members: guild.members.map((member) =>
      member.userId === users.ben ? { ...member, roleIds: [roles.muted] } : member,
    ),
    channels: guild.channels.map((one) => {
      if (one.id === channels.staff)
        return {
          ...one,
          overwrites: [
            ...(one.overwrites ?? []),
            { id: roles.crew, type: "role" as const, allow: ManageWebhooks },
          ],
        };
      if (one.id === channels.help)
        return {
          ...one,
          overwrites: [{ id: users.ana, type: "member" as const, allow: MentionEveryone | ViewChannel }],
        };
      return one;
    }),
  })),
});

describe("an audit", () => {
  test("says who can do dangerous things, and through what", async () => {
    await using world = await open(dangerousPlaces);
    const { value, sources } = await world.call(audit, {}, mika);
    expect(value).toMatchObject({
      owner: { user_id: users.owner, name: "Olive" },
      roles: [
        {
          role: "Moderator",
          may: expect.arrayContaining(["Ban Members", "Manage Roles"]),
          held_by: 1,
          members: [{ user_id: users.moderator, name: "Mika" }],
        },
        { role: "Harbour Pilot", may: expect.arrayContaining(["Mention Everyone"]), held_by: 1 },
        { role: "Muted", may: ["Manage Roles"], members: [{ user_id: users.ben, name: "Benny" }] },
      ],
      channels: [
        {
          channel: "help",
          more_than_in_the_server: [{ user_id: users.ana, name: "Ana", may: ["Mention Everyone"] }],
        },
        { channel: "staff", more_than_in_the_server: [{ role: "Crew", may: ["Manage Webhooks"] }] },
      ],
    });
    expect(sources).toEqual([`guild:${guildId}:${ManageRoles}`, `channel:${channels.staff}`]);
  });

  test("leaves out channels that the person does not see, and what was not asked for", async () => {
    await using world = await open(dangerousPlaces);
    const text = JSON.stringify(await world.done(audit, {}, { as: users.ben }));
    expect(text).toContain("help");
    expect(text).not.toContain("staff");
    const roleManagers = await world.done(audit, { permission: "Manage Roles" }, mika);
    expect(roleManagers).toMatchObject({
      roles: [{ role: "Moderator" }, { role: "Harbour Pilot" }, { role: "Muted" }],
      channels: [],
    });
    expect(await world.done(audit, { permission: "Kick Members" }, mika)).toMatchObject({
      roles: [{ role: "Moderator" }, { role: "Harbour Pilot" }],
    });
    await world.refused(audit, { permission: "Fly" }, mika, "Fly is no permission");
  });

  test("is for those who manage roles", async () => {
    await using world = await open();
    await world.refused(audit, {}, ana, "@Ana cannot Manage Roles in Harbour");
    await world.refused(audit, {}, { ...ana, guild: null }, "direct message");
  });

  test("says so when the members cannot be listed", async () => {
    await using world = await startWorld({
      tools: permissionsTools,
      privilegedIntents: { messageContent: true, members: false, presences: false },
    });
    const value = await world.done(audit, {}, mika);
    expect(value).toMatchObject({
      note: expect.stringContaining("server members intent"),
      owner: { user_id: users.owner },
      roles: [{ role: "Moderator" }, { role: "Harbour Pilot" }],
    });
    expect(JSON.stringify(value)).not.toContain("held_by");
  });
});
