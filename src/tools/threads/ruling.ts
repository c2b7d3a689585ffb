import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import type { ChannelFacts } from "../../permissions/facts.ts";
import type { ChannelPlace, Requirement } from "../targets.ts";

const { ManageThreads, SendMessagesInThreads } = PermissionFlagsBits;

/**
 * Whoever started a thread rules it until it is locked. The bot is the maker of what it started, whoever asked for it.
 * https://docs.discord.com/developers/topics/threads#editing-&-deleting-threads
 */
export const asMaker: Requirement<ChannelPlace> = {
  words: "Manage Threads; of a thread of one's own that is not locked, Send Messages in Threads",
  bits: ({ facts: { thread } }, userId) =>
    thread?.ownerId === userId && !thread.isLocked ? SendMessagesInThreads : ManageThreads,
};

/** https://docs.discord.com/developers/topics/threads#active-&-archived-threads */
export const toReopen: Requirement<ChannelPlace> = {
  words: "Send Messages in Threads; of a locked thread, Manage Threads",
  bits: ({ facts: { thread } }) => (thread?.isLocked ? ManageThreads : SendMessagesInThreads),
};

/** https://docs.discord.com/developers/resources/channel#add-thread-member */
export const toAdd: Requirement<ChannelPlace> = {
  words:
    "Send Messages in Threads; for a private thread whose members may invite nobody also Manage Threads, unless it is one's own",
  bits: ({ facts }, userId) => bitsToAdd(facts, userId),
};

/** What somebody needs to add others to a thread. */
export function bitsToAdd({ thread, type }: ChannelFacts, userId: string): bigint {
  const isClosed = type === ChannelType.PrivateThread && !thread?.isInvitable && thread?.ownerId !== userId;
  return SendMessagesInThreads | (isClosed ? ManageThreads : 0n);
}

/** https://docs.discord.com/developers/resources/channel#remove-thread-member */
export const toRemove: Requirement<ChannelPlace> = {
  words: "Manage Threads; of a private thread of one's own that is not locked, Send Messages in Threads",
  bits: ({ facts: { thread, type } }, userId) =>
    type === ChannelType.PrivateThread && thread?.ownerId === userId && !thread.isLocked
      ? SendMessagesInThreads
      : ManageThreads,
};
