import type { APIGuildMember, APIOverwrite, APIRole, APIThreadMetadata } from "discord-api-types/v10";
import { ChannelFlags, GuildMemberFlags, OverwriteType } from "discord-api-types/v10";
import type {
  ChannelFacts,
  MemberFacts,
  OverwriteFacts,
  RoleFacts,
  ThreadFacts,
} from "../../permissions/facts.ts";

/** What Discord gives of a channel or thread, by the gateway and by REST alike. */
export interface ChannelLike {
  readonly id: string;
  readonly type: number;
  readonly name?: string | null;
  readonly guild_id?: string;
  readonly parent_id?: string | null;
  readonly position?: number;
  readonly rate_limit_per_user?: number;
  readonly nsfw?: boolean;
  readonly owner_id?: string;
  readonly flags?: number;
  readonly thread_metadata?: Pick<APIThreadMetadata, "archived" | "locked" | "invitable">;
  readonly permission_overwrites?: readonly APIOverwrite[];
  readonly recipients?: readonly { readonly id: string }[];
}

/**
 * The bot cannot see that channel: its name and overwrites are not the real ones. By REST there is no such channel.
 * https://docs.discord.com/developers/resources/channel#channel-object-obfuscated-channels
 */
export function isObfuscated({ flags }: ChannelLike): boolean {
  return ((flags ?? 0) & ChannelFlags.ChannelObfuscated) !== 0;
}

const noOverwrites: readonly OverwriteFacts[] = Object.freeze([]);
const noRecipients: readonly string[] = Object.freeze([]);
/** Distinct values that are shared; beyond it sharing begins anew. */
const sharedBound = 20_000;

/**
 * Turns Discord's payloads, which have been checked where they came in, into facts. Equal permission bits and overwrites
 * are one object: most channels of a server have the same few, and there are many channels.
 */
export class Shapes {
  readonly #bits = new Map<string, bigint>();
  readonly #overwrites = new Map<string, readonly OverwriteFacts[]>();

  role(role: Pick<APIRole, "id" | "name" | "permissions" | "position" | "managed">): RoleFacts {
    const { id, name, position, managed } = role;
    return { id, name, permissions: this.bits(role.permissions), position, isManaged: managed };
  }

  channel(channel: ChannelLike, guildId: string | null, botUserId: string | null): ChannelFacts {
    return {
      id: channel.id,
      guildId: guildId ?? channel.guild_id ?? null,
      name: channel.name ?? "",
      type: channel.type,
      parentId: channel.parent_id ?? null,
      position: channel.position ?? 0,
      slowMode: channel.rate_limit_per_user ?? 0,
      isAgeRestricted: channel.nsfw ?? false,
      overwrites: this.#shareOverwrites(channel.permission_overwrites ?? []),
      recipientIds:
        channel.recipients?.map((user) => user.id).filter((id) => id !== botUserId) ?? noRecipients,
      thread: channel.thread_metadata === undefined ? null : threadFacts(channel.thread_metadata, channel),
    };
  }

  bits(text: string): bigint {
    return shared(this.#bits, text, () => BigInt(text));
  }

  #shareOverwrites(given: readonly APIOverwrite[]): readonly OverwriteFacts[] {
    if (given.length === 0) return noOverwrites;
    const key = given.map(({ id, type, allow, deny }) => `${id}:${type}:${allow}:${deny}`).join();
    return shared(this.#overwrites, key, () =>
      given.map(({ id, type, allow, deny }) => ({
        id,
        type: type === OverwriteType.Role ? "role" : "member",
        allow: this.bits(allow),
        deny: this.bits(deny),
      })),
    );
  }
}

function shared<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  const value = make();
  if (known.size >= sharedBound) known.clear();
  known.set(key, value);
  return value;
}

/** Discord tells `invitable` of private threads alone; it is of no matter to others. */
function threadFacts(
  { archived, locked, invitable }: NonNullable<ChannelLike["thread_metadata"]>,
  { owner_id }: ChannelLike,
): ThreadFacts {
  return {
    ownerId: owner_id ?? null,
    isArchived: archived,
    isLocked: locked,
    isInvitable: invitable ?? false,
  };
}

type MemberLike = Partial<
  Pick<
    APIGuildMember,
    "roles" | "communication_disabled_until" | "user" | "nick" | "joined_at" | "pending" | "flags"
  >
>;

/**
 * `pending` is always told of members in events and by REST. Whom a moderator let in without the rules bears a flag:
 * https://docs.discord.com/developers/resources/guild#guild-member-object-guild-member-flags
 */
export function memberFacts(userId: string, member: MemberLike): MemberFacts {
  const name = member.nick ?? member.user?.global_name ?? member.user?.username;
  const bypasses = ((member.flags ?? 0) & GuildMemberFlags.BypassesVerification) !== 0;
  return {
    userId,
    roleIds: member.roles ?? [],
    timedOutUntil: timeOf(member.communication_disabled_until),
    joinedAt: timeOf(member.joined_at),
    isPending: (member.pending ?? false) && !bypasses,
    ...(name === undefined ? {} : { name }),
  };
}

function timeOf(iso: string | null | undefined): number | null {
  return iso === undefined || iso === null ? null : Date.parse(iso);
}
