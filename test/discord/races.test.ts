import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits as P } from "discord-api-types/v10";
import { AppError } from "../../src/errors.ts";
import { channelPermissions, guildPermissions } from "../../src/permissions/compute.ts";
import { channels, guildId, Rig, roles, users } from "./harness.ts";

const { signal } = new AbortController();

const requests = (rig: Rig, path: RegExp): number =>
  rig.sim.requests.filter((request) => path.test(request.path)).length;
const reads = (rig: Rig): number => requests(rig, /^\/(guilds|channels)\//);

/** What somebody may do somewhere, by what the facts say now; null when they or the channel are not there. */
async function bits(rig: Rig, userId: string, channelId: string): Promise<bigint | null> {
  const { facts } = rig.discord;
  try {
    const channel = await facts.channel(channelId, signal);
    const [guild, member] = [await facts.guild(guildId, signal), await facts.member(guildId, userId, signal)];
    const parent = channel.thread === null ? null : await facts.channel(channel.parentId ?? "", signal);
    const question = { guild, member, channel, parent, isThreadMember: false };
    return channelPermissions({ ...question, now: Date.now() });
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found") return null;
    throw error;
  }
}

const may = async (rig: Rig, bit: bigint, userId: string, channelId: string): Promise<boolean> =>
  (((await bits(rig, userId, channelId)) ?? 0n) & bit) !== 0n;

/** The events before a message have been taken in when the message has. */
const settled = (rig: Rig): Promise<void> => rig.handled(rig.say("and then"));

describe("what changes in Discord holds for the next question, without a request", () => {
  test("a role that is taken away, and one that is given", async () => {
    await using rig = await Rig.start();
    expect(await may(rig, P.ViewChannel, users.moderator, channels.staff)).toBe(true);
    const before = reads(rig);
    rig.sim.changes.members.removeRole(guildId, users.moderator, roles.moderator);
    await settled(rig);
    expect(await may(rig, P.ViewChannel, users.moderator, channels.staff)).toBe(false);
    rig.sim.changes.members.addRole(guildId, users.moderator, roles.moderator);
    await settled(rig);
    expect(await may(rig, P.ViewChannel, users.moderator, channels.staff)).toBe(true);
    expect(reads(rig)).toBe(before);
  });

  test("what a role may do, and a role that is deleted with an overwrite of its own", async () => {
    await using rig = await Rig.start();
    expect(await may(rig, P.KickMembers, users.moderator, channels.general)).toBe(true);
    const before = reads(rig);
    rig.sim.changes.guilds.updateRole(guildId, roles.moderator, { permissions: "0" });
    await settled(rig);
    expect(await may(rig, P.KickMembers, users.moderator, channels.general)).toBe(false);
    expect(await may(rig, P.ViewChannel, users.moderator, channels.staff)).toBe(true);
    rig.sim.changes.guilds.removeRole(guildId, roles.moderator);
    await settled(rig);
    expect(await may(rig, P.ViewChannel, users.moderator, channels.staff)).toBe(false);
    expect(reads(rig)).toBe(before);
  });

  test("an overwrite that is set, and one that is cleared, for the channel and its threads", async () => {
    await using rig = await Rig.start();
    const sees = () =>
      Promise.all([channels.general, channels.thread].map((id) => may(rig, P.ViewChannel, users.ana, id)));
    expect(await sees()).toEqual([true, true]);
    const before = reads(rig);
    const deny = { id: roles.crew, type: "role", deny: P.ViewChannel } as const;
    rig.sim.changes.channels.setOverwrite(channels.general, deny);
    await rig.handled(rig.say("elsewhere", { channelId: channels.random }));
    expect(await sees()).toEqual([false, false]);
    rig.sim.changes.channels.removeOverwrite(channels.general, roles.crew);
    await settled(rig);
    expect(await sees()).toEqual([true, true]);
    expect(reads(rig)).toBe(before);
  });

  test("a time-out, and its end", async () => {
    await using rig = await Rig.start();
    expect(await may(rig, P.SendMessages, users.ana, channels.general)).toBe(true);
    const before = reads(rig);
    rig.sim.changes.members.timeout(guildId, users.ana, Date.now() + 600_000);
    await settled(rig);
    expect(await may(rig, P.SendMessages, users.ana, channels.general)).toBe(false);
    expect(await may(rig, P.ViewChannel, users.ana, channels.general)).toBe(true);
    rig.sim.changes.members.timeout(guildId, users.ana, null);
    await settled(rig);
    expect(await may(rig, P.SendMessages, users.ana, channels.general)).toBe(true);
    expect(reads(rig)).toBe(before);
  });

  test("a new owner", async () => {
    await using rig = await Rig.start();
    expect(await may(rig, P.Administrator, users.ben, channels.staff)).toBe(false);
    const before = reads(rig);
    rig.sim.changes.guilds.update(guildId, { owner_id: users.ben });
    await settled(rig);
    expect(await may(rig, P.Administrator, users.ben, channels.staff)).toBe(true);
    expect(reads(rig)).toBe(before);
  });
});

describe("what is gone is gone for the next question", () => {
  test("a channel, with its threads", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    expect(await may(rig, P.ViewChannel, users.ana, channels.thread)).toBe(true);
    expect(facts.knownChannel(channels.general)?.name).toBe("general");
    rig.sim.changes.channels.remove(channels.general);
    await rig.handled(rig.say("elsewhere", { channelId: channels.random }));
    for (const id of [channels.general, channels.thread]) {
      expect(facts.knownChannel(id)).toBeNull();
      expect(await bits(rig, users.ana, id)).toBeNull();
    }
    const left = await facts.channels(guildId, signal);
    expect(left.map(({ id }) => id)).not.toContain(channels.general);
  });

  test("a member, who was kicked or has left", async () => {
    await using rig = await Rig.start();
    expect(await may(rig, P.ViewChannel, users.ana, channels.general)).toBe(true);
    rig.sim.changes.members.remove(guildId, users.ana);
    await rig.handled(rig.say("and then", { userId: users.ben }));
    expect(await bits(rig, users.ana, channels.general)).toBeNull();
  });

  test("the whole server, from which the bot was removed", async () => {
    await using rig = await Rig.start();
    await rig.discord.facts.guild(guildId, signal);
    rig.sim.changes.guilds.removeBot(guildId);
    // No message comes from there any more; the last thing that does is the event itself.
    while (rig.removedGuilds.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(rig.discord.facts.knownChannel(channels.general)).toBeNull();
    const refusal = await rig.discord.facts.guild(guildId, signal).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AppError);
  });
});

describe("what changes while it is being read", () => {
  const memberPath = new RegExp(`^/guilds/${guildId}/members/${users.moderator}$`);

  test("is not kept, since nobody knows which came first", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    const held = rig.sim.faults.rest({ path: memberPath, respond: "hold" });
    const reading = facts.member(guildId, users.moderator, signal);
    while (held.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    rig.sim.changes.members.removeRole(guildId, users.moderator, roles.moderator);
    await settled(rig);
    held.release();
    await reading;
    const before = requests(rig, memberPath);
    expect((await facts.member(guildId, users.moderator, signal)).roleIds).toEqual([roles.crew]);
    expect(requests(rig, memberPath) - before).toBe(1);
    await facts.member(guildId, users.moderator, signal);
    expect(requests(rig, memberPath) - before).toBe(1);
  });

  test("is what a decision in two steps sees the second time", async () => {
    await using rig = await Rig.start();
    const { facts } = rig.discord;
    const mayBan = async () => {
      const member = await facts.member(guildId, users.moderator, signal);
      return (
        (guildPermissions(await facts.guild(guildId, signal), member, Date.now()) & P.KickMembers) !== 0n
      );
    };
    const first = await mayBan();
    rig.sim.changes.members.removeRole(guildId, users.moderator, roles.moderator);
    await settled(rig);
    expect([first, await mayBan()]).toEqual([true, false]);
  });
});
