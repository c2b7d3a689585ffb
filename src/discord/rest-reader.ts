import type { API } from "@discordjs/core";
import type {
  APIChannel,
  RESTGetAPIGuildChannelsResult,
  RESTGetAPIGuildMessagesSearchQuery,
  RESTGetAPIGuildMessagesSearchResult,
} from "discord-api-types/v10";
import { AppError } from "../errors.ts";
import type { DiscordReader, MessagePage, MessageSearch } from "../tools/discord-port.ts";
import { ask } from "./rest-errors.ts";

/** Reads by REST, each within a bounded time. Errors as `DiscordReader` documents them. */
export function createRestReader(api: API): DiscordReader {
  return {
    user: (userId, signal) => ask(signal, "user", (s) => api.users.get(userId, { signal: s })),
    member: (guildId, userId, signal) =>
      ask(signal, "member", (s) => api.guilds.getMember(guildId, userId, { signal: s })),
    channel: (channelId, signal) => ask(signal, "channel", (s) => api.channels.get(channelId, { signal: s })),
    guild: (guildId, signal) =>
      ask(signal, "server", (s) => api.guilds.get(guildId, { with_counts: true }, { signal: s })),
    async guildChannels(guildId, signal) {
      const channels = await ask(signal, "channels", (s) => api.guilds.getChannels(guildId, { signal: s }));
      return channels.filter(isListed);
    },
    guildRoles: (guildId, signal) => ask(signal, "roles", (s) => api.guilds.getRoles(guildId, { signal: s })),
    guildEmojis: (guildId, signal) =>
      ask(signal, "emojis", (s) => api.guilds.getEmojis(guildId, { signal: s })),
    messages: (channelId, page, signal) =>
      ask(signal, "messages", (s) => api.channels.getMessages(channelId, pageQuery(page), { signal: s })),
    async searchMessages(guildId, search, signal) {
      const query = searchQuery(search);
      const found = await ask(signal, "messages", (s) =>
        api.guilds.searchForMessages(guildId, query, { signal: s }),
      );
      return readSearch(found);
    },
  };
}

/** Every channel of a server has a position; the types of the client know it only of each sort by itself. */
const isListed = (channel: RESTGetAPIGuildChannelsResult[number]): channel is typeof channel & APIChannel =>
  "position" in channel;

function pageQuery({ limit, before, after, around }: MessagePage) {
  return {
    limit,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(around === undefined ? {} : { around }),
  };
}

function searchQuery(search: MessageSearch): RESTGetAPIGuildMessagesSearchQuery {
  return {
    limit: search.limit,
    offset: search.offset,
    channel_id: [...search.channelIds],
    ...(search.content === undefined ? {} : { content: search.content }),
    ...(search.authorId === undefined ? {} : { author_id: [search.authorId] }),
    ...(search.minId === undefined ? {} : { min_id: search.minId }),
    ...(search.maxId === undefined ? {} : { max_id: search.maxId }),
  };
}

/** Discord answers 202 while it makes a server's index, https://discord.com/developers/docs/resources/message#search-guild-messages */
function readSearch(found: RESTGetAPIGuildMessagesSearchResult) {
  if ("messages" in found) {
    return { total: found.total_results, messages: found.messages.flatMap((group) => group.slice(0, 1)) };
  }
  const seconds = Math.max(1, Math.ceil(found.retry_after));
  throw new AppError(
    "discord_unavailable",
    `Discord is still making the search index of this server; try again in ${seconds} s.`,
    { retryAfterMs: seconds * 1000 },
  );
}
