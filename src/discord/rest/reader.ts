import type { API } from "@discordjs/core";
import { makeURLSearchParams } from "@discordjs/rest";
import {
  type APIAuditLogEntry,
  type APIChannel,
  type RESTGetAPIChannelMessagesPinsResult,
  type RESTGetAPIGuildChannelsResult,
  Routes,
} from "discord-api-types/v10";
import type { AuditLogPage, DiscordReader, MessagePage } from "../../tools/discord-port.ts";
import { listOf } from "../fits.ts";
import {
  isAuditLog,
  isBan,
  isChannel,
  isDescribedGuild,
  isEmoji,
  isMember,
  isMessage,
  isPins,
  isRole,
  isSearch,
  isThreadMember,
  isThreads,
  isUser,
  type ListedThreadMember,
} from "../promised-shapes.ts";
import { ask } from "./errors.ts";
import { isThread, readSearch, searchQuery } from "./search.ts";

/** Reads by REST, each within a bounded time. Errors as `DiscordReader` documents them. */
export function createRestReader(api: API): DiscordReader {
  return { ...readPlaces(api), ...readMessages(api), ...readThreads(api), ...readPeople(api) };
}

type Part<Name extends keyof DiscordReader> = Pick<DiscordReader, Name>;

function readPlaces(
  api: API,
): Part<"channel" | "guild" | "guildChannels" | "guildRoles" | "guildEmojis" | "auditLog"> {
  return {
    channel: (channelId, signal) =>
      ask(signal, "channel", (s) => api.channels.get(channelId, { signal: s }), isChannel),
    guild: (guildId, signal) =>
      ask(
        signal,
        "server",
        (s) => api.guilds.get(guildId, { with_counts: true }, { signal: s }),
        isDescribedGuild,
      ),
    async guildChannels(guildId, signal) {
      const channels = await ask(
        signal,
        "channels",
        (s) => api.guilds.getChannels(guildId, { signal: s }),
        listOf(isChannel),
      );
      return channels.filter(isListed);
    },
    guildRoles: (guildId, signal) =>
      ask(signal, "roles", (s) => api.guilds.getRoles(guildId, { signal: s }), listOf(isRole)),
    guildEmojis: (guildId, signal) =>
      ask(signal, "emojis", (s) => api.guilds.getEmojis(guildId, { signal: s }), listOf(isEmoji)),
    async auditLog(guildId, page, signal) {
      const log = await ask(
        signal,
        "audit log",
        (s) => api.guilds.getAuditLogs(guildId, auditQuery(page), { signal: s }),
        isAuditLog,
      );
      return { ...log, audit_log_entries: log.audit_log_entries.map(withoutNameless) };
    },
  };
}

function readMessages(api: API): Part<"messages" | "message" | "searchMessages" | "pins" | "reactions"> {
  return {
    messages: (channelId, page, signal) =>
      ask(
        signal,
        "messages",
        (s) => api.channels.getMessages(channelId, pageQuery(page), { signal: s }),
        listOf(isMessage),
      ),
    message: (channelId, messageId, signal) =>
      ask(signal, "message", (s) => api.channels.getMessage(channelId, messageId, { signal: s }), isMessage),
    async searchMessages(guildId, search, signal) {
      const query = searchQuery(search);
      const found = await ask(
        signal,
        "messages",
        (s) => api.guilds.searchForMessages(guildId, query, { signal: s }),
        isSearch,
      );
      return readSearch(found);
    },
    // The client's own method asks by the route that Discord has deprecated, which knows no pages.
    async pins(channelId, page, signal) {
      const query = makeURLSearchParams({ ...page });
      const found = await ask(signal, "pins", (s) => getPins(api, channelId, query, s), isPins);
      return { items: found.items, hasMore: found.has_more };
    },
    reactions: (channelId, messageId, emoji, page, signal) =>
      ask(
        signal,
        "reactions",
        (s) => api.channels.getMessageReactions(channelId, messageId, emoji, { ...page }, { signal: s }),
        listOf(isUser),
      ),
  };
}

function readThreads(api: API): Part<"activeThreads" | "archivedThreads" | "threadMembers"> {
  return {
    async activeThreads(guildId, signal) {
      const found = await ask(
        signal,
        "threads",
        (s) => api.guilds.getActiveThreads(guildId, { signal: s }),
        isThreads,
      );
      return found.threads.filter(isThread);
    },
    async archivedThreads(channelId, kind, page, signal) {
      const found = await ask(
        signal,
        "threads",
        (s) => api.channels.getArchivedThreads(channelId, kind, { ...page }, { signal: s }),
        isThreads,
      );
      return { threads: found.threads.filter(isThread), hasMore: found.has_more };
    },
    // Discord gives pages only to who asks for the members too: https://discord.com/developers/docs/resources/channel#list-thread-members
    threadMembers: (threadId, page, signal) => {
      const query = makeURLSearchParams({ ...page, with_member: true });
      return ask(
        signal,
        "thread members",
        (s) => getThreadMembers(api, threadId, query, s),
        listOf(isThreadMember),
      );
    },
  };
}

function readPeople(api: API): Part<"user" | "member" | "searchMembers" | "members" | "bans" | "ban"> {
  return {
    user: (userId, signal) => ask(signal, "user", (s) => api.users.get(userId, { signal: s }), isUser),
    member: (guildId, userId, signal) =>
      ask(signal, "member", (s) => api.guilds.getMember(guildId, userId, { signal: s }), isMember),
    searchMembers: (guildId, query, limit, signal) =>
      ask(
        signal,
        "members",
        (s) => api.guilds.searchForMembers(guildId, { query, limit }, { signal: s }),
        listOf(isMember),
      ),
    members: (guildId, page, signal) =>
      ask(
        signal,
        "members",
        (s) => api.guilds.getMembers(guildId, { ...page }, { signal: s }),
        listOf(isMember),
      ),
    bans: (guildId, page, signal) =>
      ask(
        signal,
        "bans",
        (s) => api.guilds.getMemberBans(guildId, { ...page }, { signal: s }),
        listOf(isBan),
      ),
    ban: (guildId, userId, signal) =>
      ask(signal, "ban", (s) => api.guilds.getMemberBan(guildId, userId, { signal: s }), isBan),
  };
}

/** By Discord's description a change can be one of nothing. */
const withoutNameless = ({ changes, ...entry }: APIAuditLogEntry): APIAuditLogEntry => ({
  ...entry,
  ...(changes === undefined ? {} : { changes: changes.filter(({ key }) => key !== null) }),
});

/** Every channel of a server has a position; the types of the client know it only of each sort by itself. */
const isListed = (channel: RESTGetAPIGuildChannelsResult[number]): channel is typeof channel & APIChannel =>
  "position" in channel;

// The client gives what Discord sent as unknown; its types are Discord's word, as in the client's own methods.
function getPins(api: API, channelId: string, query: URLSearchParams, signal: AbortSignal) {
  const found = api.rest.get(Routes.channelMessagesPins(channelId), { query, signal });
  return found as Promise<RESTGetAPIChannelMessagesPinsResult>;
}

function getThreadMembers(api: API, threadId: string, query: URLSearchParams, signal: AbortSignal) {
  const found = api.rest.get(Routes.threadMembers(threadId), { query, signal });
  return found as Promise<ListedThreadMember[]>;
}

function auditQuery({ userId, actionType, ...page }: AuditLogPage) {
  return {
    ...page,
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(actionType === undefined ? {} : { action_type: actionType }),
  };
}

function pageQuery({ limit, before, after, around }: MessagePage) {
  return {
    limit,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(around === undefined ? {} : { around }),
  };
}
