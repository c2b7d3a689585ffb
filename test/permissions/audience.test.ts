import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits as P } from "discord-api-types/v10";
import fc from "fast-check";
import { isWithin, type Readers, readableByAllMembers } from "../../src/permissions/audience.ts";
import { channelPermissions, guildPermissions } from "../../src/permissions/compute.ts";
import type { GuildFacts, MemberFacts, OverwriteFacts, RoleFacts } from "../../src/permissions/facts.ts";
import { channel, guild, guildId, member, memberId, ownerId, roleIds, thread } from "./facts.ts";
import { allBits, entangled, guilds, type Place, places, strangerId } from "./generate.ts";

const reading = P.ViewChannel | P.ReadMessageHistory;
const [crew, staff, muted] = roleIds;
const facts = guild(reading, [0n, 0n, 0n]);

const onRole = (id: string, allow: bigint, deny = 0n): OverwriteFacts => ({ id, type: "role", allow, deny });
const onMember = (id: string, allow: bigint, deny = 0n): OverwriteFacts => ({
  id,
  type: "member",
  allow,
  deny,
});
const hidden = onRole(guildId, 0n, P.ViewChannel);

function readers(overwrites: readonly OverwriteFacts[], id = "100000000000000021", bits = reading): Readers {
  return { channel: channel(overwrites, { id }), parent: null, bits };
}
/** Another channel than the audience's. */
const other = (...overwrites: OverwriteFacts[]) => readers(overwrites, "100000000000000025");
const here = (...overwrites: OverwriteFacts[]) => readers(overwrites);
const inThread = (type: ChannelType, parent: Readers, id = "100000000000000022"): Readers => ({
  channel: { ...thread(type), id, parentId: parent.channel?.id ?? null },
  parent: parent.channel,
  bits: reading,
});
const wholeGuild = (bits = 0n): Readers => ({ channel: null, parent: null, bits });

describe("an audience is within a source", () => {
  test.each([
    ["that everybody sees", here(hidden, onRole(crew, reading)), other()],
    ["of the same overwrites", here(hidden, onRole(crew, reading)), other(hidden, onRole(crew, reading))],
    [
      "of its role and another",
      here(hidden, onRole(crew, reading)),
      other(hidden, onRole(crew, reading), onRole(staff, reading)),
    ],
    [
      "that hides from a muted role, as it does",
      here(onRole(muted, 0n, P.ViewChannel)),
      other(onRole(muted, 0n, P.ViewChannel)),
    ],
    [
      "that hides from a role which cannot see the audience",
      here(hidden, onRole(crew, reading)),
      other(onRole(muted, 0n, P.ViewChannel), onRole(crew, reading)),
    ],
    [
      "that hides from a member who cannot see the audience",
      here(onMember(memberId, 0n, P.ViewChannel)),
      other(onMember(memberId, 0n, P.ViewChannel)),
    ],
    [
      "which lets the same member in",
      here(hidden, onMember(memberId, P.ViewChannel)),
      other(hidden, onMember(memberId, P.ViewChannel), onRole(staff, reading)),
    ],
    [
      "that lets in its one member by nothing of their own",
      here(hidden, onMember(memberId, P.ViewChannel)),
      other(),
    ],
    [
      "which hides from the owner alone, who sees everything",
      here(),
      other(onMember(ownerId, 0n, P.ViewChannel)),
    ],
    ["of less to ask for", here(), readers([], "100000000000000025", P.ViewChannel)],
    ["when nobody but administrators is in it", here(hidden), other(hidden)],
  ])("%s", (_name, audience, source) => {
    expect(isWithin(facts, audience, source)).toBe(true);
  });

  test.each([
    ["of staff, being for all", here(), other(hidden, onRole(staff, reading))],
    ["of another role", here(hidden, onRole(crew, reading)), other(hidden, onRole(staff, reading))],
    ["that hides from a muted role", here(), other(onRole(muted, 0n, P.ViewChannel))],
    [
      "that hides from a role which may come with one that sees the audience",
      here(hidden, onRole(crew, reading)),
      other(onRole(muted, 0n, P.ViewChannel)),
    ],
    ["that hides from one member", here(), other(onMember(memberId, 0n, P.ViewChannel))],
    [
      "that lets one member in",
      here(hidden, onMember(memberId, P.ViewChannel), onMember(strangerId, P.ViewChannel)),
      other(hidden, onMember(memberId, P.ViewChannel)),
    ],
    ["where history is not read", here(), other(onRole(guildId, 0n, P.ReadMessageHistory))],
    [
      "that asks for more",
      readers([], "100000000000000021", P.ViewChannel),
      other(onRole(guildId, 0n, P.ReadMessageHistory)),
    ],
  ])("not %s", (_name, audience, source) => {
    expect(isWithin(facts, audience, source)).toBe(false);
  });

  test("a role's own permissions count as much as overwrites", () => {
    const given = guild(0n, [reading, P.ViewChannel, 0n]);
    expect(isWithin(given, here(), other())).toBe(true);
    expect(isWithin(given, readers([], "100000000000000021", P.ViewChannel), other())).toBe(false);
    expect(isWithin(given, here(), other(onRole(crew, 0n, P.ReadMessageHistory)))).toBe(false);
  });

  test("two roles together may see what neither sees alone", () => {
    const apart = here(
      hidden,
      onRole(guildId, 0n, reading),
      onRole(crew, P.ViewChannel),
      onRole(staff, P.ReadMessageHistory),
    );
    expect(isWithin(facts, apart, other(hidden, onRole(crew, reading)))).toBe(true);
    expect(isWithin(facts, apart, other(hidden, onRole(muted, reading)))).toBe(false);
  });

  test("who holds a permission in the guild is a source and an audience too", () => {
    const auditors = guild(reading, [P.ViewAuditLog, 0n, 0n]);
    const log = wholeGuild(P.ViewAuditLog);
    expect(isWithin(auditors, here(hidden, onRole(crew, reading)), log)).toBe(true);
    expect(isWithin(auditors, here(hidden, onRole(staff, reading)), log)).toBe(false);
    expect(isWithin(auditors, log, here())).toBe(true);
    expect(isWithin(auditors, here(), wholeGuild())).toBe(true);
    expect(isWithin(auditors, here(hidden), wholeGuild(P.Administrator))).toBe(true);
    expect(isWithin(auditors, here(), wholeGuild(P.Administrator))).toBe(false);
  });

  test("a public thread counts as its channel", () => {
    const secret = here(hidden, onRole(staff, reading));
    for (const type of [ChannelType.PublicThread, ChannelType.AnnouncementThread]) {
      expect(isWithin(facts, inThread(type, secret), secret)).toBe(true);
      expect(isWithin(facts, secret, inThread(type, secret))).toBe(true);
      expect(isWithin(facts, other(), inThread(type, secret))).toBe(false);
    }
  });

  test("a private thread counts as its channel, and as a source it holds but itself", () => {
    const secret = inThread(ChannelType.PrivateThread, here());
    expect(isWithin(facts, secret, here())).toBe(true);
    expect(isWithin(facts, secret, secret)).toBe(true);
    expect(isWithin(facts, here(), secret)).toBe(false);
    expect(isWithin(facts, inThread(ChannelType.PrivateThread, here(), "100000000000000027"), secret)).toBe(
      false,
    );
    const moderators = guild(reading | P.ManageThreads);
    expect(isWithin(moderators, here(), secret)).toBe(false);
  });

  test("nothing is certain of what does not fit together", () => {
    const elsewhere: Readers = {
      channel: channel([], { guildId: "100000000000000009" }),
      parent: null,
      bits: reading,
    };
    const lost: Readers = { ...inThread(ChannelType.PublicThread, here()), parent: null };
    for (const each of [elsewhere, lost]) {
      expect(isWithin(facts, each, here())).toBe(false);
      expect(isWithin(facts, here(hidden), each)).toBe(false);
      expect(isWithin(facts, each, each)).toBe(false);
    }
  });

  test("nothing is certain where too many sorts of members are to be looked at", () => {
    const many = new Map<string, RoleFacts>(facts.roles);
    const overwrites: OverwriteFacts[] = [];
    const bits = allBits.reduce((all, bit) => all | bit, 0n) & ~P.Administrator;
    for (let n = 0; n < 250; n++) {
      const id = String(200_000_000_000_000_000n + BigInt(n));
      many.set(id, { id, name: id, permissions: 0n, position: n, isManaged: false });
      overwrites.push(onRole(id, BigInt(n + 1) & bits, 0n), onMember(`${id}1`, BigInt(n + 1) & bits));
    }
    const large = { ...facts, roles: many };
    expect(isWithin(large, { ...here(...overwrites), bits }, { ...other(...overwrites), bits })).toBe(false);
    expect(isWithin(large, { ...here(...overwrites), bits: P.ViewChannel }, other())).toBe(true);
  });
});

describe("what every member can read", () => {
  test("is what nobody is kept from", () => {
    const open = channel();
    expect(readableByAllMembers(facts, open, null, reading)).toBe(true);
    expect(readableByAllMembers(facts, thread(ChannelType.PublicThread), open, reading)).toBe(true);
    expect(readableByAllMembers(facts, thread(ChannelType.PrivateThread), open, reading)).toBe(false);
    expect(readableByAllMembers(facts, channel([onRole(muted, 0n, P.ViewChannel)]), null, reading)).toBe(
      false,
    );
    expect(readableByAllMembers(facts, channel([onMember(memberId, 0n, P.ViewChannel)]), null, reading)).toBe(
      false,
    );
    expect(readableByAllMembers(guild(0n), channel([onRole(guildId, reading)]), null, reading)).toBe(true);
    expect(readableByAllMembers(guild(P.Administrator), channel([hidden]), null, reading)).toBe(true);
  });
});

interface Compared {
  readonly guild: GuildFacts;
  readonly audience: Readers;
  readonly source: Readers;
}

const asked = fc.constantFrom(
  0n,
  P.ViewChannel,
  reading,
  reading | P.SendMessages,
  P.ViewChannel | P.AttachFiles,
  P.SendMessagesInThreads | P.ManageThreads,
);
const readersOf = (place: Place | null, bits: bigint): Readers => ({
  channel: place?.channel ?? null,
  parent: place?.parent ?? null,
  bits,
});
const placeOrGuild = (id: string) =>
  fc.oneof({ weight: 9, arbitrary: places(entangled, id) }, { weight: 1, arbitrary: fc.constant(null) });
const independent: fc.Arbitrary<Compared> = fc
  .tuple(
    guilds(entangled),
    placeOrGuild("100000000000000021"),
    placeOrGuild("100000000000000025"),
    asked,
    asked,
  )
  .map(([guild, one, two, wanted, needed]) => ({
    guild,
    audience: readersOf(one, wanted),
    source: readersOf(two, needed),
  }));
/** Two channels that differ little, or one would hardly ever be within the other. */
const alike: fc.Arbitrary<Compared> = fc
  .tuple(independent, fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 3 }), asked)
  .map(([{ guild, audience }, kept, bits]) => {
    const overwrites = audience.channel?.overwrites ?? [];
    const less = overwrites.filter((_one, at) => kept.includes(at));
    return { guild, audience, source: { ...readers(less, "100000000000000025"), bits } };
  });

/** Everybody whom the overwrites can tell apart: any of these users, with any of these roles. */
const imagined: readonly MemberFacts[] = [memberId, strangerId, "100000000000000098", ownerId].flatMap(
  (userId) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((mask) =>
      member({ userId, roleIds: roleIds.filter((_id, at) => mask & (1 << at)) }),
    ),
);

function isAmong(
  guild: GuildFacts,
  who: MemberFacts,
  { channel, parent, bits }: Readers,
  isThreadMember: boolean,
): boolean {
  const held =
    channel === null
      ? guildPermissions(guild, who, 0)
      : channelPermissions({ guild, member: who, channel, parent, isThreadMember, now: 0 });
  return (held & bits) === bits;
}

describe("for any guild, channels and members", () => {
  test("whoever is in an audience within a source is in the source", () => {
    const verdicts = { true: 0, false: 0 };
    fc.assert(
      fc.property(fc.oneof(independent, alike), ({ guild, audience, source }) => {
        const verdict = isWithin(guild, audience, source);
        verdicts[`${verdict}`]++;
        const isPrivateSource = source.channel?.type === ChannelType.PrivateThread;
        for (const who of imagined) {
          // Whether they were added to a private thread is anybody's guess: it must hold either way.
          for (const isThreadMember of [true, false]) {
            const isIn = isAmong(guild, who, audience, isThreadMember);
            const isInSource = isAmong(guild, who, source, isThreadMember && !isPrivateSource);
            if (verdict && isIn && !isInSource)
              throw new Error(`${who.userId} with ${who.roleIds} is in the audience alone`);
          }
        }
      }),
      { numRuns: 5000 },
    );
    expect(verdicts.true).toBeGreaterThan(500);
    expect(verdicts.false).toBeGreaterThan(500);
  });

  test("it is said of every audience of which it is so, private threads apart", () => {
    fc.assert(
      fc.property(fc.oneof(independent, alike), ({ guild, audience, source }) => {
        fc.pre(source.channel?.type !== ChannelType.PrivateThread);
        const outsider = imagined.find(
          (who) => isAmong(guild, who, audience, true) && !isAmong(guild, who, source, true),
        );
        expect(isWithin(guild, audience, source)).toBe(outsider === undefined);
      }),
      { numRuns: 5000 },
    );
  });
});
