import type { APIGuildMember } from "discord-api-types/v10";
import { toAppError } from "../../errors.ts";
import { scanMembers } from "../members/scan.ts";
import type { ReadContext } from "../tool.ts";

/** The members of a server, as far as Discord has told them. */
export interface Members {
  /** Null of those who are not known. */
  nameOf(userId: string): string | null;
  /** By name and id; null when the members could not be listed. */
  withRole(roleId: string): readonly { readonly user_id: string; readonly name: string }[] | null;
  /** What is missing; null when nothing is. */
  readonly note: string | null;
}

/** As many as are looked at for one answer; none, with a note, where Discord lists none to the bot. */
export async function membersFor(guildId: string, context: ReadContext): Promise<Members> {
  const everybody = { guildId, after: undefined, limit: Number.POSITIVE_INFINITY, fits: () => true };
  try {
    const { members, nextAfter } = await scanMembers(everybody, context);
    const names = new Map(members.map((member) => [member.user.id, nameOf(member)]));
    return {
      nameOf: (userId) => names.get(userId) ?? null,
      withRole: (roleId) =>
        members
          .filter(({ roles }) => roles.includes(roleId))
          .map((member) => ({ user_id: member.user.id, name: nameOf(member) })),
      note:
        nextAfter === null
          ? null
          : `Only ${members.length} members were looked at: there may be more who hold a role.`,
    };
  } catch (error) {
    const { code, message } = toAppError(error);
    if (code !== "permission_denied") throw error;
    return { nameOf: () => null, withRole: () => null, note: `Who holds the roles is not known. ${message}` };
  }
}

const nameOf = ({ nick, user }: APIGuildMember): string => nick ?? user.global_name ?? user.username;
