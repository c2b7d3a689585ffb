import { PermissionFlagsBits } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { denied } from "../authority.ts";
import type { ChannelPlace } from "../targets.ts";

/**
 * Of an archived thread only messages are deleted; the rest waits until it is open again.
 * https://docs.discord.com/developers/topics/threads#active-&-archived-threads
 */
export function assertNotArchived({ facts, actor }: ChannelPlace): void {
  if (facts.thread?.isArchived)
    throw new AppError(
      "invalid_arguments",
      `${actor.place} is archived; unarchive it first, which discord_thread_unarchive does.`,
    );
}

/** Who is no moderator deletes in a locked thread only while it is active: https://docs.discord.com/developers/topics/threads#locked-threads */
export function assertMayDeleteIn({ facts, actor, bot }: ChannelPlace): void {
  if (!facts.thread?.isLocked || !facts.thread.isArchived) return;
  for (const { bits, who, place } of [actor, bot]) {
    if ((bits & PermissionFlagsBits.ManageThreads) === 0n)
      throw denied(`${who} cannot delete messages in ${place}, which is locked and archived.`);
  }
}
