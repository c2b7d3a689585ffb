import type { SimulatedGuild } from "../world.ts";
import type { RestRequest } from "./context.ts";
import { missingPermissions, unknownRole } from "./errors.ts";

/** https://discord.com/developers/docs/topics/permissions#permission-hierarchy */

export function requireAboveMember(request: RestRequest, guild: SimulatedGuild, userId: string): void {
  const isOwner = guild.info.owner_id === userId;
  if (isOwner || highest(guild, userId) >= highest(guild, request.world.botUser.id))
    throw missingPermissions();
}

/** Managed roles are nobody's to give, and @everyone is everybody's already. */
export function requireAboveRole(request: RestRequest, guild: SimulatedGuild, roleId: string): void {
  const role = guild.roles.get(roleId);
  if (role === undefined) throw unknownRole();
  const isTooHigh = role.position >= highest(guild, request.world.botUser.id);
  if (isTooHigh || role.managed || role.id === guild.id) throw missingPermissions();
}

function highest(guild: SimulatedGuild, userId: string): number {
  const roles = guild.members.get(userId)?.roles ?? [];
  return Math.max(0, ...roles.map((id) => guild.roles.get(id)?.position ?? 0));
}
