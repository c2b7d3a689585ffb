import { describe, expect, test } from "bun:test";
import { AuditLogEvent, PermissionFlagsBits } from "discord-api-types/v10";
import { twoServers } from "../../../src/simulator/discord/world-seed.ts";
import { serverTools } from "../../../src/tools/server/all.ts";
import { type CallOptions, DEMO, startWorld, type ToolWorld } from "../world.ts";

const { channels, users, guildId, roles } = DEMO;
const stats = "discord_server_stats";
const log = "discord_audit_log";
const mika: CallOptions = { as: users.moderator };

const open = () => startWorld({ tools: serverTools });

describe("the numbers", () => {
  test("are of members, of channels that all see, of roles and boosts", async () => {
    await using world = await open();
    const value = await world.done(stats, {}, { as: users.ana });
    expect(value).toEqual({
      guild_id: guildId,
      name: "Harbour",
      description: "Boats, tea and open source",
      owner_user_id: users.owner,
      created_at: "2024-03-01T00:00:00.000Z",
      members: 6,
      members_online: 5,
      channels: { total: 7, text: 3, category: 1, announcement: 1, voice: 1, forum: 1 },
      roles: 4,
      emojis: 1,
      boosts: 2,
      boost_tier: expect.any(Number),
    });
    // A moderator can ask aloud: the numbers are the same, and tell of nothing private.
    const { value: theirs, sources } = await world.call(stats, {}, mika);
    expect(theirs).toEqual(value);
    expect(sources).toEqual([`guild:${guildId}`]);
  });

  test("cost no request for each channel", async () => {
    await using world = await open();
    await world.done(stats);
    expect(world.simulator.requests.length).toBeLessThanOrEqual(6);
  });

  test("are of the own server, for its members", async () => {
    await using world = await startWorld({ tools: serverTools, seed: twoServers });
    const ids = [DEMO.lighthouse.guildId, "123456789012345678"];
    const answers = await Promise.all(
      ids.map(async (id) => (await world.call(stats, { guild_id: id }, mika)).text.replace(id, "…")),
    );
    expect(new Set(answers)).toEqual(
      new Set(["There is no server with the id … that can be seen from here."]),
    );
    const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
    await world.refused(stats, {}, { as: stranger.id }, "There is no such server");
    await world.refused(stats, {}, { as: users.ana, guild: null }, "direct message");
  });
});

interface Entry {
  readonly entry_id: string;
  readonly action: string;
}

const entriesOf = (value: unknown): Entry[] => (value as { entries: Entry[] }).entries;
const actionsOf = (value: unknown): string[] => entriesOf(value).map(({ action }) => action);

/** Writes into the log as Discord would. */
function note(
  world: ToolWorld,
  action: AuditLogEvent,
  part: { target?: string; by?: string; reason?: string; options?: object; changes?: object[] } = {},
): void {
  const { target = null, by = users.owner, ...more } = part;
  const entry = {
    id: world.simulator.world.ids.next(),
    action_type: action,
    user_id: by,
    target_id: target,
    ...more,
  };
  // The log holds what Discord may send, which has more kinds than its types can say.
  world.simulator.world.guilds.get(guildId)?.auditLog.push(entry as never);
}

describe("the audit log", () => {
  test("says who did what to whom, when and why, newest first", async () => {
    await using world = await open();
    note(world, AuditLogEvent.MemberKick, { target: users.ben, reason: "spam" });
    note(world, AuditLogEvent.RoleUpdate, {
      target: roles.crew,
      by: users.moderator,
      changes: [{ key: "name", old_value: "Boatmen", new_value: "Crew" }],
    });
    const { value, sources } = await world.call(log, {}, mika);
    expect(value).toEqual({
      entries: [
        {
          entry_id: expect.any(String),
          action: "role_update",
          by: { user_id: users.moderator, name: "Mika" },
          at: expect.stringMatching(/^\d{4}-/),
          target: { role_id: roles.crew, name: "Crew" },
          changes: [{ what: "name", from: "Boatmen", to: "Crew" }],
        },
        expect.objectContaining({
          action: "member_kick",
          by: { user_id: users.owner, name: "Olive" },
          target: { user_id: users.ben, name: "Ben" },
          reason: "spam",
        }),
      ],
    });
    expect(sources).toEqual([`guild:${guildId}:${PermissionFlagsBits.ViewAuditLog}`]);
  });

  test("is for those who may view it", async () => {
    await using world = await open();
    await world.refused(log, {}, { as: users.ana }, "@Ana cannot View Audit Log in Harbour");
    await world.refused(log, {}, { as: users.ana, guild: null }, "direct message");
  });

  test("is filtered by person, action and time, and comes in pages", async () => {
    await using world = await open();
    for (let n = 0; n < 3; n++) note(world, AuditLogEvent.MemberKick, { target: users.ben });
    note(world, AuditLogEvent.MemberBanAdd, { target: users.ben, by: users.moderator });
    const read = async (input: object) => await world.done(log, input, mika);
    expect(actionsOf(await read({ user_id: "@Mika" }))).toEqual(["member_ban_add"]);
    expect(actionsOf(await read({ action: "Member Kick" }))).toEqual(Array(3).fill("member_kick"));
    const first = await read({ limit: 3 });
    expect(actionsOf(first)).toEqual(["member_ban_add", "member_kick", "member_kick"]);
    const { next_before: before } = first as { next_before?: string };
    expect(actionsOf(await read({ limit: 3, before_entry: before }))).toEqual(["member_kick"]);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    expect(actionsOf(await read({ after: tomorrow }))).toEqual([]);
    expect(actionsOf(await read({ before: tomorrow, after: "2020-01-01" }))).toHaveLength(4);
    expect(actionsOf(await read({ before: "2020-01-01" }))).toEqual([]);
    await world.refused(log, { action: "fly" }, mika, "fly is no action of the audit log", "member_ban_add");
    await world.refused(log, { before: tomorrow, before_entry: before }, mika, "at most one");
    await world.refused(log, { after: "2020-13-01" }, mika, "after is no time that exists");
  });

  test("leaves out what would name channels that the person does not see, or that are gone", async () => {
    await using world = await startWorld({
      tools: serverTools,
      seed: (seed) => ({
        ...seed,
        guilds: seed.guilds.map((guild) => ({
          ...guild,
          roles: guild.roles.map((role) =>
            role.id === roles.crew ? { ...role, permissions: PermissionFlagsBits.ViewAuditLog } : role,
          ),
        })),
      }),
    });
    const secret = { reason: "secret", changes: [{ key: "name", old_value: "secret", new_value: "staff" }] };
    const gone = "300000000000000099";
    const hidden = [
      [AuditLogEvent.ChannelUpdate, { ...secret, target: channels.staff }],
      [AuditLogEvent.ChannelDelete, { ...secret, target: gone }],
      [AuditLogEvent.ThreadCreate, { ...secret, target: channels.privateThread }],
      [AuditLogEvent.ThreadDelete, { ...secret, target: gone }],
      [
        AuditLogEvent.MessageDelete,
        { reason: "secret", target: users.ben, options: { channel_id: channels.staff, count: "1" } },
      ],
      [
        AuditLogEvent.WebhookCreate,
        { ...secret, target: gone, changes: [{ key: "channel_id", new_value: channels.staff }] },
      ],
      [AuditLogEvent.WebhookUpdate, { ...secret, target: gone }],
      [AuditLogEvent.GuildScheduledEventUpdate, { ...secret, target: gone }],
      [
        AuditLogEvent.GuildUpdate,
        {
          reason: "secret",
          target: guildId,
          changes: [{ key: "afk_channel_id", new_value: channels.staff }],
        },
      ],
      [
        AuditLogEvent.AutoModerationRuleUpdate,
        {
          reason: "secret",
          target: gone,
          changes: [{ key: "exempt_channels", new_value: [channels.staff] }],
        },
      ],
    ] as const;
    for (const [action, part] of hidden)
      note(world, action, { ...part, changes: "changes" in part ? [...part.changes] : [] });
    note(world, AuditLogEvent.ChannelUpdate, {
      target: channels.help,
      changes: [{ key: "topic", new_value: "Ask" }],
    });
    note(world, AuditLogEvent.ThreadUpdate, {
      target: channels.thread,
      changes: [{ key: "locked", new_value: true }],
    });
    const value = await world.done(log, {}, { as: users.ana });
    const text = JSON.stringify(value);
    for (const word of ["secret", "staff", channels.staff, channels.privateThread, gone])
      expect(text).not.toContain(word);
    expect(entriesOf(value)).toHaveLength(hidden.length + 2);
    expect(entriesOf(value)[0]).toMatchObject({ target: { channel: "spring regatta" } });
    expect(entriesOf(value)[1]).toMatchObject({ target: { channel_id: channels.help, channel: "help" } });
    // The same log, for somebody who sees more.
    const { value: more, sources } = await world.call(log, { action: "channel_update" }, mika);
    expect(entriesOf(more)[1]).toMatchObject({
      target: { channel: "staff" },
      changes: [{ what: "name", to: "staff" }],
    });
    expect(sources).toContain(`channel:${channels.staff}`);
    // Of webhooks and settings too, which are no channels themselves.
    for (const action of ["webhook_create", "guild_update", "auto_moderation_rule_update"]) {
      const outcome = await world.call(log, { action }, mika);
      expect(JSON.stringify(outcome.value)).toContain(channels.staff);
      expect(outcome.sources).toContain(`channel:${channels.staff}`);
    }
  });

  test("tells no stranger from nobody", async () => {
    await using world = await startWorld({
      tools: serverTools,
      seed: (seed) => ({
        ...seed,
        guilds: seed.guilds.map((guild) => ({
          ...guild,
          roles: guild.roles.map((role) =>
            role.id === roles.crew ? { ...role, permissions: PermissionFlagsBits.ViewAuditLog } : role,
          ),
        })),
      }),
    });
    const stranger = world.simulator.changes.guilds.addUser({ username: "stranger" });
    const ids = [stranger.id, "123456789012345678"];
    const answers = await Promise.all(
      ids.map(async (id) =>
        (await world.call(log, { user_id: id }, { as: users.ana })).text.replace(id, "…"),
      ),
    );
    expect(new Set(answers).size).toBe(1);
  });
});
