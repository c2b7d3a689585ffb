import { ChannelType } from "discord-api-types/v10";
import type {
  ChannelFacts,
  GuildFacts,
  MemberFacts,
  OverwriteFacts,
  RoleFacts,
} from "../../src/permissions/facts.ts";

export const guildId = "100000000000000001";
export const ownerId = "100000000000000002";
export const memberId = "100000000000000003";
export const roleIds = ["100000000000000011", "100000000000000012", "100000000000000013"] as const;
export const channelId = "100000000000000021";
export const threadId = "100000000000000022";

export function guild(everyone: bigint, roles: readonly bigint[] = []): GuildFacts {
  const all = [everyone, ...roles].map((permissions, position) => {
    const id = position === 0 ? guildId : (roleIds[position - 1] ?? "");
    return { id, name: `role ${position}`, permissions, position, isManaged: false };
  });
  const byId = new Map<string, RoleFacts>(all.map((role) => [role.id, role]));
  return { id: guildId, name: "Harbour", ownerId, roles: byId, requiresMfa: false, verificationLevel: 0 };
}

export function member(part: Partial<MemberFacts> = {}): MemberFacts {
  return { userId: memberId, roleIds: [], timedOutUntil: null, joinedAt: 0, isPending: false, ...part };
}

export function channel(overwrites: readonly OverwriteFacts[] = [], part: Partial<ChannelFacts> = {}) {
  const facts: ChannelFacts = {
    id: channelId,
    guildId,
    name: "general",
    type: ChannelType.GuildText,
    parentId: null,
    position: 0,
    slowMode: 0,
    isAgeRestricted: false,
    overwrites,
    recipientIds: [],
    thread: null,
    ...part,
  };
  return facts;
}

export function thread(type: ChannelType): ChannelFacts {
  const facts = { ownerId: null, isArchived: false, isLocked: false, isInvitable: false };
  return channel([], { id: threadId, type, parentId: channelId, name: "regatta", thread: facts });
}
