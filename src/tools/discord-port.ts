import type {
  APIChannel,
  APIEmoji,
  APIGuild,
  APIGuildMember,
  APIMessage,
  APIRole,
  APIUser,
} from "discord-api-types/v10";
import type { ChannelFacts, GuildFacts, MemberFacts } from "../permissions/facts.ts";

export interface MessagePage {
  readonly limit: number;
  readonly before?: string;
  readonly after?: string;
  readonly around?: string;
}

export interface MessageSearch {
  readonly channelIds: readonly string[];
  readonly content?: string;
  readonly authorId?: string;
  readonly minId?: string;
  readonly maxId?: string;
  /** 1 to 25. */
  readonly limit: number;
  readonly offset: number;
}

/**
 * What tools read of Discord. Each method throws AppError: `discord_unavailable` (no token, no connection,
 * 5xx, time-out), `not_found`, `permission_denied` (the bot's), `rate_limited`, or `discord_error`.
 */
export interface DiscordReader {
  user(userId: string, signal: AbortSignal): Promise<APIUser>;
  member(guildId: string, userId: string, signal: AbortSignal): Promise<APIGuildMember>;
  channel(channelId: string, signal: AbortSignal): Promise<APIChannel>;
  /** With approximate member and presence counts. */
  guild(guildId: string, signal: AbortSignal): Promise<APIGuild>;
  guildChannels(guildId: string, signal: AbortSignal): Promise<readonly APIChannel[]>;
  guildRoles(guildId: string, signal: AbortSignal): Promise<readonly APIRole[]>;
  guildEmojis(guildId: string, signal: AbortSignal): Promise<readonly APIEmoji[]>;
  messages(channelId: string, page: MessagePage, signal: AbortSignal): Promise<readonly APIMessage[]>;
  searchMessages(
    guildId: string,
    search: MessageSearch,
    signal: AbortSignal,
  ): Promise<{ readonly total: number; readonly messages: readonly APIMessage[] }>;
}

/** Facts for permission decisions: from the gateway's state where it is trusted, else by REST. Throws as above. */
export interface PermissionFactsPort {
  botUserId(): Promise<string>;
  guild(guildId: string, signal: AbortSignal): Promise<GuildFacts>;
  channel(channelId: string, signal: AbortSignal): Promise<ChannelFacts>;
  member(guildId: string, userId: string, signal: AbortSignal): Promise<MemberFacts>;
  /** Whether a user belongs to a private thread. */
  isThreadMember(threadId: string, userId: string, signal: AbortSignal): Promise<boolean>;
}
