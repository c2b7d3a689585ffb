import { expect, test } from "bun:test";
import { OverwriteType, PermissionFlagsBits } from "discord-api-types/v10";
import type { OverwriteSeed, WorldSeed } from "../../../src/simulator/discord/seed.ts";
import { channelsTools } from "../../../src/tools/channels/all.ts";
import { DEMO, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId, roles } = DEMO;
const { AddReactions, Administrator, ManageChannels, ManageRoles, ManageWebhooks } = PermissionFlagsBits;
const { SendMessages, ViewChannel } = PermissionFlagsBits;
const set = "discord_channel_overwrite_set";
const clear = "discord_channel_overwrite_clear";
const mika = { as: users.moderator };

interface Change {
  readonly bot?: bigint;
  readonly moderator?: bigint;
  readonly overwrites?: Readonly<Record<string, readonly OverwriteSeed[]>>;
}

const open = ({ bot = 0n, moderator = 0n, overwrites = {} }: Change = {}) =>
  startWorld({
    tools: channelsTools,
    seed: (seed: WorldSeed) => ({
      ...seed,
      guilds: seed.guilds.map((guild) => ({
        ...guild,
        roles: guild.roles.map((role) => {
          const more = role.id === roles.bot ? bot : role.id === roles.moderator ? moderator : 0n;
          return { ...role, permissions: role.permissions | more };
        }),
        channels: guild.channels.map((one) => ({
          ...one,
          ...(one.overwrites === undefined && overwrites[one.id] === undefined
            ? {}
            : { overwrites: [...(one.overwrites ?? []), ...(overwrites[one.id] ?? [])] }),
        })),
      })),
    }),
  });

const overwrite = (world: ToolWorld, channelId: string, id: string) =>
  world.simulator.world.guilds
    .get(guildId)
    ?.channels.get(channelId)
    ?.permission_overwrites?.find((one) => one.id === id);

test("a role is allowed and denied what is named; the rest stays", async () => {
  await using world = await open();
  const first = { channel_id: "#help", role_id: "crew", deny: ["Send Messages"], allow: ["ADD_REACTIONS"] };
  expect(await world.done(set, { ...first, reason: "quiet" }, mika)).toMatchObject({
    role: "Crew",
    allowed: ["Add Reactions"],
    denied: ["Send Messages"],
  });
  expect(overwrite(world, channels.help, roles.crew)).toEqual({
    id: roles.crew,
    type: OverwriteType.Role,
    allow: String(AddReactions),
    deny: String(SendMessages),
  });
  await world.done(set, { channel_id: "#help", role_id: "crew", allow: ["SendMessages"] }, mika);
  expect(overwrite(world, channels.help, roles.crew)).toMatchObject({
    allow: String(AddReactions | SendMessages),
    deny: "0",
  });
  await world.done(set, { channel_id: "#help", role_id: "crew", inherit: ["Add Reactions"] }, mika);
  expect(overwrite(world, channels.help, roles.crew)).toMatchObject({
    allow: String(SendMessages),
    deny: "0",
  });
  expect(world.reasons()[0]).toBe(`For @Mika (${users.moderator}): quiet`);
});

test("it is always asked about, in words", async () => {
  await using world = await open();
  const input = { channel_id: "#help", role_id: "@everyone", deny: ["View Channel"], inherit: ["Speak"] };
  expect(await world.question(set, input, mika)).toBe(
    "In #help, for everyone: deny View Channel; no longer say anything about Speak?",
  );
  const member = { channel_id: "#help", user_id: "ana", allow: ["View Channel"] };
  expect(await world.question(set, member, mika)).toBe(
    `In #help, for @Ana (${users.ana}): allow View Channel?`,
  );
});

test("who may not manage roles there is refused, and so is the bot", async () => {
  await using world = await open({
    overwrites: { [channels.random]: [{ id: roles.bot, type: "role", deny: ManageRoles }] },
  });
  const input = { channel_id: "#help", role_id: "crew", deny: ["Send Messages"] };
  await world.refused(set, input, { as: users.ana }, "@Ana cannot Manage Roles in #help");
  await world.refused(
    set,
    { ...input, channel_id: "#random" },
    mika,
    "The bot cannot Manage Roles in #random",
  );
  await world.refused(
    set,
    { ...input, channel_id: "#staff" },
    { as: users.ana },
    "There is no channel #staff",
  );
});

test("nobody gives or takes what they do not have themselves", async () => {
  await using world = await open({ bot: ManageWebhooks });
  const webhooks = { channel_id: "#help", role_id: "crew", allow: ["Manage Webhooks"] };
  await world.refused(set, webhooks, mika, "@Mika cannot change for others, in #help", "Manage Webhooks");
  await world.refused(
    set,
    { channel_id: "#help", role_id: "crew", deny: ["Manage Webhooks"] },
    mika,
    "Manage Webhooks",
  );
  await world.done(set, webhooks);
  expect(overwrite(world, channels.help, roles.crew)).toMatchObject({ allow: String(ManageWebhooks) });
  // Taking a denial away is giving, too.
  await world.refused(clear, { channel_id: "#help", role_id: "crew" }, mika, "Manage Webhooks");
  const events = { channel_id: "#help", role_id: "crew", allow: ["Manage Events"] };
  await world.refused(set, events, {}, "The bot cannot change for others", "Manage Events");
});

test("what one has in the category counts, and so does an overwrite with Manage Roles of the channel itself", async () => {
  await using inCategory = await open({
    bot: ManageWebhooks,
    overwrites: { [channels.category]: [{ id: roles.moderator, type: "role", allow: ManageWebhooks }] },
  });
  const webhooks = { channel_id: "#help", role_id: "crew", allow: ["Manage Webhooks"] };
  await inCategory.done(set, webhooks, mika);
  await using inChannel = await open({
    bot: ManageWebhooks,
    overwrites: { [channels.help]: [{ id: users.moderator, type: "member", allow: ManageRoles }] },
  });
  await inChannel.done(set, webhooks, mika);
  expect(overwrite(inChannel, channels.help, roles.crew)).toMatchObject({ allow: String(ManageWebhooks) });
});

test("who may manage roles is for administrators to say", async () => {
  await using world = await open();
  const roleManager = { channel_id: "#help", role_id: "crew", allow: ["Manage Roles"] };
  await world.refused(set, roleManager, mika, "@Mika cannot change who may Manage Roles", "administrator");
  await world.refused(set, roleManager, {}, "The bot cannot change who may Manage Roles");
  await using powerful = await open({ bot: Administrator });
  await powerful.refused(set, roleManager, mika, "@Mika");
  await powerful.done(set, roleManager);
  expect(overwrite(powerful, channels.help, roles.crew)).toMatchObject({ allow: String(ManageRoles) });
});

test("permissions have to be known, to count in channels, and to be named once", async () => {
  await using world = await open();
  const wrong = async (input: object, ...words: string[]) =>
    await world.refused(set, { channel_id: "#help", role_id: "crew", ...input }, mika, ...words);
  await wrong({ allow: ["Fly"] }, "Fly is no permission; known are", "Send Messages");
  await wrong({ allow: ["Ban Members"] }, "counts in the server as a whole");
  await wrong({ allow: ["Speak"], deny: ["speak"] }, "Speak is named twice");
  await wrong({}, "Name at least one permission");
  await wrong({ user_id: "ana", allow: ["Speak"] }, "either role_id or user_id");
  await wrong({ channel_id: channels.thread, allow: ["Speak"] }, "a channel of the kind thread");
});

test("a change of the overwrite between question and yes is asked about anew", async () => {
  await using world = await open();
  const input = { channel_id: "#help", role_id: "crew", deny: ["Send Messages"] };
  const first = await world.call(set, input, { ...mika, approve: false });
  world.simulator.changes.channels.setOverwrite(channels.help, {
    id: roles.crew,
    type: "role",
    allow: ViewChannel,
  });
  const second = await world.call(set, input, { ...mika, approve: false });
  expect(second.question?.fingerprint).not.toBe(first.question?.fingerprint);
});

test("what a channel says of somebody is cleared", async () => {
  await using world = await open({
    overwrites: { [channels.help]: [{ id: users.ben, type: "member", deny: SendMessages }] },
  });
  const ben = { channel_id: "#help", user_id: "Benny" };
  expect(await world.question(clear, ben, mika)).toBe(
    `Clear what #help says of its own about the permissions of @Benny (${users.ben}) (now denied: Send Messages)?`,
  );
  await world.refused(clear, ben, { as: users.ana }, "@Ana cannot Manage Roles in #help");
  expect(await world.done(clear, ben, mika)).toMatchObject({ user_id: users.ben, cleared: true });
  expect(overwrite(world, channels.help, users.ben)).toBeUndefined();
  await world.refused(clear, ben, mika, "says nothing of its own about the permissions of @Benny");
});

test("also of somebody who has left; of strangers nothing is told", async () => {
  await using world = await open({
    overwrites: { [channels.help]: [{ id: users.ben, type: "member", deny: SendMessages }] },
  });
  const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
  world.simulator.changes.members.remove(guildId, users.ben);
  await world.done(clear, { channel_id: "#help", user_id: users.ben }, mika);
  expect(overwrite(world, channels.help, users.ben)).toBeUndefined();
  const answers = await Promise.all(
    [stranger.id, "123456789012345678"].map(async (id) => {
      const { code, text } = await world.call(clear, { channel_id: "#help", user_id: id }, mika);
      return `${code} ${text.replace(id, "…")}`;
    }),
  );
  expect(new Set(answers).size).toBe(1);
});

test("a channel takes over the permissions of its category", async () => {
  const quiet: OverwriteSeed = { id: roles.crew, type: "role", deny: AddReactions };
  await using world = await open({ overwrites: { [channels.category]: [quiet] } });
  const input = { channel_id: "#random", category_id: "Quayside", reason: "same for all" };
  expect(await world.question("discord_channel_sync", input)).toContain(
    "1 role or member now, 1 role or member then",
  );
  await world.done("discord_channel_sync", input);
  const { permission_overwrites: own } =
    world.simulator.world.guilds.get(guildId)?.channels.get(channels.random) ?? {};
  expect(own).toEqual([{ id: roles.crew, type: OverwriteType.Role, allow: "0", deny: String(AddReactions) }]);
  await world.refused(
    "discord_channel_sync",
    { channel_id: "#staff", category_id: "Quayside" },
    {},
    '#staff is not in the category "Quayside"',
  );
});

test("nobody gets by a category what they could not give", async () => {
  const hooks: OverwriteSeed = { id: roles.crew, type: "role", allow: ManageWebhooks };
  await using world = await open({
    bot: ManageWebhooks,
    moderator: ManageChannels,
    overwrites: {
      [channels.category]: [hooks, { id: users.moderator, type: "member", deny: ManageWebhooks }],
    },
  });
  const input = { channel_id: "#help", category_id: "Quayside" };
  await world.refused(
    "discord_channel_sync",
    input,
    { as: users.ana },
    "@Ana cannot Manage Channels and Manage Roles in #help",
  );
  await world.refused(
    "discord_channel_sync",
    input,
    mika,
    "@Mika cannot change for others",
    "Manage Webhooks",
  );
  await world.done("discord_channel_sync", input);
  expect(overwrite(world, channels.help, roles.crew)).toMatchObject({ allow: String(ManageWebhooks) });
});

test("a permission that Discord has added since is given by nobody but administrators", async () => {
  const unknown = 1n << 60n;
  const newer: OverwriteSeed = { id: roles.muted, type: "role", allow: unknown };
  await using world = await open({
    bot: Administrator,
    moderator: ManageChannels,
    overwrites: { [channels.category]: [newer], [channels.announcements]: [newer] },
  });
  const sync = { channel_id: "#help", category_id: "Quayside" };
  await world.refused("discord_channel_sync", sync, mika, "@Mika cannot change for others", "not known here");
  await world.refused(clear, { channel_id: "#announcements", role_id: "muted" }, mika, "not known here");
  await world.done("discord_channel_sync", sync);
  expect(overwrite(world, channels.help, roles.muted)).toMatchObject({ allow: String(unknown) });
});
