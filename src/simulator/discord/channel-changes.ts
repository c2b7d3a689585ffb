import {
  type APIThreadChannel,
  type APIThreadMember,
  GatewayDispatchEvents as Events,
} from "discord-api-types/v10";
import type { Unnamed } from "./guild-changes.ts";
import { overwritePayload } from "./payloads.ts";
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
  readonly thread_metadata?: APIThreadChannel["thread_metadata"];
}

/** Changes of channels and threads, each with its event. Ids that do not exist are the caller's mistake and throw. */
export class ChannelChanges {
  readonly #world: World;
  readonly #publish: Publish;

  constructor(world: World, publish: Publish) {
    this.#world = world;
    this.#publish = publish;
  }

  /** A channel or, by its kind, a thread. */
  add(guildId: string, seed: Unnamed<ChannelSeed>): GuildChannel | APIThreadChannel {
    const guild = this.#world.guild(guildId);
    const channel = this.#world.addChannel(guild, { ...seed, id: seed.id ?? this.#world.ids.next() });
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

  /** Its threads and messages go with it. */
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
