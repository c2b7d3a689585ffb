import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import {
  basePermissions,
  type ChannelQuestion,
  channelPermissions,
  directMessagePermissions,
  everything,
  guildPermissions,
} from "../../src/permissions/compute.ts";
import type { OverwriteFacts } from "../../src/permissions/facts.ts";
import { permissionNames } from "../../src/permissions/names.ts";
import { channel, guild, guildId, member, memberId, ownerId, roleIds, thread } from "./facts.ts";

const P = PermissionFlagsBits;
const everyday = P.ViewChannel | P.SendMessages | P.SendMessagesInThreads | P.ReadMessageHistory;
const [crew, staff] = roleIds;
const now = 1000;
const timedOut = member({ timedOutUntil: now + 1 });

const role = (id: string, allow: bigint, deny: bigint): OverwriteFacts => ({ id, type: "role", allow, deny });
const personal = (allow: bigint, deny: bigint): OverwriteFacts => ({
  id: memberId,
  type: "member",
  allow,
  deny,
});

function ask(part: Partial<ChannelQuestion> & Pick<ChannelQuestion, "guild">): bigint {
  return channelPermissions({
    member: member(),
    channel: channel(),
    parent: null,
    isThreadMember: false,
    now,
    ...part,
  });
}

/**
 * https://docs.discord.com/developers/topics/permissions#permission-overwrites
 * https://docs.discord.com/developers/topics/permissions#implicit-permissions
 */
describe("in a channel", () => {
  test("roles add to @everyone, and a role that no longer exists adds nothing", () => {
    const facts = guild(P.ViewChannel, [P.SendMessages, P.BanMembers]);
    expect(ask({ guild: facts, member: member({ roleIds: [crew, "100000000000000098"] }) })).toBe(
      P.ViewChannel | P.SendMessages,
    );
  });

  test("the owner and administrators have everything, whatever is denied to them", () => {
    const denied = channel([role(guildId, 0n, everything), personal(0n, everything)]);
    expect(ask({ guild: guild(0n), member: member({ userId: ownerId }), channel: denied })).toBe(everything);
    const admin = member({ roleIds: [crew] });
    expect(ask({ guild: guild(0n, [P.Administrator]), member: admin, channel: denied })).toBe(everything);
  });

  test("an allow for one role beats a deny for another; the member's own overwrite beats both", () => {
    const facts = guild(everyday, [0n, 0n]);
    const who = member({ roleIds: [crew, staff] });
    const both = [role(crew, 0n, P.SendMessages), role(staff, P.SendMessages, 0n)];
    expect(ask({ guild: facts, member: who, channel: channel(both) })).toBe(everyday);
    const own = channel([...both, personal(0n, P.SendMessages)]);
    expect(ask({ guild: facts, member: who, channel: own })).toBe(everyday & ~P.SendMessages);
  });

  test("an administrator by overwrite alone is none", () => {
    const granted = channel([personal(P.Administrator, 0n)]);
    const bits = ask({ guild: guild(P.ViewChannel), channel: granted });
    expect(bits).toBe(P.ViewChannel);
    expect(ask({ guild: guild(everyday), channel: granted, member: timedOut })).toBe(
      P.ViewChannel | P.ReadMessageHistory,
    );
  });

  test("an overwrite of a role that no longer exists says nothing", () => {
    const gone = "100000000000000098";
    const granted = channel([role(gone, P.ManageMessages, P.ViewChannel)]);
    const who = member({ roleIds: [gone] });
    expect(ask({ guild: guild(P.ViewChannel), member: who, channel: granted })).toBe(P.ViewChannel);
  });

  test("without View Channel there is nothing at all", () => {
    const hidden = channel([role(guildId, P.ManageMessages, P.ViewChannel)]);
    expect(ask({ guild: guild(everyday), channel: hidden })).toBe(0n);
  });

  test("without Send Messages there is no mentioning, speaking aloud, attaching, embedding", () => {
    const implied = P.MentionEveryone | P.SendTTSMessages | P.AttachFiles | P.EmbedLinks;
    const facts = guild(everyday | implied | P.AddReactions);
    expect(ask({ guild: facts }) & implied).toBe(implied);
    const mute = channel([role(guildId, 0n, P.SendMessages)]);
    expect(ask({ guild: facts, channel: mute })).toBe((everyday & ~P.SendMessages) | P.AddReactions);
  });

  test.each([ChannelType.GuildVoice, ChannelType.GuildStageVoice])(
    "without Connect a voice channel (%p) can only be seen",
    (type) => {
      const facts = guild(everyday | P.ManageChannels);
      expect(ask({ guild: facts, channel: channel([], { type }) })).toBe(P.ViewChannel);
      const open = guild(everyday | P.Connect);
      expect(ask({ guild: open, channel: channel([], { type }) })).toBe(everyday | P.Connect);
    },
  );

  test("a channel of another guild, or of none, gives nothing, not even to the owner", () => {
    const who = member({ userId: ownerId });
    for (const other of ["100000000000000009", null])
      expect(ask({ guild: guild(everything), member: who, channel: channel([], { guildId: other }) })).toBe(
        0n,
      );
  });
});

/** https://docs.discord.com/developers/topics/permissions#permissions-for-timed-out-members */
describe("in a time-out", () => {
  const facts = guild(everyday | P.ManageThreads, [P.Administrator]);

  test("only seeing and reading is left, in channel and guild, also where an overwrite allows more", () => {
    const left = P.ViewChannel | P.ReadMessageHistory;
    const allowed = channel([personal(P.SendMessages, 0n)]);
    expect(ask({ guild: facts, member: timedOut, channel: allowed })).toBe(left);
    expect(guildPermissions(facts, timedOut, now)).toBe(left);
    expect(basePermissions(facts, timedOut)).toBe(everyday | P.ManageThreads);
  });

  test("what was not there does not come back", () => {
    const hidden = channel([role(guildId, 0n, P.ViewChannel)]);
    expect(ask({ guild: facts, member: timedOut, channel: hidden })).toBe(0n);
  });

  test("it ends on time, and owner and administrators are exempt", () => {
    expect(ask({ guild: facts, member: member({ timedOutUntil: now }) })).toBe(everyday | P.ManageThreads);
    const owner = member({ userId: ownerId, timedOutUntil: now + 1 });
    const admin = member({ roleIds: [crew], timedOutUntil: now + 1 });
    for (const who of [owner, admin]) {
      expect(ask({ guild: facts, member: who })).toBe(everything);
      expect(guildPermissions(facts, who, now)).toBe(everything);
    }
  });
});

/**
 * https://docs.discord.com/developers/topics/permissions#inherited-permissions-threads
 * https://docs.discord.com/developers/topics/threads#permissions
 */
describe("in a thread", () => {
  const facts = guild(everyday);
  const open = { channel: thread(ChannelType.PublicThread), parent: channel() };

  test("the parent's permissions count, Send Messages apart", () => {
    expect(ask({ guild: facts, ...open })).toBe(everyday & ~P.SendMessages);
    const hidden = { ...open, parent: channel([role(guildId, 0n, P.ViewChannel)]) };
    expect(ask({ guild: facts, ...hidden, isThreadMember: true })).toBe(0n);
  });

  test("attaching goes with Send Messages in Threads, not with Send Messages", () => {
    const able = guild(everyday | P.AttachFiles);
    const mute = channel([role(guildId, 0n, P.SendMessages)]);
    expect(ask({ guild: able, ...open, parent: mute }) & P.AttachFiles).toBe(P.AttachFiles);
    const still = channel([role(guildId, 0n, P.SendMessagesInThreads)]);
    expect(ask({ guild: able, ...open, parent: still }) & P.AttachFiles).toBe(0n);
  });

  test("being archived or locked takes no permission away: what it forbids is asked elsewhere", () => {
    const closed = { ownerId: null, isArchived: true, isLocked: true, isInvitable: false };
    const archived = { ...thread(ChannelType.PublicThread), thread: closed };
    expect(ask({ guild: facts, channel: archived, parent: channel() })).toBe(everyday & ~P.SendMessages);
  });

  test("a private one is for its members and for who manages threads", () => {
    const secret = { channel: thread(ChannelType.PrivateThread), parent: channel() };
    expect(ask({ guild: facts, ...secret })).toBe(0n);
    expect(ask({ guild: facts, ...secret, isThreadMember: true })).toBe(everyday & ~P.SendMessages);
    expect(ask({ guild: guild(everyday | P.ManageThreads), ...secret })).not.toBe(0n);
    expect(ask({ guild: facts, ...secret, member: member({ userId: ownerId }) })).toBe(everything);
  });

  test("in a time-out managing threads opens no private one", () => {
    const secret = { channel: thread(ChannelType.PrivateThread), parent: channel() };
    const facts = guild(everyday | P.ManageThreads);
    expect(ask({ guild: facts, ...secret, member: timedOut })).toBe(0n);
    expect(ask({ guild: facts, ...secret, member: timedOut, isThreadMember: true })).toBe(
      P.ViewChannel | P.ReadMessageHistory,
    );
  });

  test("without its parent, or with another channel as such, it gives nothing", () => {
    const channelOfThread = thread(ChannelType.PublicThread);
    const strangers = [null, channel([], { id: "100000000000000097" }), channel([], { guildId: "1" })];
    for (const parent of strangers)
      expect(ask({ guild: facts, channel: channelOfThread, parent, isThreadMember: true })).toBe(0n);
  });
});

/** https://docs.discord.com/developers/resources/channel#channel-object-channel-types */
describe("in a direct message", () => {
  const direct = channel([], { guildId: null, type: ChannelType.DM, recipientIds: [memberId] });
  const bot = "100000000000000031";

  test("its recipients and the bot may read and write, nobody else anything", () => {
    for (const who of [memberId, bot]) {
      const bits = directMessagePermissions(direct, who, bot);
      expect(bits & (P.ViewChannel | P.ReadMessageHistory | P.SendMessages)).not.toBe(0n);
      expect(bits & (P.ManageMessages | P.Administrator | P.BanMembers)).toBe(0n);
    }
    expect(directMessagePermissions(direct, ownerId, bot)).toBe(0n);
    expect(directMessagePermissions(direct, memberId, bot) & P.PinMessages).toBe(P.PinMessages);
    expect(directMessagePermissions(channel([], { recipientIds: [memberId] }), memberId, bot)).toBe(0n);
  });
});

/** https://docs.discord.com/developers/resources/channel#channel-object-channel-types */
test("a group is for those in it, be they its owner or not", () => {
  const group = channel([], { guildId: null, type: ChannelType.GroupDM, recipientIds: [memberId, ownerId] });
  const bot = "100000000000000031";
  for (const who of [memberId, ownerId])
    expect(directMessagePermissions(group, who, bot) & P.SendMessages).toBe(P.SendMessages);
  expect(directMessagePermissions(group, "100000000000000099", bot)).toBe(0n);
});

describe("names of permissions", () => {
  test("are those that people know, each once", () => {
    expect(permissionNames(P.ReadMessageHistory | P.ViewChannel)).toEqual([
      "View Channel",
      "Read Message History",
    ]);
    expect(permissionNames(P.ManageGuildExpressions)).toEqual(["Manage Expressions"]);
    expect(permissionNames(P.ManageGuild | P.SendTTSMessages)).toEqual([
      "Manage Server",
      "Send Text-to-Speech Messages",
    ]);
    expect(permissionNames(0n)).toEqual([]);
  });

  test("every bit has one", () => {
    expect(permissionNames(everything)).toHaveLength(new Set(Object.values(P)).size);
  });
});
