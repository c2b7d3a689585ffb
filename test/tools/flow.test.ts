import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../src/errors.ts";
import { inChannel, inGuild, toActor } from "../../src/tools/audiences.ts";
import { createFlow } from "../../src/tools/flow.ts";
import { createPolicies } from "../../src/tools/policy.ts";
import { fromChannel, fromGuild, fromSelf, fromUser, readSource } from "../../src/tools/sources.ts";
import { allOn, ana, channel, denyRole, Facts, ids, member, role } from "./harness.ts";

const { ViewChannel, ViewAuditLog } = PermissionFlagsBits;
const staff = "300000000000000004";
const staffRole = "300000000000000031";
const direct = "300000000000000005";

function harbour() {
  const facts = new Facts();
  facts.roles.set(staffRole, role(staffRole, { name: "Staff", position: 1 }));
  const overwrites = [
    denyRole(ids.guild, ViewChannel),
    { id: staffRole, type: "role", allow: ViewChannel, deny: 0n } as const,
  ];
  facts.channelFacts.set(ids.hidden, channel(ids.hidden, { name: "staff", overwrites }));
  facts.channelFacts.set(staff, channel(staff, { name: "staff-talk", overwrites }));
  facts.channelFacts.set(
    direct,
    channel(direct, { guildId: null, type: ChannelType.DM, recipientIds: [ids.ana] }),
  );
  facts.members.set(ids.ana, member(ids.ana, { name: "ana", roleIds: [staffRole] }));
  const policies = createPolicies(allOn, { [ids.unknown]: { privateAnswers: "direct" } });
  const flow = createFlow({ facts, policies, now: Date.now, retryMs: [1, 1] });
  const { signal } = new AbortController();
  const restricted = (audience: Parameters<typeof flow.restricted>[0], ...sources: string[]) =>
    flow.restricted(audience, sources, signal);
  return { facts, flow, restricted };
}

const general = inChannel({ facts: channel(ids.general) });
const staffTalk = inChannel({ facts: channel(staff) });

describe("what not everybody of an audience can read", () => {
  test("is a private channel in an open one, but not the other way round", async () => {
    const { restricted } = harbour();
    const hidden = fromChannel(ids.hidden);
    expect(await restricted(general, hidden, fromChannel(ids.general), fromUser(ids.ben))).toEqual([hidden]);
    expect(await restricted(staffTalk, hidden, fromChannel(ids.general), fromGuild(ids.guild))).toEqual([]);
    expect(await restricted(inGuild(ids.guild), hidden, fromGuild(ids.guild))).toEqual([hidden]);
  });

  test("is named once, however often it was read", async () => {
    const { restricted } = harbour();
    const hidden = fromChannel(ids.hidden);
    expect(await restricted(general, hidden, hidden)).toEqual([hidden]);
  });

  test("is what needs a permission in the server", async () => {
    const { restricted, facts } = harbour();
    const log = fromGuild(ids.guild, ViewAuditLog);
    expect(await restricted(general, log)).toEqual([log]);
    expect(await restricted(toActor(ana), log)).toEqual([log]);
    facts.roles.set(staffRole, role(staffRole, { permissions: ViewAuditLog }));
    expect(await restricted(general, log)).toEqual([log]);
    expect(await restricted(toActor(ana), log)).toEqual([]);
  });

  test("is another server, a direct message, and somebody's own things", async () => {
    const { restricted } = harbour();
    const others = [fromGuild(ids.unknown), fromChannel(direct), fromSelf(ids.ana)];
    expect(await restricted(general, ...others)).toEqual(others);
    const inDirect = inChannel({ facts: channel(direct, { guildId: null }) });
    expect(await restricted(inDirect, fromChannel(direct))).toEqual([]);
    expect(await restricted(inDirect, fromChannel(ids.general))).toEqual([fromChannel(ids.general)]);
  });

  test("is nothing of the person's own where they alone read along", async () => {
    const { restricted, facts } = harbour();
    const inDirect = inChannel({ facts: await facts.channel(direct) });
    const own = [fromSelf(ids.ana), fromChannel(direct), fromChannel(ids.general), fromChannel(ids.hidden)];
    expect(await restricted(inDirect, ...own)).toEqual([]);
    expect(await restricted(inDirect, fromSelf(ids.ben))).toEqual([fromSelf(ids.ben)]);
  });

  test("is for one person what they cannot read now", async () => {
    const { restricted, facts } = harbour();
    const all = [fromChannel(ids.hidden), fromChannel(direct), fromSelf(ids.ana), fromGuild(ids.guild)];
    expect(await restricted(toActor(ana), ...all)).toEqual([]);
    facts.members.set(ids.ana, member(ids.ana));
    expect(await restricted(toActor(ana), ...all)).toEqual([fromChannel(ids.hidden)]);
    expect(await restricted(toActor({ ...ana, userId: ids.ben }), ...all)).toEqual(all);
  });

  test("is what is gone, what is unreadable, and everything when the facts cannot be had", async () => {
    const { restricted, facts } = harbour();
    const gone = fromChannel(ids.unknown);
    expect(await restricted(general, gone, "channel:x", "room:1", "user:1:2")).toEqual([
      gone,
      "channel:x",
      "room:1",
      "user:1:2",
    ]);
    facts.failure = new AppError("discord_unavailable", "No answer.");
    expect(await restricted(staffTalk, fromChannel(ids.hidden))).toEqual([fromChannel(ids.hidden)]);
  });

  test("is not what Discord did not say at first", async () => {
    const { restricted, facts } = harbour();
    const staffOnly = fromChannel(ids.hidden);
    facts.failures = 2;
    expect(await restricted(staffTalk, staffOnly)).toEqual([]);
    facts.failures = 2;
    expect(await restricted(general, staffOnly, fromChannel(staff))).toEqual([staffOnly, fromChannel(staff)]);
  });

  test("is asked of Discord again only where that can help", async () => {
    const { restricted, facts } = harbour();
    facts.failure = new AppError("discord_error", "Discord does not like it.");
    await restricted(staffTalk, fromChannel(ids.hidden));
    const once = facts.asked.length;
    facts.failure = new AppError("discord_unavailable", "No answer.");
    await restricted(staffTalk, fromChannel(ids.hidden));
    expect(facts.asked.length).toBe(once + 3 * once);
  });

  test("costs nothing where it is plain", async () => {
    const { restricted, facts } = harbour();
    const plain = [fromChannel(ids.general), fromUser(ids.ben), fromGuild(ids.guild)];
    expect(await restricted(general, ...plain)).toEqual([]);
    expect(facts.asked).toEqual([]);
  });

  test("a caller who gives up hears that", async () => {
    const { flow } = harbour();
    const given = AbortSignal.abort(new Error("given up"));
    await expect(flow.restricted(general, [fromChannel(ids.hidden)], given)).rejects.toThrow("given up");
  });
});

test("what becomes of such an answer is the server's policy", () => {
  const { flow } = harbour();
  expect(flow.policy(ids.guild)).toBe("ask");
  expect(flow.policy(ids.unknown)).toBe("direct");
});

test("a source is read as it was written", () => {
  expect(readSource(fromGuild("12", 8n))).toEqual({ kind: "guild", guildId: "12", permissions: 8n });
  expect(readSource(fromGuild("12"))).toEqual({ kind: "guild", guildId: "12", permissions: 0n });
  expect(readSource(fromChannel("1"))).toEqual({ kind: "channel", channelId: "1" });
  expect(readSource(fromSelf("1"))).toEqual({ kind: "self", userId: "1" });
});
