import {
  type APIGuildForumChannel,
  type APIOverwrite,
  type APIThreadChannel,
  type APIThreadMember,
  ChannelType,
  GatewayDispatchEvents as Events,
} from "discord-api-types/v10";
import { overwritePayload } from "./channel-payloads.ts";
import type { Unnamed } from "./guild-changes.ts";
import { isThread } from "./permissions.ts";
import type { ChannelSeed, OverwriteSeed } from "./seed.ts";
import {
  type AnyChannel,
  type GuildChannel,
  type SimulatedGuild,
  threadMember,
  type World,
} from "./world.ts";
import type { Publish } from "./world-events.ts";

export interface ChannelPatch {
  readonly name?: string;
  readonly topic?: string | null;
  readonly parent_id?: string | null;
  readonly position?: number;
  readonly nsfw?: boolean;
  readonly rate_limit_per_user?: number;
  readonly permission_overwrites?: APIOverwrite[];
  readonly default_auto_archive_duration?: number;
  readonly bitrate?: number;
  readonly user_limit?: number;
  readonly available_tags?: APIGuildForumChannel["available_tags"];
  readonly flags?: number;
  readonly applied_tags?: string[];
  readonly thread_metadata?: APIThreadChannel["thread_metadata"];
}

/** What a new channel or thread has besides its seed. */
export type ChannelExtras = Partial<ChannelPatch>;

/** Changes of channels and threads, each with its event. Ids that do not exist are the caller's mistake and throw. */
export class ChannelChanges {
  readonly #world: World;
  readonly #publish: Publish;

  constructor(world: World, publish: Publish) {
    this.#world = world;
    this.#publish = publish;
  }

  /** A channel or, by its kind, a thread. */
  add(
    guildId: string,
    seed: Unnamed<ChannelSeed>,
    extras: ChannelExtras = {},
  ): GuildChannel | APIThreadChannel {
    const guild = this.#world.guild(guildId);
    const channel = this.#world.addChannel(guild, { ...seed, id: seed.id ?? this.#world.ids.next() });
    Object.assign(channel, extras);
    if (isThread(channel)) {
      const d = { ...channel, newly_created: true as const };
      this.#publish({ dispatch: { t: Events.ThreadCreate, d }, guildId, channelId: channel.id });
    } else {
      this.#publish({ dispatch: { t: Events.ChannelCreate, d: { ...channel, guild_id: guildId } }, guildId });
    }
    return channel;
  }

  update(channelId: string, patch: ChannelPatch): GuildChannel | APIThreadChannel {
    const { channel } = this.#find(channelId);
    Object.assign(channel, patch);
    this.#updated(channel);
    return channel;
  }

  /** Its threads and messages go with it; the channels of a category stay, without one. */
  remove(channelId: string): void {
    const { guild, channel } = this.#find(channelId);
    const guildId = guild.id;
    if (isThread(channel)) {
      const { id, type, parent_id = "" } = channel;
      const d = { id, type, guild_id: guildId, parent_id };
      this.#publish({ dispatch: { t: Events.ThreadDelete, d }, guildId, channelId });
    } else {
      for (const thread of guild.threads.values()) {
        if (thread.parent_id === channelId) this.#world.forgetChannel(thread.id);
      }
      this.#publish({ dispatch: { t: Events.ChannelDelete, d: { ...channel, guild_id: guildId } }, guildId });
    }
    this.#world.forgetChannel(channelId);
    if (channel.type !== ChannelType.GuildCategory) return;
    for (const child of guild.channels.values()) {
      if ("parent_id" in child && child.parent_id === channelId) this.update(child.id, { parent_id: null });
    }
  }

  setOverwrite(channelId: string, overwrite: OverwriteSeed): void {
    const { channel } = this.#find(channelId);
    const others = (channel.permission_overwrites ?? []).filter((one) => one.id !== overwrite.id);
    channel.permission_overwrites = [...others, overwritePayload(overwrite)];
    this.#updated(channel);
  }

  removeOverwrite(channelId: string, id: string): void {
    const { channel } = this.#find(channelId);
    channel.permission_overwrites = (channel.permission_overwrites ?? []).filter((one) => one.id !== id);
    this.#updated(channel);
  }

  addThreadMember(threadId: string, userId: string): void {
    const { guild, channel } = this.#find(threadId);
    const members = guild.threadMembers.get(threadId) ?? new Map<string, APIThreadMember>();
    guild.threadMembers.set(threadId, members);
    const joined = threadMember(threadId, userId, this.#world.now());
    members.set(userId, joined);
    this.#threadMembersChanged(guild, channel, { added_members: [joined] });
  }

  removeThreadMember(threadId: string, userId: string): void {
    const { guild, channel } = this.#find(threadId);
    if (!guild.threadMembers.get(threadId)?.delete(userId)) return;
    this.#threadMembersChanged(guild, channel, { removed_member_ids: [userId] });
  }

  #threadMembersChanged(
    guild: SimulatedGuild,
    channel: AnyChannel,
    change: { added_members?: APIThreadMember[]; removed_member_ids?: string[] },
  ): void {
    const member_count = guild.threadMembers.get(channel.id)?.size ?? 0;
    if (isThread(channel)) channel.member_count = member_count;
    const d = { id: channel.id, guild_id: guild.id, member_count, ...change };
    this.#publish({
      dispatch: { t: Events.ThreadMembersUpdate, d },
      guildId: guild.id,
      channelId: channel.id,
    });
  }

  #updated(channel: GuildChannel | APIThreadChannel): void {
    const guildId = channel.guild_id ?? "";
    if (isThread(channel)) {
      this.#publish({ dispatch: { t: Events.ThreadUpdate, d: channel }, guildId, channelId: channel.id });
    } else {
      this.#publish({ dispatch: { t: Events.ChannelUpdate, d: { ...channel, guild_id: guildId } }, guildId });
    }
  }

  #find(channelId: string): { guild: SimulatedGuild; channel: GuildChannel | APIThreadChannel } {
    const guild = this.#world.guildOfChannel(channelId);
    const channel = guild?.channels.get(channelId) ?? guild?.threads.get(channelId);
    if (guild === null || channel === undefined)
      throw new Error(`The simulated world has no channel ${channelId}`);
    return { guild, channel };
  }
}
