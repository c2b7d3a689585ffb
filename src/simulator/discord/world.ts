import type {
  APIAttachment,
  APIAuditLogEntry,
  APIDMChannel,
  APIEmoji,
  APIGuild,
  APIGuildCategoryChannel,
  APIGuildForumChannel,
  APIGuildMember,
  APIGuildVoiceChannel,
  APINewsChannel,
  APIRole,
  APITextChannel,
  APIThreadChannel,
  APIThreadMember,
  APIUser,
} from "discord-api-types/v10";
import { Cdn } from "./cdn.ts";
import { channelPayload, threadPayload } from "./channel-payloads.ts";
import { MessageStore } from "./message-store.ts";
import {
  guildPayload,
  memberPayload,
  messagePayload,
  noFlags,
  rolePayload,
  userPayload,
} from "./payloads.ts";
import type { ChannelSeed, GuildSeed, RoleSeed, WorldSeed } from "./seed.ts";
import { SnowflakeClock, snowflakeAt, snowflakeTime } from "./snowflake.ts";

export type GuildChannel =
  | APITextChannel
  | APINewsChannel
  | APIGuildVoiceChannel
  | APIGuildCategoryChannel
  | APIGuildForumChannel;

/** Where messages can be: a guild's channel, a thread, or a direct message with the bot. */
export type AnyChannel = GuildChannel | APIThreadChannel | APIDMChannel;

export interface SimulatedGuild {
  readonly id: string;
  readonly info: APIGuild;
  readonly roles: Map<string, APIRole>;
  readonly channels: Map<string, GuildChannel>;
  readonly threads: Map<string, APIThreadChannel>;
  /** By thread, then by user. */
  readonly threadMembers: Map<string, Map<string, APIThreadMember>>;
  readonly members: Map<string, APIGuildMember>;
  readonly emojis: Map<string, APIEmoji>;
  readonly online: Set<string>;
  /** Reasons by user. */
  readonly banned: Map<string, string | null>;
  /** Oldest first. */
  readonly auditLog: APIAuditLogEntry[];
  /** Whether the bot belongs to it. */
  hasBot: boolean;
  /** False in an outage of Discord's. */
  available: boolean;
}

/** Everything that exists. It answers questions; what happens in it is in people.ts and guild-changes.ts. */
export class World {
  readonly applicationId: string;
  readonly botUser: APIUser;
  readonly ids: SnowflakeClock;
  readonly now: () => number;
  readonly users = new Map<string, APIUser>();
  readonly guilds = new Map<string, SimulatedGuild>();
  readonly directChannels = new Map<string, APIDMChannel>();
  /** When each pinned message was pinned, by its id. */
  readonly pinnedAt = new Map<string, string>();
  readonly messages = new MessageStore();
  readonly cdn = new Cdn();
  /** Users who take no direct messages from the bot. */
  readonly closedToDirectMessages = new Set<string>();
  readonly #guildOfChannel = new Map<string, string>();

  constructor(seed: WorldSeed, now: () => number) {
    this.now = now;
    this.ids = new SnowflakeClock(now);
    this.applicationId = seed.applicationId;
    this.botUser = userPayload({ ...seed.bot, bot: true });
    this.users.set(this.botUser.id, this.botUser);
    for (const user of seed.users) this.users.set(user.id, userPayload(user));
    for (const guild of seed.guilds) this.addGuild(guild);
  }

  addGuild(seed: GuildSeed): SimulatedGuild {
    const guild: SimulatedGuild = {
      id: seed.id,
      info: guildPayload(seed),
      roles: new Map(),
      channels: new Map(),
      threads: new Map(),
      threadMembers: new Map(),
      members: new Map(),
      emojis: new Map(),
      online: new Set(seed.members.filter((member) => member.online).map((member) => member.userId)),
      banned: new Map(),
      auditLog: [],
      hasBot: seed.members.some((member) => member.userId === this.botUser.id),
      available: true,
    };
    this.guilds.set(guild.id, guild);
    const roles = [{ id: seed.id, name: "@everyone", permissions: seed.everyone }, ...seed.roles];
    roles.forEach((role: RoleSeed, at) => {
      guild.roles.set(role.id, rolePayload(role, role.position ?? at, this.botUser.id));
    });
    for (const member of seed.members) {
      const joinedAt = snowflakeTime(seed.id) + 60_000;
      guild.members.set(member.userId, memberPayload(this.user(member.userId), member, joinedAt));
    }
    for (const channel of seed.channels) this.addChannel(guild, channel);
    for (const { id, name } of seed.emojis ?? []) {
      guild.emojis.set(id, {
        id,
        name,
        roles: [],
        require_colons: true,
        managed: false,
        animated: false,
        available: true,
      });
    }
    this.#addSeedMessages(seed);
    return guild;
  }

  addChannel(guild: SimulatedGuild, seed: ChannelSeed): GuildChannel | APIThreadChannel {
    this.#guildOfChannel.set(seed.id, guild.id);
    if (!isThreadKind(seed.kind)) {
      const channel = channelPayload(seed, guild.id, guild.channels.size);
      guild.channels.set(seed.id, channel);
      return channel;
    }
    const ownerId = seed.ownerId ?? guild.info.owner_id;
    const createdAt = snowflakeTime(seed.id);
    const thread = threadPayload(seed, guild.id, ownerId, createdAt);
    guild.threads.set(seed.id, thread);
    const members = [ownerId, ...(seed.memberIds ?? [])];
    guild.threadMembers.set(
      seed.id,
      new Map(members.map((id) => [id, threadMember(seed.id, id, createdAt)])),
    );
    thread.member_count = members.length;
    return thread;
  }

  forgetChannel(channelId: string): void {
    const guild = this.guildOfChannel(channelId);
    guild?.channels.delete(channelId);
    guild?.threads.delete(channelId);
    guild?.threadMembers.delete(channelId);
    this.#guildOfChannel.delete(channelId);
    this.messages.forgetChannel(channelId);
  }

  /** Throws when there is no such user: for the simulator's own callers, who name users that they made. */
  user(id: string): APIUser {
    const user = this.users.get(id);
    if (user === undefined) throw new Error(`The simulated world has no user ${id}`);
    return user;
  }

  guild(id: string): SimulatedGuild {
    const guild = this.guilds.get(id);
    if (guild === undefined) throw new Error(`The simulated world has no guild ${id}`);
    return guild;
  }

  guildOfChannel(channelId: string): SimulatedGuild | null {
    return this.guilds.get(this.#guildOfChannel.get(channelId) ?? "") ?? null;
  }

  channel(id: string): AnyChannel | null {
    const guild = this.guildOfChannel(id);
    return guild?.channels.get(id) ?? guild?.threads.get(id) ?? this.directChannels.get(id) ?? null;
  }

  /** The role that Discord made for the bot, or null where it has none. */
  botRoleId(guildId: string): string | null {
    for (const role of this.guild(guildId).roles.values()) {
      if (role.tags?.bot_id === this.botUser.id) return role.id;
    }
    return null;
  }

  /** Nothing is in it. */
  #attach(channelId: string, id: string, filename: string): APIAttachment {
    const url = this.cdn.put(channelId, id, filename, "text/plain");
    return { id, filename, size: 0, url, proxy_url: url, content_type: "text/plain" };
  }

  #addSeedMessages(seed: GuildSeed): void {
    const timed = (seed.messages ?? []).map((message) => {
      const { id, minutesAgo } = message;
      return { message, at: id === undefined ? this.now() - minutesAgo * 60_000 : snowflakeTime(id) };
    });
    timed.sort((a, b) => a.at - b.at);
    timed.forEach(({ message, at }, step) => {
      const id = message.id ?? snowflakeAt(at, step);
      const { channelId, file } = message;
      const payload = messagePayload(id, channelId, this.user(message.authorId), message.content, at);
      const attachments = file === undefined ? [] : [this.#attach(channelId, id, file)];
      this.messages.add({ ...payload, attachments });
      const channel = this.channel(message.channelId);
      if (channel !== null && "last_message_id" in channel) channel.last_message_id = id;
    });
  }
}

function isThreadKind(kind: ChannelSeed["kind"]): boolean {
  return kind === "thread" || kind === "announcement_thread" || kind === "private_thread";
}

export function threadMember(threadId: string, userId: string, at: number): APIThreadMember {
  return { id: threadId, user_id: userId, join_timestamp: new Date(at).toISOString(), flags: noFlags };
}
