import { type APIRole, PermissionFlagsBits } from "discord-api-types/v10";
import { guildPermissions } from "../permissions.ts";
import { compareIds } from "../snowflake.ts";
import type { SimulatedGuild } from "../world.ts";
import type { RestRequest } from "./context.ts";
import { missingPermissions, unknownRole } from "./errors.ts";

/** https://discord.com/developers/docs/topics/permissions#permission-hierarchy */

export function requireAboveMember(request: RestRequest, guild: SimulatedGuild, userId: string): void {
  const isOwner = guild.info.owner_id === userId;
  const top = highest(guild, userId);
  const isBelow = top === null ? highest(guild, botOf(request)) !== null : isBelowBot(request, guild, top);
  if (isOwner || !isBelow) throw missingPermissions();
}

/** Nobody puts an administrator in time-out: https://discord.com/developers/docs/resources/guild#modify-guild-member */
export function refuseAdministrator(request: RestRequest, guild: SimulatedGuild, userId: string): void {
  const held = guildPermissions(request.world, guild, userId);
  if (held & PermissionFlagsBits.Administrator) throw missingPermissions();
}

/** Managed roles are nobody's to give, and @everyone is everybody's already. */
export function requireAboveRole(request: RestRequest, guild: SimulatedGuild, roleId: string): void {
  requireRoleBelow(request, guild, roleId);
  if (guild.roles.get(roleId)?.managed || roleId === guild.id) throw missingPermissions();
}

/** Enough to change a role: also that of a bot or integration. */
export function requireRoleBelow(request: RestRequest, guild: SimulatedGuild, roleId: string): APIRole {
  const role = guild.roles.get(roleId);
  if (role === undefined) throw unknownRole();
  if (!isBelowBot(request, guild, role)) throw missingPermissions();
  return role;
}

const botOf = (request: RestRequest): string => request.world.botUser.id;

function isBelowBot(request: RestRequest, guild: SimulatedGuild, role: APIRole): boolean {
  if (guild.info.owner_id === botOf(request)) return true;
  const own = highest(guild, botOf(request));
  return own !== null && compareRoles(role, own) < 0;
}

function highest(guild: SimulatedGuild, userId: string): APIRole | null {
  const roles = (guild.members.get(userId)?.roles ?? []).flatMap((id) => guild.roles.get(id) ?? []);
  return roles.sort(compareRoles).at(-1) ?? null;
}

/** Of two roles in the same place the older one is higher. */
export function compareRoles(a: APIRole, b: APIRole): number {
  return a.position - b.position || compareIds(b.id, a.id);
}
