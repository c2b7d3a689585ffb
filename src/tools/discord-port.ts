import type {
  APIBan,
  APIChannel,
  APIDMChannel,
  APIEmoji,
  APIGuild,
  APIGuildMember,
  APIMessage,
  APIMessagePin,
  APIRole,
  APIThreadChannel,
  APIThreadMember,
  APIUser,
  RESTGetAPIAuditLogResult,
  RESTPatchAPIChannelJSONBody,
  RESTPatchAPIChannelMessageJSONBody,
  RESTPatchAPIGuildChannelPositionsJSONBody,
  RESTPatchAPIGuildMemberJSONBody,
  RESTPatchAPIGuildRoleJSONBody,
  RESTPatchAPIGuildRolePositionsJSONBody,
  RESTPostAPIChannelMessageJSONBody,
  RESTPostAPIChannelThreadsJSONBody,
  RESTPostAPIGuildChannelJSONBody,
  RESTPostAPIGuildForumThreadsJSONBody,
  RESTPostAPIGuildRoleJSONBody,
  RESTPutAPIChannelPermissionJSONBody,
} from "discord-api-types/v10";
import type { ChannelFacts, GuildFacts, MemberFacts } from "../permissions/facts.ts";

export interface FileToPost {
  readonly name: string;
  readonly contentType: string;
  readonly data: Uint8Array;
}

export type MessageToPost = RESTPostAPIChannelMessageJSONBody & { readonly files?: readonly FileToPost[] };

export interface MessagePage {
  readonly limit: number;
  readonly before?: string;
  readonly after?: string;
  readonly around?: string;
}

/** What a message can be searched for by what is in it. https://docs.discord.com/developers/resources/message#search-guild-messages-search-has-types */
export const searchedFor = [
  "image",
  "sound",
  "video",
  "file",
  "sticker",
  "embed",
  "link",
  "poll",
  "snapshot",
] as const;
export type SearchedFor = (typeof searchedFor)[number];

export interface FoundMessages {
  /** Of the bot's eyes: it says nothing about what others may see. */
  readonly total: number;
  readonly messages: readonly APIMessage[];
  /** Those that the messages are in. */
  readonly threads: readonly APIThreadChannel[];
}

export interface MessageSearch {
  readonly channelIds: readonly string[];
  readonly content?: string;
  readonly authorId?: string;
  /** A user whom it mentions. */
  readonly mentions?: string;
  /** Each of these. */
  readonly has?: readonly SearchedFor[];
  readonly minId?: string;
  readonly maxId?: string;
  /** Newest first when left out. */
  readonly sort?: "newest" | "oldest" | "relevance";
  /** Discord passes age-restricted channels over otherwise. */
  readonly isAgeRestricted?: boolean;
  /** 1 to 25. */
  readonly limit: number;
  readonly offset: number;
}

export interface AuditLogPage {
  readonly userId?: string;
  /** Discord's AuditLogEvent. */
  readonly actionType?: number;
  readonly before?: string;
  readonly after?: string;
  /** 1 to 100. */
  readonly limit: number;
}

/**
 * What tools read of Discord. Each method throws AppError: `discord_unavailable` (no token, no connection,
 * 5xx, time-out), `not_found`, `permission_denied` (the bot's), `rate_limited`, or `discord_error`.
 */
export interface DiscordReader {
  user(userId: string, signal: AbortSignal): Promise<APIUser>;
  member(guildId: string, userId: string, signal: AbortSignal): Promise<APIGuildMember>;
  /** Those whose user name or nickname begins with the query. `limit`: 1 to 1,000. */
  searchMembers(
    guildId: string,
    query: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly APIGuildMember[]>;
  /** In order of user id; needs the members intent. `limit`: 1 to 1,000. */
  members(
    guildId: string,
    page: { readonly after?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly APIGuildMember[]>;
  channel(channelId: string, signal: AbortSignal): Promise<APIChannel>;
  /** With approximate member and presence counts. */
  guild(guildId: string, signal: AbortSignal): Promise<APIGuild>;
  guildChannels(guildId: string, signal: AbortSignal): Promise<readonly APIChannel[]>;
  guildRoles(guildId: string, signal: AbortSignal): Promise<readonly APIRole[]>;
  guildEmojis(guildId: string, signal: AbortSignal): Promise<readonly APIEmoji[]>;
  messages(channelId: string, page: MessagePage, signal: AbortSignal): Promise<readonly APIMessage[]>;
  message(channelId: string, messageId: string, signal: AbortSignal): Promise<APIMessage>;
  searchMessages(guildId: string, search: MessageSearch, signal: AbortSignal): Promise<FoundMessages>;
  /** Newest pin first. `before`: an ISO 8601 time; `limit`: 1 to 50. */
  pins(
    channelId: string,
    page: { readonly before?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly APIMessagePin[]; readonly hasMore: boolean }>;
  /** Who reacted with that emoji ("👍" or "name:id"). `limit`: 1 to 100. */
  reactions(
    channelId: string,
    messageId: string,
    emoji: string,
    page: { readonly after?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly APIUser[]>;
  activeThreads(guildId: string, signal: AbortSignal): Promise<readonly APIThreadChannel[]>;
  /** Newest first. `before`: an ISO 8601 time; `limit`: 2 to 100. */
  archivedThreads(
    channelId: string,
    kind: "public" | "private",
    page: { readonly before?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<{ readonly threads: readonly APIThreadChannel[]; readonly hasMore: boolean }>;
  /** `limit`: 1 to 100. */
  threadMembers(
    threadId: string,
    page: { readonly after?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly APIThreadMember[]>;
  /** In order of user id. `limit`: 1 to 1,000. */
  bans(
    guildId: string,
    page: { readonly after?: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly APIBan[]>;
  /** Throws `not_found` for somebody who is not banned. */
  ban(guildId: string, userId: string, signal: AbortSignal): Promise<APIBan>;
  auditLog(guildId: string, page: AuditLogPage, signal: AbortSignal): Promise<RESTGetAPIAuditLogResult>;
}

/** How a change is made. `reason` goes to Discord's audit log (X-Audit-Log-Reason), at most 512 characters. */
export interface Change {
  readonly signal: AbortSignal;
  readonly reason?: string;
}

/**
 * What tools change in Discord. Each method sends one request, once. It throws AppError as the reader does when
 * Discord has refused it for certain, and `outcome_unknown` when it may have had its effect all the same: a 5xx, a
 * reset, a time-out.
 */
export interface DiscordWriter {
  createMessage(channelId: string, body: MessageToPost, change: Change): Promise<APIMessage>;
  editMessage(
    channelId: string,
    messageId: string,
    body: RESTPatchAPIChannelMessageJSONBody,
    change: Change,
  ): Promise<APIMessage>;
  deleteMessage(channelId: string, messageId: string, change: Change): Promise<void>;
  /** 2 to 100 messages, none older than two weeks. */
  bulkDeleteMessages(channelId: string, messageIds: readonly string[], change: Change): Promise<void>;
  pinMessage(channelId: string, messageId: string, change: Change): Promise<void>;
  unpinMessage(channelId: string, messageId: string, change: Change): Promise<void>;
  addReaction(channelId: string, messageId: string, emoji: string, change: Change): Promise<void>;
  removeOwnReaction(channelId: string, messageId: string, emoji: string, change: Change): Promise<void>;
  createChannel(guildId: string, body: RESTPostAPIGuildChannelJSONBody, change: Change): Promise<APIChannel>;
  /** Threads too. */
  editChannel(channelId: string, body: RESTPatchAPIChannelJSONBody, change: Change): Promise<APIChannel>;
  moveChannels(
    guildId: string,
    positions: RESTPatchAPIGuildChannelPositionsJSONBody,
    change: Change,
  ): Promise<void>;
  deleteChannel(channelId: string, change: Change): Promise<void>;
  setOverwrite(
    channelId: string,
    overwriteId: string,
    body: RESTPutAPIChannelPermissionJSONBody,
    change: Change,
  ): Promise<void>;
  deleteOverwrite(channelId: string, overwriteId: string, change: Change): Promise<void>;
  /** On a message when one is named. */
  createThread(
    channelId: string,
    body: RESTPostAPIChannelThreadsJSONBody,
    messageId: string | null,
    change: Change,
  ): Promise<APIThreadChannel>;
  createForumPost(
    channelId: string,
    body: RESTPostAPIGuildForumThreadsJSONBody,
    change: Change,
  ): Promise<APIThreadChannel>;
  addThreadMember(threadId: string, userId: string, change: Change): Promise<void>;
  removeThreadMember(threadId: string, userId: string, change: Change): Promise<void>;
  editMember(
    guildId: string,
    userId: string,
    body: RESTPatchAPIGuildMemberJSONBody,
    change: Change,
  ): Promise<void>;
  kickMember(guildId: string, userId: string, change: Change): Promise<void>;
  /** `deleteMessageSeconds`: 0 to 604,800. */
  banUser(guildId: string, userId: string, deleteMessageSeconds: number, change: Change): Promise<void>;
  unbanUser(guildId: string, userId: string, change: Change): Promise<void>;
  createRole(guildId: string, body: RESTPostAPIGuildRoleJSONBody, change: Change): Promise<APIRole>;
  editRole(
    guildId: string,
    roleId: string,
    body: RESTPatchAPIGuildRoleJSONBody,
    change: Change,
  ): Promise<APIRole>;
  /** Positions of roles that change place with each other. Gives all roles of the server. */
  moveRoles(
    guildId: string,
    positions: RESTPatchAPIGuildRolePositionsJSONBody,
    change: Change,
  ): Promise<readonly APIRole[]>;
  deleteRole(guildId: string, roleId: string, change: Change): Promise<void>;
  giveRole(guildId: string, userId: string, roleId: string, change: Change): Promise<void>;
  takeRole(guildId: string, userId: string, roleId: string, change: Change): Promise<void>;
  /** The direct message with a user, made when there is none: no more than a look-up, and harmless to repeat. */
  openDirectMessage(userId: string, change: Change): Promise<APIDMChannel>;
}

/** A channel that was looked up by REST for somebody, and whether they belong to it, if it is a thread. */
export interface Located {
  readonly channel: ChannelFacts;
  readonly isThreadMember: boolean;
}

/** Facts for permission decisions: from the gateway's state where it is trusted, else by REST. Throws as above. */
export interface PermissionFactsPort {
  botUserId(): Promise<string>;
  guild(guildId: string, signal: AbortSignal): Promise<GuildFacts>;
  /** Its channels, without threads. */
  channels(guildId: string, signal: AbortSignal): Promise<readonly ChannelFacts[]>;
  channel(channelId: string, signal: AbortSignal): Promise<ChannelFacts>;
  /** At once, and only from state that is trusted now; null says nothing about whether there is one. */
  knownChannel(channelId: string): ChannelFacts | null;
  /**
   * Looks a channel up by REST, together with whether that user belongs to it, whatever the state knows: the same two
   * requests for a hidden channel, another server's and one that does not exist, so that their time tells nothing.
   * Null when there is none that the bot can see.
   */
  locate(channelId: string, userId: string, signal: AbortSignal): Promise<Located | null>;
  member(guildId: string, userId: string, signal: AbortSignal): Promise<MemberFacts>;
  /** Whether a user belongs to a private thread. */
  isThreadMember(threadId: string, userId: string, signal: AbortSignal): Promise<boolean>;
}
