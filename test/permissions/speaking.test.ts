import { describe, expect, test } from "bun:test";
import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type { MemberFacts } from "../../src/permissions/facts.ts";
import { needsMfa } from "../../src/permissions/moderation.ts";
import { permissionNames } from "../../src/permissions/names.ts";
import { maySpeakYet } from "../../src/permissions/speaking.ts";
import { guild, member, ownerId, roleIds } from "./facts.ts";

const minute = 60_000;
/** Of the documentation's own example: https://docs.discord.com/developers/reference#snowflakes */
const userId = "175928847299117063";
const madeAt = 1_462_015_105_796;
const [crew] = roleIds;

function ask(level: number, now: number, part: Partial<MemberFacts> = {}, role = 0n) {
  const facts = { ...guild(0n, [role]), verificationLevel: level };
  return maySpeakYet(facts, member({ userId, joinedAt: madeAt, ...part }), now);
}

/** https://docs.discord.com/developers/resources/guild#guild-object-verification-level */
describe("saying anything", () => {
  test.each([0, 1])("is open at once at level %p", (level) => {
    expect(ask(level, madeAt, { joinedAt: null })).toBeNull();
  });

  test("takes an account of five minutes at level 2, which may have joined just now", () => {
    const now = madeAt + 2 * minute;
    expect(ask(2, now)).toEqual({ reason: "account_age", waitMs: 3 * minute });
    expect(ask(2, madeAt + 5 * minute, { joinedAt: madeAt + 5 * minute })).toBeNull();
    expect(ask(2, madeAt + 5 * minute, { joinedAt: null })).toBeNull();
  });

  test("takes ten minutes in the server at level 3, and the account's five", () => {
    expect(ask(3, madeAt + 2 * minute)).toEqual({ reason: "account_age", waitMs: 3 * minute });
    const joinedAt = madeAt + 60 * minute;
    expect(ask(3, joinedAt + minute, { joinedAt })).toEqual({ reason: "membership_age", waitMs: 9 * minute });
    expect(ask(3, joinedAt + 10 * minute, { joinedAt })).toBeNull();
    expect(ask(3, joinedAt, { joinedAt: null })).toEqual({ reason: "membership_age", waitMs: null });
  });

  test.each([4, 5])("cannot be established at level %p", (level) => {
    expect(ask(level, madeAt + 1000 * minute)).toEqual({ reason: "phone", waitMs: null });
  });

  test("is open at every level to who has a role", () => {
    for (const level of [2, 3, 4]) expect(ask(level, madeAt, { roleIds: [crew] })).toBeNull();
  });

  test("is closed to who has not agreed to the rules, whatever the level and their roles", () => {
    for (const level of [0, 4])
      expect(ask(level, madeAt, { isPending: true, roleIds: [crew] })).toEqual({
        reason: "pending",
        waitMs: null,
      });
  });

  test("is open to the owner and to administrators", () => {
    expect(ask(4, madeAt, { userId: ownerId, isPending: true })).toBeNull();
    expect(ask(4, madeAt, { roleIds: [crew], isPending: true }, P.Administrator)).toBeNull();
  });
});

/** https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags */
test("two-factor authentication goes with the permissions that Discord's table stars, and with time-outs", () => {
  expect(permissionNames(needsMfa).toSorted()).toEqual([
    "Administrator",
    "Ban Members",
    "Kick Members",
    "Manage Channels",
    "Manage Expressions",
    "Manage Messages",
    "Manage Roles",
    "Manage Server",
    "Manage Threads",
    "Manage Webhooks",
    "Time Out Members",
    "View Creator Monetization Analytics",
  ]);
});
