import { DEMO, type ToolWorld } from "../world.ts";

const { guildId, roles, users } = DEMO;

/** Gives everybody in the role of moderators these permissions, and no others. */
export function letModerators(world: ToolWorld, permissions: bigint): void {
  world.simulator.changes.guilds.updateRole(guildId, roles.moderator, { permissions: String(permissions) });
}

/** Above everybody but the owner and the moderators. */
export function letBotBeAbove(world: ToolWorld): void {
  world.simulator.changes.guilds.updateRole(guildId, roles.bot, { position: 9 });
}

export function member(world: ToolWorld, userId: string) {
  return world.simulator.world.guild(guildId).members.get(userId);
}

export const asModerator = { as: users.moderator };
export const asAna = { as: users.ana };
