import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import type { Audience } from "../agent/ports.ts";
import type { ChannelPlace } from "./targets.ts";

/** Those who will read what is written in a channel; in a direct message that is the person alone. */
export function inChannel({ facts: { id, guildId, recipientIds } }: Pick<ChannelPlace, "facts">): Audience {
  const [person, ...others] = guildId === null ? recipientIds : [];
  return person !== undefined && others.length === 0
    ? toUser(person, guildId)
    : { kind: "channel", guildId, channelId: id };
}

/** Everybody in a server: names of roles, nicknames, and whatever else is shown to all. */
export const inGuild = (guildId: string): Audience => ({ kind: "guild", guildId });

/** Those who read the reasons in Discord's audit log, whatever channel they are about. */
export const inAuditLog = (guildId: string): Audience => ({
  kind: "guild",
  guildId,
  permissions: PermissionFlagsBits.ViewAuditLog,
});

/** One person alone. */
export const toUser = (userId: string, guildId: string | null): Audience => ({
  kind: "user",
  guildId,
  userId,
});

/** The person who asks. */
export const toActor = ({ userId, guildId }: Actor): Audience => toUser(userId, guildId);
