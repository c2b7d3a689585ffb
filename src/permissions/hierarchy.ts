import type { GuildFacts, MemberFacts, RoleFacts } from "./facts.ts";

/**
 * Whether somebody may act on another member, as far as roles go: kick, ban, time out, rename. The owner is above all
 * and nobody above the owner; nobody is above themself, nor above who has the same highest role.
 * https://docs.discord.com/developers/topics/permissions#permission-hierarchy
 */
export function isAboveMember(guild: GuildFacts, who: MemberFacts, other: MemberFacts): boolean {
  if (who.userId === other.userId || other.userId === guild.ownerId) return false;
  if (who.userId === guild.ownerId) return true;
  const [own, theirs] = [highestRole(guild, who), highestRole(guild, other)];
  return own !== null && (theirs === null || isHigher(own, theirs));
}

/**
 * Whether somebody may give, take, change or delete a role, as far as roles go: it is below their highest one. That a
 * managed role cannot be given by hand is not asked here.
 * https://docs.discord.com/developers/topics/permissions#permission-hierarchy
 */
export function isAboveRole(guild: GuildFacts, who: MemberFacts, role: RoleFacts): boolean {
  if (who.userId === guild.ownerId) return true;
  const own = highestRole(guild, who);
  return own !== null && (role.id === guild.id || isHigher(own, role));
}

/** Null for who has none but @everyone, which is below all others. */
function highestRole(guild: GuildFacts, { roleIds }: MemberFacts): RoleFacts | null {
  let highest: RoleFacts | null = null;
  for (const id of roleIds) {
    const role = id === guild.id ? undefined : guild.roles.get(id);
    if (role !== undefined && (highest === null || isHigher(role, highest))) highest = role;
  }
  return highest;
}

/**
 * Roles with the same position are sorted by id, the lower id being the higher role.
 * https://docs.discord.com/developers/topics/permissions#role-object-role-structure
 */
function isHigher(one: RoleFacts, other: RoleFacts): boolean {
  if (one.position !== other.position) return one.position > other.position;
  return BigInt(one.id) < BigInt(other.id);
}
