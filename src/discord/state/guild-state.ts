import {
  type APIGuild,
  GatewayDispatchEvents as Events,
  type GatewayDispatchPayload,
  type GatewayGuildCreateDispatchData,
  type GatewayThreadListSyncDispatchData,
  GuildMFALevel,
} from "discord-api-types/v10";
import { Lru } from "../../lru.ts";
import type { ChannelFacts, GuildFacts, MemberFacts, RoleFacts } from "../../permissions/facts.ts";
import { shardOf } from "../../snowflake.ts";
import { KnownChannels } from "./known-channels.ts";
import { type ChannelLike, isObfuscated, memberFacts, Shapes } from "./state-shapes.ts";
import { Watches } from "./watches.ts";

const membersBound = 20_000;

interface KnownGuild {
  readonly id: string;
  name: string;
  ownerId: string;
  readonly roles: Map<string, RoleFacts>;
  requiresMfa: boolean;
  verificationLevel: number;
  botRoleId: string | null;
}

type GuildLike = Pick<APIGuild, "id" | "name" | "owner_id" | "roles" | "mfa_level" | "verification_level">;

/** What a guild is made of when it is read by REST, since a resumed session brings no GUILD_CREATE. */
export interface LoadedGuild {
  readonly guild: APIGuild;
  readonly channels: readonly ChannelLike[];
}

/**
 * What the gateway tells of guilds, as far as permissions and names need it: no messages, no presences, and members
 * only as a bounded cache. It knows what it was told and nothing of how far that can be trusted: `facts.ts` decides.
 */
export class GuildState {
  readonly #shapes = new Shapes();
  readonly #guilds = new Map<string, KnownGuild>();
  readonly #channels = new KnownChannels();
  readonly #members = new Lru<MemberFacts>(membersBound);
  readonly #watches = new Watches();
  botUserId: string | null = null;

  guild(guildId: string): GuildFacts | null {
    return this.#guilds.get(guildId) ?? null;
  }

  /** Of all guilds, in no order. */
  *names(): Iterable<{ readonly id: string; readonly name: string }> {
    yield* this.#guilds.values();
  }

  botRoleId(guildId: string): string | null {
    return this.#guilds.get(guildId)?.botRoleId ?? null;
  }

  channel(channelId: string): ChannelFacts | null {
    return this.#channels.get(channelId);
  }

  /** Its channels without threads, in no order; empty for a guild that is not known. */
  channels(guildId: string): readonly ChannelFacts[] {
    return this.#channels.ofGuild(guildId);
  }

  member(guildId: string, userId: string): MemberFacts | null {
    return this.#members.get(`${guildId}:${userId}`) ?? null;
  }

  rememberMember(guildId: string, member: MemberFacts): void {
    this.#members.set(`${guildId}:${member.userId}`, member);
  }

  channelFacts(channel: ChannelLike, guildId: string | null = null): ChannelFacts {
    return this.#shapes.channel(channel, guildId, this.botUserId);
  }

  guildFacts(guild: GuildLike): GuildFacts {
    return this.#knownGuild(guild);
  }

  get sizes() {
    return {
      guilds: this.#guilds.size,
      channels: this.#channels.size,
      members: this.#members.size,
      watched: this.#watches.size,
    };
  }

  /** Begins to watch a key ("guild:1", "member:1:2"); the returned function ends it, and says whether an event came since. */
  watch(key: string): () => boolean {
    return this.#watches.begin(key);
  }

  /** A new session: what came with the one before may have changed unseen. */
  forgetShard(shardId: number, shardCount: number): void {
    for (const id of [...this.#guilds.keys()]) if (shardOf(id, shardCount) === shardId) this.#forget(id);
    // Members are kept by guild and there is no index; they are read again when they are needed.
    this.#members.clear();
    this.#watches.allChanged();
  }

  store({ guild, channels }: LoadedGuild): void {
    this.#forget(guild.id);
    this.#guilds.set(guild.id, this.#knownGuild(guild));
    for (const channel of channels) this.#keep(channel, guild.id);
  }

  /** All that is known may be wrong: it is read by REST when it is needed. */
  forgetAll(): void {
    for (const id of [...this.#guilds.keys()]) this.#forget(id);
    this.#members.clear();
    this.#watches.allChanged();
  }

  /** Takes in one dispatch, which has been checked. Types that say nothing about guilds are passed over. */
  apply(payload: GatewayDispatchPayload): void {
    switch (payload.t) {
      case Events.GuildCreate:
        this.#create(payload.d);
        return;
      case Events.GuildUpdate:
        this.#update(payload.d);
        return;
      case Events.GuildDelete:
        this.#watches.changed(`guild:${payload.d.id}`);
        this.#forget(payload.d.id);
        return;
      case Events.GuildRoleCreate:
      case Events.GuildRoleUpdate: {
        const { guild_id, role } = payload.d;
        const guild = this.#touch(guild_id);
        guild?.roles.set(role.id, this.#shapes.role(role));
        if (guild && role.tags?.bot_id !== undefined && role.tags.bot_id === this.botUserId)
          guild.botRoleId = role.id;
        return;
      }
      case Events.GuildRoleDelete:
        this.#touch(payload.d.guild_id)?.roles.delete(payload.d.role_id);
        return;
      case Events.ChannelCreate:
      case Events.ChannelUpdate:
        this.#setChannel(payload.d);
        return;
      case Events.ThreadCreate:
      case Events.ThreadUpdate:
        if (payload.d.thread_metadata?.archived) this.#removeChannel(payload.d);
        else this.#setChannel(payload.d);
        return;
      case Events.ChannelDelete:
      case Events.ThreadDelete:
        this.#removeChannel(payload.d);
        return;
      case Events.ThreadListSync:
        this.#syncThreads(payload.d);
        return;
      case Events.GuildMemberAdd:
      case Events.GuildMemberUpdate:
        this.#changeMember(payload.d.guild_id, payload.d.user.id, memberFacts(payload.d.user.id, payload.d));
        return;
      case Events.GuildMemberRemove:
        this.#changeMember(payload.d.guild_id, payload.d.user.id, null);
        return;
      default:
        return;
    }
  }

  #create(data: GatewayGuildCreateDispatchData): void {
    this.#watches.changed(`guild:${data.id}`);
    if (data.unavailable === true) {
      this.#forget(data.id);
      return;
    }
    this.store({ guild: data, channels: [...data.channels, ...data.threads] });
    const self = data.members.find((member) => member.user.id === this.botUserId);
    if (self !== undefined) this.rememberMember(data.id, memberFacts(self.user.id, self));
  }

  #update(data: APIGuild): void {
    const guild = this.#touch(data.id);
    if (guild === undefined) return;
    guild.name = data.name;
    guild.ownerId = data.owner_id;
    guild.requiresMfa = data.mfa_level === GuildMFALevel.Elevated;
    guild.verificationLevel = data.verification_level;
    guild.roles.clear();
    for (const role of data.roles) guild.roles.set(role.id, this.#shapes.role(role));
  }

  #setChannel(channel: ChannelLike): void {
    if (channel.guild_id === undefined) return;
    const guild = this.#touch(channel.guild_id);
    if (guild !== undefined) this.#keep(channel, guild.id);
  }

  /** What the bot can see; of the rest nothing is known, as by REST. When it gains sight of a channel, an update brings it. */
  #keep(channel: ChannelLike, guildId: string): void {
    if (isObfuscated(channel)) {
      this.#channels.remove(guildId, channel.id);
      return;
    }
    this.#channels.set(guildId, this.channelFacts(channel, guildId));
  }

  #removeChannel({ id, guild_id }: { readonly id: string; readonly guild_id?: string | undefined }): void {
    if (guild_id === undefined) return;
    this.#touch(guild_id);
    this.#channels.remove(guild_id, id);
  }

  /** Of the channels that it names, or of all, it brings every active thread: https://docs.discord.com/developers/events/gateway-events#thread-list-sync */
  #syncThreads({ guild_id, channel_ids, threads }: GatewayThreadListSyncDispatchData): void {
    this.#touch(guild_id);
    this.#channels.removeThreads(guild_id, (parentId) => channel_ids?.includes(parentId) ?? true);
    for (const thread of threads) this.#setChannel({ ...thread, guild_id });
  }

  #changeMember(guildId: string, userId: string, facts: MemberFacts | null): void {
    this.#watches.changed(`member:${guildId}:${userId}`);
    const key = `${guildId}:${userId}`;
    if (facts === null) this.#members.delete(key);
    // Only who is known already: a large server's joins must not push out those who talk.
    else if (this.#members.get(key) !== undefined || userId === this.botUserId) this.#members.set(key, facts);
  }

  #touch(guildId: string): KnownGuild | undefined {
    this.#watches.changed(`guild:${guildId}`);
    return this.#guilds.get(guildId);
  }

  #forget(guildId: string): void {
    if (!this.#guilds.delete(guildId)) return;
    this.#channels.removeGuild(guildId);
  }

  #knownGuild(guild: GuildLike): KnownGuild {
    const own = guild.roles.find(
      (role) => role.tags?.bot_id !== undefined && role.tags.bot_id === this.botUserId,
    );
    return {
      id: guild.id,
      name: guild.name,
      ownerId: guild.owner_id,
      roles: new Map(guild.roles.map((role) => [role.id, this.#shapes.role(role)])),
      requiresMfa: guild.mfa_level === GuildMFALevel.Elevated,
      verificationLevel: guild.verification_level,
      botRoleId: own?.id ?? null,
    };
  }
}
