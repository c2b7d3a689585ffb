import {
  type APIChannel,
  type APIThreadChannel,
  ChannelType,
  MessageSearchHasType,
  MessageSearchSortMode,
  type RESTGetAPIGuildMessagesSearchQuery,
  type RESTGetAPIGuildMessagesSearchResult,
} from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import type { MessageSearch, SearchedFor } from "../../tools/discord-port.ts";

export const isThread = (channel: APIChannel): channel is APIThreadChannel =>
  channel.type === ChannelType.PublicThread ||
  channel.type === ChannelType.PrivateThread ||
  channel.type === ChannelType.AnnouncementThread;

export function searchQuery(search: MessageSearch): RESTGetAPIGuildMessagesSearchQuery {
  return {
    limit: search.limit,
    offset: search.offset,
    channel_id: [...search.channelIds],
    ...(search.content === undefined ? {} : { content: search.content }),
    ...(search.authorId === undefined ? {} : { author_id: [search.authorId] }),
    ...(search.minId === undefined ? {} : { min_id: search.minId }),
    ...(search.maxId === undefined ? {} : { max_id: search.maxId }),
    ...(search.mentions === undefined ? {} : { mentions: [search.mentions] }),
    ...(search.has === undefined ? {} : { has: search.has.map((one) => searchHas[one]) }),
    ...(search.isAgeRestricted ? { include_nsfw: true } : {}),
    ...searchOrder(search.sort ?? "newest"),
  };
}

const searchHas: Readonly<Record<SearchedFor, MessageSearchHasType>> = {
  image: MessageSearchHasType.Image,
  sound: MessageSearchHasType.Sound,
  video: MessageSearchHasType.Video,
  file: MessageSearchHasType.File,
  sticker: MessageSearchHasType.Sticker,
  embed: MessageSearchHasType.Embed,
  link: MessageSearchHasType.Link,
  poll: MessageSearchHasType.Poll,
  snapshot: MessageSearchHasType.Snapshot,
};

function searchOrder(sort: NonNullable<MessageSearch["sort"]>): RESTGetAPIGuildMessagesSearchQuery {
  switch (sort) {
    case "newest":
      return {};
    case "oldest":
      return { sort_order: "asc" };
    case "relevance":
      return { sort_by: MessageSearchSortMode.Relevance };
    default:
      return sort satisfies never;
  }
}

/** Discord answers 202 while it makes a server's index, https://discord.com/developers/docs/resources/message#search-guild-messages */
export function readSearch(found: RESTGetAPIGuildMessagesSearchResult) {
  if ("messages" in found) {
    return {
      total: found.total_results,
      messages: found.messages.flatMap((group) => group.slice(0, 1)),
      threads: (found.threads ?? []).filter(isThread),
    };
  }
  const seconds = Math.max(1, Math.ceil(found.retry_after));
  throw new AppError(
    "discord_unavailable",
    `Discord is still making the search index of this server; try again in ${seconds} s.`,
    { retryAfterMs: seconds * 1000 },
  );
}
