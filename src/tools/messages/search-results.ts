import { type APIMessage, type APIThreadChannel, PermissionFlagsBits } from "discord-api-types/v10";
import { channelFacts } from "../channel-facts.ts";
import type { MessageSearch } from "../discord-port.ts";
import type { ReadContext } from "../tool.ts";

export type Search = Omit<MessageSearch, "limit" | "offset">;

/** Discord's own page. https://docs.discord.com/developers/resources/message#search-guild-messages */
const pageSize = 25;
const maxPages = 20;
/** Once so many threads were seen, or so many were hidden, no further page is read: each private one costs a request. */
const maxThreads = 100;

/** A channel list of this length is what Discord takes; a server has no more channels. */
const maxChannels = 500;

export interface Collected {
  readonly found: readonly APIMessage[];
  /** There was more than is looked through for one call, by what the actor sees of it. */
  readonly isCapped: boolean;
}

/**
 * The first so many messages of the search that the actor may read. Discord answers with what the bot sees, so also
 * with what stands in private threads: neither those messages nor their number may show, so pages are read and counted
 * by what is left; and when it is because of them that no further page is read, nothing says so.
 */
export async function collectMessages(
  guildId: string,
  search: Search,
  wanted: number,
  context: ReadContext,
): Promise<Collected> {
  const { discord, signal } = context;
  const channelIds = search.channelIds.slice(0, maxChannels);
  // Without any, Discord would search wherever the bot can read.
  if (channelIds.length === 0) return { found: [], isCapped: false };
  const readable = new Map<string, boolean>(channelIds.map((id) => [id, true]));
  const found = new Map<string, APIMessage>();
  const threadsThat = (areSeen: boolean): number =>
    [...readable.values()].filter((isSeen) => isSeen === areSeen).length - (areSeen ? channelIds.length : 0);
  const isBounded = () => threadsThat(true) < maxThreads && threadsThat(false) < maxThreads;
  for (let page = 0; page < maxPages && isBounded(); page++) {
    const offset = page * pageSize;
    const part = await discord.searchMessages(
      guildId,
      { ...search, channelIds, limit: pageSize, offset },
      signal,
    );
    await judge(part.threads, guildId, readable, context);
    for (const message of part.messages)
      if (readable.get(message.channel_id) === true) found.set(message.id, message);
    const isLast = part.messages.length === 0 || offset + pageSize >= part.total;
    if (isLast || found.size >= wanted) return { found: [...found.values()], isCapped: false };
  }
  return { found: [...found.values()], isCapped: threadsThat(true) >= maxThreads };
}

/** Decides about each thread once; what was not told of stays hidden. */
async function judge(
  threads: readonly APIThreadChannel[],
  guildId: string,
  readable: Map<string, boolean>,
  { authority }: ReadContext,
): Promise<void> {
  const { ReadMessageHistory } = PermissionFlagsBits;
  const isSearched = ({ parent_id }: APIThreadChannel) => readable.get(parent_id ?? "") === true;
  const fresh = threads.filter((thread) => !readable.has(thread.id) && isSearched(thread));
  await Promise.all(
    fresh.map(async (thread) => {
      const standing = await authority.inChannel(channelFacts(thread, guildId));
      const bits = standing === null ? 0n : standing.actor.bits & standing.bot.bits;
      readable.set(thread.id, (bits & ReadMessageHistory) !== 0n);
    }),
  );
}
