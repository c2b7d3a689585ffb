import { describe, expect, test } from "bun:test";
import { AuditLogEvent, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { DEMO, twoServers } from "../../../src/simulator/discord/world-seed.ts";
import { failure, plainly, signal, startRestSite } from "./site.ts";

const { channels, users, roles, guildId, botId, lighthouse } = DEMO;
const pilot = { id: botId, type: "member" as const };
const ids = (found: readonly { readonly id: string }[]): string[] => found.map(({ id }) => id);

describe("places", () => {
  test("are read one by one and as lists", async () => {
    await using site = await startRestSite({ seed: twoServers() });
    const { reader } = site;
    expect(await reader.channel(channels.forum, signal)).toMatchObject({ type: ChannelType.GuildForum });
    expect((await reader.guild(guildId, signal)).approximate_member_count).toBe(6);
    const listed = ids(await reader.guildChannels(guildId, signal));
    expect(listed).toContain(channels.staff);
    expect(listed).not.toContain(channels.thread);
    expect(ids(await reader.guildRoles(guildId, signal))).toContain(roles.muted);
    expect(await reader.guildEmojis(guildId, signal)).toMatchObject([{ id: DEMO.emojiId }]);
    expect(ids(await reader.guildChannels(lighthouse.guildId, signal))).toEqual([
      lighthouse.channels.lampRoom,
      lighthouse.channels.keepers,
    ]);
  });
});

describe("messages", () => {
  test("are read one by one, in pages and by search", async () => {
    await using site = await startRestSite();
    const { reader } = site;
    const [newest, next] = await reader.messages(channels.general, { limit: 2 }, signal);
    expect((await reader.message(channels.general, newest?.id ?? "", signal)).content).toBe(
      newest?.content ?? "",
    );
    const older = await reader.messages(channels.general, { limit: 1, before: newest?.id ?? "" }, signal);
    expect(ids(older)).toEqual([next?.id ?? ""]);
    const around = { limit: 3, around: next?.id ?? "" };
    expect(ids(await reader.messages(channels.general, around, signal))).toContain(newest?.id ?? "");
    const search = { channelIds: [channels.general], content: "regatta", limit: 1, offset: 1 };
    const found = await reader.searchMessages(guildId, search, signal);
    expect([found.total, found.messages.length]).toEqual([2, 1]);
  });

  test("that are pinned come in pages, the latest pin first", async () => {
    await using site = await startRestSite();
    const { reader, writer } = site;
    const said = await reader.messages(channels.general, { limit: 3 }, signal);
    for (const { id } of said.toReversed()) await writer.pinMessage(channels.general, id, plainly);
    const first = await reader.pins(channels.general, { limit: 2 }, signal);
    expect(ids(first.items.map(({ message }) => message))).toEqual(ids(said.slice(0, 2)));
    expect(first.hasMore).toBe(true);
    const before = first.items.at(-1)?.pinned_at ?? "";
    const second = await reader.pins(channels.general, { limit: 2, before }, signal);
    expect(ids(second.items.map(({ message }) => message))).toEqual(ids(said.slice(2)));
    expect(second.hasMore).toBe(false);
    site.simulator.changes.channels.setOverwrite(channels.general, {
      ...pilot,
      deny: PermissionFlagsBits.ReadMessageHistory,
    });
    expect(await reader.pins(channels.general, { limit: 2 }, signal)).toEqual({ items: [], hasMore: false });
  });

  test("tell who reacted, in pages", async () => {
    await using site = await startRestSite();
    const { reader, simulator } = site;
    const { id } = simulator.say({ userId: users.ana, channelId: channels.general, content: "like" });
    for (const user of [users.ben, users.ana, users.owner]) simulator.people.react(user, id, "👍");
    const first = await reader.reactions(channels.general, id, "👍", { limit: 2 }, signal);
    expect(ids(first)).toEqual([users.owner, users.ana]);
    const after = users.ana;
    const second = await reader.reactions(channels.general, id, "👍", { limit: 2, after }, signal);
    expect(ids(second)).toEqual([users.ben]);
  });
});

describe("threads", () => {
  test("that are active are those that the bot can see, the latest first", async () => {
    await using site = await startRestSite();
    const { reader, simulator } = site;
    const { sharedThread, post, privateThread, thread, archivedThread } = channels;
    const active = ids(await reader.activeThreads(guildId, signal));
    expect(active).toEqual([sharedThread, post, privateThread, thread]);
    expect(active).not.toContain(archivedThread);
    simulator.changes.channels.setOverwrite(channels.general, {
      ...pilot,
      deny: PermissionFlagsBits.ManageThreads,
    });
    expect(ids(await reader.activeThreads(guildId, signal))).toEqual([post, thread]);
  });

  test("that are archived come in pages by when they were archived, private ones apart", async () => {
    let time = Date.UTC(2026, 5, 1);
    await using site = await startRestSite({ now: () => time });
    const { reader, writer, simulator } = site;
    const made: string[] = [];
    for (const name of ["one", "two", "three"]) {
      const { id } = simulator.changes.channels.add(guildId, {
        name,
        kind: "thread",
        parentId: channels.general,
      });
      made.unshift(id);
      time += 1000;
      await writer.editChannel(id, { archived: true }, plainly);
    }
    await writer.editChannel(channels.privateThread, { archived: true }, plainly);
    const first = await reader.archivedThreads(channels.general, "public", { limit: 2 }, signal);
    expect([ids(first.threads), first.hasMore]).toEqual([made.slice(0, 2), true]);
    const before = first.threads.at(-1)?.thread_metadata?.archive_timestamp ?? "";
    const second = await reader.archivedThreads(channels.general, "public", { limit: 2, before }, signal);
    expect([ids(second.threads), second.hasMore]).toEqual([made.slice(2), false]);
    const hidden = await reader.archivedThreads(channels.general, "private", { limit: 2 }, signal);
    expect(ids(hidden.threads)).toEqual([channels.privateThread]);
    simulator.changes.channels.setOverwrite(channels.general, {
      ...pilot,
      deny: PermissionFlagsBits.ManageThreads,
    });
    const refused = reader.archivedThreads(channels.general, "private", { limit: 2 }, signal);
    expect((await failure(refused)).data.discord_code).toBe(50_013);
  });

  test("have members, in pages; without the members intent they are not told", async () => {
    await using site = await startRestSite();
    const first = await site.reader.threadMembers(channels.sharedThread, { limit: 1 }, signal);
    expect(first.map((member) => member.user_id)).toEqual([users.moderator]);
    const after = users.moderator;
    const second = await site.reader.threadMembers(channels.sharedThread, { limit: 1, after }, signal);
    expect(second.map((member) => member.user_id)).toEqual([users.ana]);
    await using without = await startRestSite({
      privilegedIntents: { messageContent: true, members: false, presences: false },
    });
    const refused = without.reader.threadMembers(channels.sharedThread, { limit: 1 }, signal);
    expect((await failure(refused)).code).toBe("permission_denied");
  });
});

describe("people", () => {
  test("are read one by one, listed and searched", async () => {
    await using site = await startRestSite();
    const { reader } = site;
    expect((await reader.user(users.ana, signal)).global_name).toBe("Ana");
    expect((await reader.member(guildId, users.ben, signal)).nick).toBe("Benny");
    const page = await reader.members(guildId, { limit: 2, after: users.owner }, signal);
    expect(page.map(({ user }) => user.id)).toEqual([users.moderator, users.ana]);
    const found = await reader.searchMembers(guildId, "benn", 5, signal);
    expect(found.map(({ user }) => user.id)).toEqual([users.ben]);
  });

  test("are not listed without the members intent, but found by name", async () => {
    await using site = await startRestSite({
      privilegedIntents: { messageContent: true, members: false, presences: false },
    });
    const { reader } = site;
    expect((await failure(reader.members(guildId, { limit: 2 }, signal))).code).toBe("permission_denied");
    expect(await reader.searchMembers(guildId, "ana", 5, signal)).toHaveLength(1);
  });

  test("that are banned come in pages by id", async () => {
    await using site = await startRestSite();
    const { reader, simulator } = site;
    for (const id of [users.otherBot, users.ana, users.ben])
      simulator.changes.members.ban(guildId, id, "rude");
    const first = await reader.bans(guildId, { limit: 2 }, signal);
    expect(first.map(({ user }) => user.id)).toEqual([users.ana, users.ben]);
    const rest = await reader.bans(guildId, { limit: 2, after: users.ben }, signal);
    expect(rest).toMatchObject([{ user: { id: users.otherBot }, reason: "rude" }]);
    expect((await reader.ban(guildId, users.ana, signal)).user.id).toBe(users.ana);
    expect((await failure(reader.ban(guildId, users.moderator, signal))).code).toBe("not_found");
  });
});

describe("the audit log", () => {
  test("is filtered, and read on from either end", async () => {
    await using site = await startRestSite();
    const { reader, writer } = site;
    for (const nick of ["a", "b", "c"]) await writer.editMember(guildId, users.ben, { nick }, plainly);
    await writer.giveRole(guildId, users.ben, roles.crew, plainly);
    const renames = { actionType: AuditLogEvent.MemberUpdate, limit: 2 };
    const newest = (await reader.auditLog(guildId, renames, signal)).audit_log_entries;
    const names = (entries: typeof newest) => entries.map(({ changes }) => changes?.[0]?.new_value);
    expect(names(newest)).toEqual(["c", "b"]);
    const before = newest.at(-1)?.id ?? "";
    const older = await reader.auditLog(guildId, { ...renames, before }, signal);
    expect(names(older.audit_log_entries)).toEqual(["a"]);
    const after = older.audit_log_entries[0]?.id ?? "";
    const newer = await reader.auditLog(guildId, { ...renames, after }, signal);
    expect(names(newer.audit_log_entries)).toEqual(["b", "c"]);
    const all = await reader.auditLog(guildId, { userId: botId, limit: 100 }, signal);
    expect(all.audit_log_entries).toHaveLength(4);
    expect(ids(all.users)).toEqual([botId, users.ben]);
    const others = await reader.auditLog(guildId, { userId: users.ana, limit: 100 }, signal);
    expect(others.audit_log_entries).toEqual([]);
  });

  test("is closed to a bot without View Audit Log", async () => {
    await using site = await startRestSite();
    const role = site.simulator.world.guild(guildId).roles.get(roles.bot);
    const without = BigInt(role?.permissions ?? "0") & ~PermissionFlagsBits.ViewAuditLog;
    site.simulator.changes.guilds.updateRole(guildId, roles.bot, { permissions: String(without) });
    const error = await failure(site.reader.auditLog(guildId, { limit: 1 }, signal));
    expect(error).toMatchObject({ code: "permission_denied", data: { discord_code: 50_013 } });
  });
});

describe("a read that fails on the way", () => {
  for (const respond of [502, "reset"] as const) {
    test(`is repeated once after ${respond}`, async () => {
      await using site = await startRestSite();
      site.simulator.faults.rest({ method: "GET", respond });
      expect((await site.reader.pins(channels.general, { limit: 1 }, signal)).items).toEqual([]);
      expect(site.newRequests()).toHaveLength(2);
    });
  }

  test("waits for a short rate limit, and is told of a long one", async () => {
    await using site = await startRestSite();
    site.simulator.faults.rest({ method: "GET", respond: 429, headers: { "retry-after": "0.05" } });
    expect(await site.reader.bans(guildId, { limit: 1 }, signal)).toEqual([]);
    site.simulator.faults.rest({ method: "GET", respond: 429, headers: { "retry-after": "6" } });
    const error = await failure(site.reader.bans(guildId, { limit: 1 }, signal));
    expect(error.code).toBe("rate_limited");
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(6000);
  });
});
