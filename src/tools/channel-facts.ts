import { type APIChannel, OverwriteType } from "discord-api-types/v10";
import type { ChannelFacts } from "../permissions/facts.ts";

/** The facts of a channel or thread as REST gives it. */
export function channelFacts(channel: APIChannel, guildId: string): ChannelFacts {
  const overwrites = "permission_overwrites" in channel ? (channel.permission_overwrites ?? []) : [];
  const metadata = "thread_metadata" in channel ? channel.thread_metadata : undefined;
  return {
    id: channel.id,
    guildId,
    name: channel.name ?? "",
    type: channel.type,
    parentId: "parent_id" in channel ? (channel.parent_id ?? null) : null,
    position: "position" in channel ? channel.position : 0,
    slowMode: "rate_limit_per_user" in channel ? (channel.rate_limit_per_user ?? 0) : 0,
    isAgeRestricted: "nsfw" in channel ? (channel.nsfw ?? false) : false,
    overwrites: overwrites.map(({ id, type, allow, deny }) => ({
      id,
      type: type === OverwriteType.Role ? "role" : "member",
      allow: BigInt(allow),
      deny: BigInt(deny),
    })),
    recipientIds: [],
    thread:
      metadata === undefined
        ? null
        : {
            ownerId: "owner_id" in channel ? (channel.owner_id ?? null) : null,
            isArchived: metadata.archived,
            isLocked: metadata.locked ?? false,
            isInvitable: metadata.invitable ?? false,
          },
  };
}
