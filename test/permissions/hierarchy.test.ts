import { describe, expect, test } from "bun:test";
import type { GuildFacts, RoleFacts } from "../../src/permissions/facts.ts";
import { isAboveMember, isAboveRole } from "../../src/permissions/hierarchy.ts";
import { guild, guildId, member, memberId, ownerId } from "./facts.ts";

const [high, low, lowToo, bottom] = [
  "100000000000000011",
  "100000000000000012",
  "99000000000000013",
  "100000000000000014",
];
const role = (id: string, position: number): RoleFacts => ({
  id,
  name: id,
  permissions: 0n,
  position,
  isManaged: false,
});
const roles = [role(guildId, 0), role(high, 2), role(low, 1), role(lowToo, 1), role(bottom, 0)];
const facts: GuildFacts = { ...guild(0n), roles: new Map(roles.map((each) => [each.id, each])) };

const who = (roleIds: readonly string[], userId: string = memberId) => member({ userId, roleIds });
const them = (roleIds: readonly string[]) => who(roleIds, "100000000000000004");

/** https://docs.discord.com/developers/topics/permissions#permission-hierarchy */
describe("above a member", () => {
  test.each([
    ["with a higher role", [high], [low], true],
    ["with the same role", [high], [high], false],
    ["with a lower role", [low], [high], false],
    ["by the highest of several", [low, high], [low, lowToo], true],
    ["with a role, of who has none", [low], [], true],
    ["without a role", [], [], false],
    ["without a role, of who has one", [], [bottom], false],
    ["with the lower id of two at one position, which is shorter here", [lowToo], [low], true],
    ["with the higher id of two at one position", [low], [lowToo], false],
    ["with roles that no longer exist", ["100000000000000098"], [], false],
    ["with @everyone named among the roles", [guildId], [], false],
  ])("%s", (_name, own, theirs, expected) => {
    expect(isAboveMember(facts, who(own), them(theirs))).toBe(expected);
  });

  test("is the owner, and nobody is above the owner or themself", () => {
    const owner = who([], ownerId);
    expect(isAboveMember(facts, owner, them([high]))).toBe(true);
    expect(isAboveMember(facts, them([high]), owner)).toBe(false);
    expect(isAboveMember(facts, owner, owner)).toBe(false);
    expect(isAboveMember(facts, who([high]), who([low]))).toBe(false);
  });
});

describe("above a role", () => {
  const roleOf = (id: string) => facts.roles.get(id) ?? role(id, 0);

  test.each([
    ["a lower one", [high], low, true],
    ["the own highest", [high], high, false],
    ["a higher one", [low], high, false],
    ["at the same position with a higher id", [lowToo], low, true],
    ["at the same position with a lower id", [low], lowToo, false],
    ["@everyone, with any role", [bottom], guildId, true],
    ["@everyone, without one", [], guildId, false],
    ["at the bottom, without one", [], bottom, false],
  ])("%s", (_name, own, id, expected) => {
    expect(isAboveRole(facts, who(own), roleOf(id))).toBe(expected);
  });

  test("is the owner of all", () => {
    for (const each of roles) expect(isAboveRole(facts, who([], ownerId), each)).toBe(true);
  });
});
