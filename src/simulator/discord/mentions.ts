import { type APIUser, PermissionFlagsBits } from "discord-api-types/v10";
import { channelPermissions } from "./permissions.ts";
import type { AnyChannel, World } from "./world.ts";

/** https://discord.com/developers/docs/resources/message#allowed-mentions-object */
export interface AllowedMentions {
  readonly parse?: readonly string[];
  readonly users?: readonly string[];
  readonly roles?: readonly string[];
  readonly repliedUser?: boolean;
}

export interface Mentions {
  readonly users: APIUser[];
  readonly roleIds: string[];
  readonly everyone: boolean;
}

/** Whom a text mentions, in the order of the text. `allowed` of null lets everything through, as a person's client does. */
export function parseMentions(
  world: World,
  channel: AnyChannel,
  authorId: string,
  content: string,
  allowed: AllowedMentions | null,
): Mentions {
  const guild = world.guildOfChannel(channel.id);
  const mayMentionAll =
    (channelPermissions(world, channel, authorId) & PermissionFlagsBits.MentionEveryone) !== 0n;
  const may = (kind: "users" | "roles", id: string) =>
    allowed === null || allowed.parse?.includes(kind) || allowed[kind]?.includes(id) || false;
  const users = new Map<string, APIUser>();
  for (const [, id = ""] of content.matchAll(/<@!?(\d+)>/g)) {
    const user = world.users.get(id);
    if (user !== undefined && may("users", id)) users.set(id, user);
  }
  const roleIds = new Set<string>();
  for (const [, id = ""] of content.matchAll(/<@&(\d+)>/g)) {
    const role = guild?.roles.get(id);
    if (role !== undefined && (role.mentionable || mayMentionAll) && may("roles", id)) roleIds.add(id);
  }
  const everyone =
    guild !== null &&
    mayMentionAll &&
    /@(everyone|here)\b/.test(content) &&
    (allowed === null || (allowed.parse?.includes("everyone") ?? false));
  return { users: [...users.values()], roleIds: [...roleIds], everyone };
}
