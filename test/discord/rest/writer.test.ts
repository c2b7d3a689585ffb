import { describe, expect, test } from "bun:test";
import {
  AuditLogEvent,
  AuditLogOptionsType,
  ChannelType,
  OverwriteType,
  PermissionFlagsBits,
} from "discord-api-types/v10";
import { DEMO } from "../../../src/simulator/discord/world-seed.ts";
import type { Change } from "../../../src/tools/discord-port.ts";
import { failure, plainly, type RestSite, signal, startRestSite } from "./site.ts";

const { channels, users, roles, guildId, botId, tags } = DEMO;

/** What the audit log has of an action: who, about what, and the reason. */
async function logged({ reader }: RestSite, actionType: AuditLogEvent) {
  const { audit_log_entries } = await reader.auditLog(guildId, { actionType, limit: 5 }, signal);
  return audit_log_entries.map(({ target_id, reason, options }) => ({ target_id, reason, options }));
}

const because = (reason: string): Change => ({ signal, reason });

describe("messages", () => {
  test("are posted, edited, deleted and deleted in bulk", async () => {
    await using site = await startRestSite();
    const { writer, reader, simulator } = site;
    const posted = await writer.createMessage(channels.general, { content: "Ahoy" }, plainly);
    expect(posted.author.id).toBe(botId);
    const edited = await writer.editMessage(channels.general, posted.id, { content: "Ahoy!" }, plainly);
    expect(edited.content).toBe("Ahoy!");
    const theirs = simulator.say({ userId: users.ben, channelId: channels.general, content: "rude" });
    await writer.deleteMessage(channels.general, theirs.id, because("@mika: rude"));
    expect(await logged(site, AuditLogEvent.MessageDelete)).toEqual([
      { target_id: users.ben, reason: "@mika: rude", options: { channel_id: channels.general, count: "1" } },
    ]);
    const many = [1, 2, 3].map(
      (n) => simulator.say({ userId: users.ana, channelId: channels.general, content: `${n}` }).id,
    );
    await writer.bulkDeleteMessages(channels.general, many, because("tidying"));
    expect(await logged(site, AuditLogEvent.MessageBulkDelete)).toMatchObject([
      { target_id: channels.general, reason: "tidying", options: { count: "3" } },
    ]);
    const left = await reader.messages(channels.general, { limit: 10 }, signal);
    expect(left.map(({ id }) => id)).not.toContainAnyValues([theirs.id, ...many]);
    expect(left[0]?.id).toBe(posted.id);
  });

  test("are pinned and unpinned, and reacted to", async () => {
    await using site = await startRestSite();
    const { writer, reader, simulator } = site;
    const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "keep" });
    await writer.pinMessage(channels.general, id, because("worth keeping"));
    const pins = await reader.pins(channels.general, { limit: 50 }, signal);
    expect(pins.items.map(({ message }) => message.id)).toEqual([id]);
    expect(await logged(site, AuditLogEvent.MessagePin)).toMatchObject([
      { target_id: users.ana, reason: "worth keeping", options: { message_id: id } },
    ]);
    const [notice] = await reader.messages(channels.general, { limit: 1 }, signal);
    expect(notice).toMatchObject({ type: 6, message_reference: { message_id: id } });
    await writer.unpinMessage(channels.general, id, plainly);
    expect((await reader.pins(channels.general, { limit: 50 }, signal)).items).toEqual([]);
    const custom = `anchor_up:${DEMO.emojiId}`;
    await writer.addReaction(channels.general, id, "👍", plainly);
    await writer.addReaction(channels.general, id, custom, plainly);
    expect(await reader.reactions(channels.general, id, custom, { limit: 10 }, signal)).toMatchObject([
      { id: botId },
    ]);
    await writer.removeOwnReaction(channels.general, id, "👍", plainly);
    expect(await reader.reactions(channels.general, id, "👍", { limit: 10 }, signal)).toEqual([]);
  });

  test("go to people directly", async () => {
    await using site = await startRestSite();
    const direct = await site.writer.openDirectMessage(users.ana, plainly);
    expect(direct).toMatchObject({ type: ChannelType.DM, recipients: [{ id: users.ana }] });
    await site.writer.createMessage(direct.id, { content: "psst" }, plainly);
    expect((await site.simulator.waitForBotMessage()).channel_id).toBe(direct.id);
  });
});

describe("channels", () => {
  test("are made, changed, moved and deleted", async () => {
    await using site = await startRestSite();
    const { writer, reader } = site;
    const body = { name: "Fog Horn", type: ChannelType.GuildText as const, topic: "Loud" };
    const made = await writer.createChannel(guildId, body, because("asked for"));
    expect(made).toMatchObject({ name: "fog-horn", topic: "Loud" });
    await writer.editChannel(made.id, { topic: null, rate_limit_per_user: 10 }, because("too loud"));
    expect(await reader.channel(made.id, signal)).toMatchObject({ topic: null, rate_limit_per_user: 10 });
    await writer.moveChannels(guildId, [{ id: made.id, position: 1, parent_id: channels.category }], plainly);
    expect(await reader.channel(made.id, signal)).toMatchObject({
      parent_id: channels.category,
      position: 1,
    });
    await writer.deleteChannel(made.id, because("quiet now"));
    expect(await failure(reader.channel(made.id, signal))).toMatchObject({ code: "not_found" });
    const [deleted] = await logged(site, AuditLogEvent.ChannelDelete);
    expect(deleted).toMatchObject({ target_id: made.id, reason: "quiet now" });
    expect(await logged(site, AuditLogEvent.ChannelUpdate)).toHaveLength(2);
  });

  test("have permissions set and cleared for a role or a member", async () => {
    await using site = await startRestSite();
    const { writer, reader } = site;
    const deny = String(PermissionFlagsBits.SendMessages);
    const body = { type: OverwriteType.Role, deny, allow: "0" };
    await writer.setOverwrite(channels.help, roles.crew, body, because("hush"));
    expect(await reader.channel(channels.help, signal)).toMatchObject({
      permission_overwrites: [{ id: roles.crew, type: OverwriteType.Role, deny }],
    });
    await writer.setOverwrite(channels.help, users.ben, { type: OverwriteType.Member, allow: deny }, plainly);
    await writer.deleteOverwrite(channels.help, roles.crew, because("over"));
    expect(await reader.channel(channels.help, signal)).toMatchObject({
      permission_overwrites: [{ id: users.ben, allow: deny }],
    });
    expect(await logged(site, AuditLogEvent.ChannelOverwriteDelete)).toEqual([
      {
        target_id: channels.help,
        reason: "over",
        options: { id: roles.crew, type: AuditLogOptionsType.Role, role_name: "Crew" },
      },
    ]);
  });
});

describe("threads", () => {
  test("are started from a message, by themselves and as forum posts", async () => {
    await using site = await startRestSite();
    const { writer, reader, simulator } = site;
    const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "flags?" });
    const onMessage = await writer.createThread(
      channels.general,
      { name: "flags" },
      id,
      because("long talk"),
    );
    expect(onMessage).toMatchObject({ id, type: ChannelType.PublicThread, parent_id: channels.general });
    const alone = await writer.createThread(
      channels.general,
      { name: "secret", type: ChannelType.PrivateThread, invitable: false },
      null,
      plainly,
    );
    expect(alone).toMatchObject({
      type: ChannelType.PrivateThread,
      owner_id: botId,
      thread_metadata: { invitable: false },
    });
    const post = await writer.createForumPost(
      channels.forum,
      { name: "More tea", applied_tags: [tags.tea], message: { content: "Tea at noon too?" } },
      because("an idea"),
    );
    expect(post).toMatchObject({ parent_id: channels.forum, applied_tags: [tags.tea] });
    expect((await reader.message(post.id, post.id, signal)).content).toBe("Tea at noon too?");
    expect((await logged(site, AuditLogEvent.ThreadCreate)).map(({ reason }) => reason)).toEqual([
      "an idea",
      undefined,
      "long talk",
    ]);
  });

  test("are archived, locked and opened again, and members come and go", async () => {
    await using site = await startRestSite();
    const { writer, reader } = site;
    await writer.addThreadMember(channels.privateThread, users.ana, plainly);
    const members = await reader.threadMembers(channels.privateThread, { limit: 100 }, signal);
    expect(members.map((member) => member.user_id)).toContain(users.ana);
    await writer.removeThreadMember(channels.privateThread, users.ana, plainly);
    expect(await reader.threadMembers(channels.privateThread, { limit: 100 }, signal)).toHaveLength(1);
    const closed = await writer.editChannel(channels.thread, { archived: true, locked: true }, plainly);
    expect(closed).toMatchObject({ thread_metadata: { archived: true, locked: true } });
    expect(await failure(writer.editChannel(channels.thread, { name: "x" }, plainly))).toMatchObject({
      code: "discord_error",
      message: expect.stringContaining("unarchive it first"),
    });
    const opened = await writer.editChannel(channels.thread, { archived: false, locked: false }, plainly);
    expect(opened).toMatchObject({ thread_metadata: { archived: false, locked: false } });
  });
});

describe("members and roles", () => {
  test("are renamed, put in time-out, given and taken roles, and kicked", async () => {
    await using site = await startRestSite();
    const { writer, reader } = site;
    const until = new Date(Date.now() + 60_000).toISOString();
    await writer.editMember(
      guildId,
      users.ben,
      { nick: "Ben", communication_disabled_until: until },
      because("@mika (1): too loud"),
    );
    expect(await reader.member(guildId, users.ben, signal)).toMatchObject({
      nick: "Ben",
      communication_disabled_until: until,
    });
    expect(await logged(site, AuditLogEvent.MemberUpdate)).toMatchObject([{ reason: "@mika (1): too loud" }]);
    await writer.giveRole(guildId, users.ben, roles.crew, because("joined the crew"));
    expect((await reader.member(guildId, users.ben, signal)).roles).toEqual([roles.crew]);
    await writer.takeRole(guildId, users.ben, roles.crew, because("left it"));
    expect((await logged(site, AuditLogEvent.MemberRoleUpdate)).map(({ reason }) => reason)).toEqual([
      "left it",
      "joined the crew",
    ]);
    await writer.kickMember(guildId, users.ben, because("enough"));
    expect(await failure(reader.member(guildId, users.ben, signal))).toMatchObject({ code: "not_found" });
    expect(await logged(site, AuditLogEvent.MemberKick)).toMatchObject([{ target_id: users.ben }]);
  });

  test("are banned with what they wrote of late, and let in again", async () => {
    await using site = await startRestSite();
    const { writer, reader, simulator } = site;
    const fresh = simulator.say({ userId: users.ben, channelId: channels.random, content: "spam" });
    await writer.banUser(guildId, users.ben, 3600, because("spam"));
    expect(await reader.ban(guildId, users.ben, signal)).toMatchObject({ reason: "spam" });
    expect(simulator.world.messages.get(fresh.id)).toBeNull();
    const kept = simulator.world.messages.in(channels.general).map(({ author }) => author.id);
    expect(kept).toContain(users.ben);
    await writer.unbanUser(guildId, users.ben, because("forgiven"));
    expect(await failure(reader.ban(guildId, users.ben, signal))).toMatchObject({ code: "not_found" });
    expect(await logged(site, AuditLogEvent.MemberBanRemove)).toMatchObject([{ reason: "forgiven" }]);
  });

  test("roles are made, changed and deleted", async () => {
    await using site = await startRestSite();
    const { writer, reader } = site;
    const made = await writer.createRole(guildId, { name: "Deckhand", permissions: "0" }, because("new"));
    const edited = await writer.editRole(guildId, made.id, { name: "Mate", hoist: true }, because("grown"));
    expect(edited).toMatchObject({ name: "Mate", hoist: true, permissions: "0" });
    const moved = await writer.moveRoles(guildId, [{ id: made.id, position: 2 }], plainly);
    expect(moved.find(({ id }) => id === made.id)?.position).toBe(2);
    await writer.deleteRole(guildId, made.id, because("gone"));
    expect((await reader.guildRoles(guildId, signal)).map(({ id }) => id)).not.toContain(made.id);
    const reasons = async (action: AuditLogEvent) => (await logged(site, action)).map(({ reason }) => reason);
    expect(await reasons(AuditLogEvent.RoleCreate)).toEqual(["new"]);
    expect(await reasons(AuditLogEvent.RoleUpdate)).toEqual([undefined, "grown"]);
    expect(await reasons(AuditLogEvent.RoleDelete)).toEqual(["gone"]);
  });
});

describe("reasons", () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ["of any script", '@ana: "naïve" 🌊 привет\n50%', '@ana: "naïve" 🌊 привет\n50%'],
    ["of 512 characters", "x".repeat(512), "x".repeat(512)],
    ["that are longer are cut", "y".repeat(600), "y".repeat(512)],
    ["are not cut within a character", `${"z".repeat(511)}🌊 and more`, "z".repeat(511)],
    ["with half a character are mended", "a\uD83Cb", "a\uFFFDb"],
    ["of nothing are none", "  ", undefined],
  ];
  for (const [name, given, arrived] of cases) {
    test(name, async () => {
      await using site = await startRestSite();
      await site.writer.giveRole(guildId, users.ben, roles.crew, because(given));
      const [entry] = await logged(site, AuditLogEvent.MemberRoleUpdate);
      expect(entry?.target_id).toBe(users.ben);
      expect(entry?.reason).toBe(arrived);
    });
  }
});
