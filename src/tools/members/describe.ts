import type { APIGuildMember } from "discord-api-types/v10";
import { type Static, Type } from "typebox";
import type { GuildFacts, RoleFacts } from "../../permissions/facts.ts";
import { flag, nullable, person, timestamp } from "../result-schemas.ts";

/** What tools tell of a member. */
export const memberShape = Type.Object({
  ...person,
  nick: Type.Optional(Type.String()),
  bot: flag("It is a bot."),
  joined_at: nullable(timestamp("When they joined the server.")),
  roles: Type.Array(Type.String(), { description: "Their names, the highest first." }),
});

export function describeMember(
  { user, nick, joined_at, roles }: APIGuildMember,
  guild: GuildFacts,
): Static<typeof memberShape> {
  return {
    user_id: user.id,
    username: user.username,
    display_name: nick ?? user.global_name ?? user.username,
    ...(nick == null ? {} : { nick }),
    ...(user.bot ? { bot: true } : {}),
    joined_at,
    roles: rolesOf(roles, guild).map(({ name }) => name),
  };
}

/** Those of the ids that the server has, the highest first. */
export function rolesOf(roleIds: readonly string[], guild: GuildFacts): readonly RoleFacts[] {
  return highestFirst(roleIds.flatMap((id) => guild.roles.get(id) ?? []));
}

/**
 * Of roles in the same place the older one is higher.
 * https://docs.discord.com/developers/topics/permissions#role-object-role-structure
 */
export function highestFirst<Role extends Pick<RoleFacts, "id" | "position">>(
  roles: Iterable<Role>,
): readonly Role[] {
  return [...roles].sort((a, b) => b.position - a.position || (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
}

/** Of a person or role in a question: a name can be taken by anybody, an id cannot. */
export const whom = (name: string, id: string): string => `${name} (${id})`;
