import type { APIGuildMember, APIOverwrite, APIRole } from "discord-api-types/v10";
import { OverwriteType } from "discord-api-types/v10";
import type { ChannelFacts, MemberFacts, OverwriteFacts, RoleFacts } from "../permissions/facts.ts";

/** What Discord gives of a channel or thread, by the gateway and by REST alike. */
export interface ChannelLike {
  readonly id: string;
  readonly type: number;
  readonly name?: string | null;
  readonly guild_id?: string;
  readonly parent_id?: string | null;
  readonly permission_overwrites?: readonly APIOverwrite[];
  readonly recipients?: readonly { readonly id: string }[];
}

const NO_OVERWRITES: readonly OverwriteFacts[] = Object.freeze([]);
const NO_RECIPIENTS: readonly string[] = Object.freeze([]);
/** Distinct values that are shared; beyond it sharing begins anew. */
const SHARED_BOUND = 20_000;

/**
 * Turns Discord's payloads into facts. Equal permission bits and overwrites are one object: most channels of a server
 * have the same few, and there are many channels.
 */
export class Shapes {
  readonly #bits = new Map<string, bigint>();
  readonly #overwrites = new Map<string, readonly OverwriteFacts[]>();

  role(role: Pick<APIRole, "id" | "name" | "permissions" | "position">): RoleFacts {
    const { id, name, position } = role;
    return { id, name, permissions: this.bits(role.permissions), position };
  }

  channel(channel: ChannelLike, guildId: string | null, botUserId: string | null): ChannelFacts {
    return {
      id: channel.id,
      guildId: guildId ?? channel.guild_id ?? null,
      name: channel.name ?? "",
      type: channel.type,
      parentId: channel.parent_id ?? null,
      overwrites: this.#shareOverwrites(channel.permission_overwrites ?? []),
      recipientIds:
        channel.recipients?.map((user) => user.id).filter((id) => id !== botUserId) ?? NO_RECIPIENTS,
    };
  }

  bits(text: string): bigint {
    return shared(this.#bits, text, () => BigInt(text));
  }

  #shareOverwrites(given: readonly APIOverwrite[]): readonly OverwriteFacts[] {
    if (given.length === 0) return NO_OVERWRITES;
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
  if (known.size >= SHARED_BOUND) known.clear();
  known.set(key, value);
  return value;
}

export function memberFacts(
  userId: string,
  member: Partial<Pick<APIGuildMember, "roles" | "communication_disabled_until" | "user" | "nick">>,
): MemberFacts {
  const until = member.communication_disabled_until;
  const name = member.nick ?? member.user?.global_name ?? member.user?.username;
  return {
    userId,
    roleIds: member.roles ?? [],
    timedOutUntil: until === undefined || until === null ? null : Date.parse(until),
    ...(name === undefined ? {} : { name }),
  };
}
