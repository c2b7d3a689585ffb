import { PermissionFlagsBits as P } from "discord-api-types/v10";
import type { ChannelFacts, GuildFacts } from "./facts.ts";

/** With which somebody can harm a server, its members or what was said: https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags */
export const dangerousPermissions: bigint =
  P.Administrator |
  P.ManageGuild |
  P.ManageRoles |
  P.ManageChannels |
  P.BanMembers |
  P.KickMembers |
  P.ModerateMembers |
  P.ManageMessages |
  P.ManageWebhooks |
  P.ManageThreads |
  P.ManageNicknames |
  P.ManageGuildExpressions |
  P.ManageEvents |
  P.MentionEveryone |
  P.ViewAuditLog |
  P.MuteMembers |
  P.DeafenMembers |
  P.MoveMembers;

/** Who holds something dangerous; the role of a guild's own id is @everyone. */
export interface DangerousHolder {
  readonly type: "role" | "member";
  readonly id: string;
  /** The dangerous ones alone. */
  readonly permissions: bigint;
}

export interface DangerousGrants {
  /** Roles, the highest first. The owner, who may do everything without one, is not listed. */
  readonly inGuild: readonly DangerousHolder[];
  /** What overwrites add to that, in the channels' order; channels that add nothing are left out. */
  readonly inChannels: readonly {
    readonly channelId: string;
    readonly holders: readonly DangerousHolder[];
  }[];
}

/**
 * Through which roles and overwrites somebody holds dangerous permissions. An overwrite is listed for what its role, or
 * @everyone, does not hold in the guild already; it makes nobody an administrator. Of channels that are not given,
 * such as those that the bot cannot see, nothing is said.
 */
export function dangerous(guild: GuildFacts, channels: readonly ChannelFacts[]): DangerousGrants {
  const roles = [...guild.roles.values()]
    .toSorted((a, b) => b.position - a.position || (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
    .map(
      ({ id, permissions }) =>
        ({ type: "role", id, permissions: permissions & dangerousPermissions }) as const,
    );
  const held = new Map(roles.map(({ id, permissions }) => [id, permissions]));
  const ofEveryone = held.get(guild.id) ?? 0n;
  const added = (type: "role" | "member", id: string, allow: bigint): bigint => {
    const own = ofEveryone | (type === "role" ? (held.get(id) ?? 0n) : 0n);
    return own & P.Administrator ? 0n : allow & dangerousPermissions & ~P.Administrator & ~own;
  };
  const inChannels = channels.map(({ id: channelId, overwrites }) => ({
    channelId,
    holders: overwrites
      .map(({ type, id, allow }) => ({ type, id, permissions: added(type, id, allow) }))
      .filter(({ permissions }) => permissions !== 0n),
  }));
  return {
    inGuild: roles.filter(({ permissions }) => permissions !== 0n),
    inChannels: inChannels.filter(({ holders }) => holders.length > 0),
  };
}
