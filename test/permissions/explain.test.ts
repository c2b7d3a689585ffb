import { describe, expect, test } from "bun:test";
import { ChannelType, PermissionFlagsBits as P } from "discord-api-types/v10";
import fc from "fast-check";
import { channelPermissions, guildPermissions } from "../../src/permissions/compute.ts";
import { explainPermission, type PermissionQuestion } from "../../src/permissions/explain.ts";
import type { OverwriteFacts } from "../../src/permissions/facts.ts";
import { channel, guild, guildId, member, memberId, ownerId, roleIds, thread } from "./facts.ts";
import { allBits, entangled, guilds, members, permissions, places } from "./generate.ts";

const [crew, staff] = roleIds;
const now = 5;
const onRole = (id: string, allow: bigint, deny = 0n): OverwriteFacts => ({ id, type: "role", allow, deny });

function ask(part: Partial<PermissionQuestion>, bit: bigint) {
  const question = { guild: guild(P.ViewChannel), member: member(), channel: channel(), parent: null };
  return explainPermission({ ...question, isThreadMember: false, now, ...part }, bit);
}

describe("an explanation", () => {
  test("names the role that gives a permission, or that none does", () => {
    const facts = guild(P.ViewChannel, [P.BanMembers]);
    const who = member({ roleIds: [crew] });
    expect(ask({ guild: facts, member: who, channel: null }, P.BanMembers)).toEqual({
      isAllowed: true,
      steps: [{ by: "role", roleId: crew, effect: "allow" }],
    });
    expect(ask({ guild: facts, channel: null }, P.BanMembers)).toEqual({
      isAllowed: false,
      steps: [{ by: "no_role", effect: "deny" }],
    });
    expect(ask({}, P.ViewChannel).steps).toEqual([{ by: "role", roleId: guildId, effect: "allow" }]);
  });

  test("goes through the overwrites in Discord's order, the one that decided last", () => {
    const overwrites: OverwriteFacts[] = [
      { id: memberId, type: "member", allow: 0n, deny: P.ViewChannel },
      onRole(staff, P.ViewChannel),
      onRole(crew, 0n, P.ViewChannel),
      onRole(guildId, 0n, P.ViewChannel),
    ];
    const who = member({ roleIds: [crew, staff] });
    const facts = guild(P.ViewChannel, [0n, 0n]);
    const { isAllowed, steps } = ask(
      { guild: facts, member: who, channel: channel(overwrites) },
      P.ViewChannel,
    );
    expect(isAllowed).toBe(false);
    expect(steps).toEqual([
      { by: "role", roleId: guildId, effect: "allow" },
      { by: "overwrite", of: "everyone", id: guildId, effect: "deny" },
      { by: "overwrite", of: "role", id: crew, effect: "deny" },
      { by: "overwrite", of: "role", id: staff, effect: "allow" },
      { by: "overwrite", of: "member", id: memberId, effect: "deny" },
    ]);
  });

  test("says that the owner and administrators need nothing else, and through which role they are", () => {
    const hidden = channel([onRole(guildId, 0n, P.ViewChannel)]);
    expect(ask({ member: member({ userId: ownerId }), channel: hidden }, P.ViewChannel).steps).toEqual([
      { by: "owner" },
    ]);
    const facts = guild(0n, [P.Administrator]);
    const admin = member({ roleIds: [crew], timedOutUntil: now + 1 });
    expect(ask({ guild: facts, member: admin, channel: hidden }, P.BanMembers)).toEqual({
      isAllowed: true,
      steps: [{ by: "administrator", roleId: crew }],
    });
    const byOverwrite = channel([onRole(guildId, P.Administrator)]);
    expect(ask({ channel: byOverwrite }, P.Administrator).steps.at(-1)).toEqual({
      by: "never_by_overwrite",
      effect: "deny",
    });
  });

  test("names what has to be there too", () => {
    const facts = guild(P.ViewChannel | P.AttachFiles | P.SendMessages);
    const mute = channel([onRole(guildId, 0n, P.SendMessages)]);
    expect(ask({ guild: facts, channel: mute }, P.AttachFiles).steps.at(-1)).toEqual({
      by: "implied",
      missing: "SendMessages",
      effect: "deny",
    });
    const voice = channel([], { type: ChannelType.GuildVoice });
    const hidden = channel([onRole(guildId, 0n, P.ViewChannel)]);
    const missing = (where: typeof voice) =>
      ask({ guild: facts, channel: where }, P.SendMessages).steps.at(-1);
    expect(missing(voice)).toMatchObject({ by: "implied", missing: "Connect" });
    expect(missing(hidden)).toMatchObject({ by: "implied", missing: "ViewChannel" });
  });

  test("says until when a time-out lasts", () => {
    const who = member({ timedOutUntil: now + 1 });
    const facts = guild(P.ViewChannel | P.SendMessages);
    const last = { by: "timeout", until: now + 1, effect: "deny" } as const;
    expect(ask({ guild: facts, member: who }, P.SendMessages).steps.at(-1)).toEqual(last);
    expect(ask({ guild: facts, member: who, channel: null }, P.SendMessages).steps.at(-1)).toEqual(last);
    expect(ask({ guild: facts, member: who }, P.ViewChannel).isAllowed).toBe(true);
  });

  test("says what is otherwise in threads", () => {
    const facts = guild(P.ViewChannel | P.SendMessages);
    const secret = { channel: thread(ChannelType.PrivateThread), parent: channel(), guild: facts };
    expect(ask(secret, P.ViewChannel).steps.at(-1)).toMatchObject({ by: "thread", reason: "not_a_member" });
    expect(ask({ ...secret, isThreadMember: true }, P.ViewChannel).isAllowed).toBe(true);
    expect(ask({ ...secret, isThreadMember: true }, P.SendMessages).steps.at(-1)).toMatchObject({
      reason: "send_messages",
    });
    expect(ask({ ...secret, parent: null }, P.ViewChannel).steps).toEqual([
      { by: "thread", reason: "no_parent", effect: "deny" },
    ]);
    expect(ask({ channel: channel([], { guildId: "100000000000000009" }) }, P.ViewChannel).steps).toEqual([
      { by: "elsewhere", effect: "deny" },
    ]);
  });
});

describe("for any guild, member, channel and permission", () => {
  const moment = fc.constantFrom(0, 5, 20);
  const question: fc.Arbitrary<PermissionQuestion> = fc
    .constantFrom(entangled, permissions)
    .chain((bits) =>
      fc.record({
        guild: guilds(bits),
        member: members,
        place: fc.option(places(bits, "100000000000000021")),
        isElsewhere: fc.nat({ max: 20 }).map((luck) => luck === 0),
        isThreadMember: fc.boolean(),
        now: moment,
      }),
    )
    .map(({ place, isElsewhere, ...rest }) => ({
      ...rest,
      channel:
        place === null ? null : { ...place.channel, guildId: isElsewhere ? "100000000000000009" : guildId },
      parent: place?.parent ?? null,
    }));

  test("the verdict is that of the arithmetic, and the last step is why", () => {
    const last = new Map<string, number>();
    fc.assert(
      fc.property(question, (given) => {
        const { channel } = given;
        const bits =
          channel === null
            ? guildPermissions(given.guild, given.member, given.now)
            : channelPermissions({ ...given, channel });
        for (const bit of allBits) {
          const { isAllowed, steps } = explainPermission(given, bit);
          if (isAllowed !== ((bits & bit) !== 0n)) throw new Error(`bit ${bit}: ${JSON.stringify(steps)}`);
          const decisive = steps.at(-1);
          if (decisive === undefined) throw new Error(`bit ${bit}: no step`);
          const isFor = !("effect" in decisive) || decisive.effect === "allow";
          if (isFor !== isAllowed) throw new Error(`bit ${bit}: ${JSON.stringify(decisive)} did not decide`);
          last.set(decisive.by, (last.get(decisive.by) ?? 0) + 1);
        }
      }),
      { numRuns: 3000 },
    );
    const kinds = ["administrator", "elsewhere", "implied", "never_by_overwrite", "no_role", "overwrite"];
    expect([...last.keys()].toSorted()).toEqual([...kinds, "owner", "role", "thread", "timeout"]);
  });
});
