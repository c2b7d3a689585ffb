import { type APIGuildMember, GatewayDispatchEvents as Events } from "discord-api-types/v10";
import { memberPayload } from "./payloads.ts";
import type { MemberSeed } from "./seed.ts";
import type { SimulatedGuild, World } from "./world.ts";
import type { Publish } from "./world-events.ts";

export interface MemberPatch {
  readonly nick?: string | null;
  readonly roleIds?: readonly string[];
  /** Milliseconds since 1970; null ends a time-out. */
  readonly timedOutUntil?: number | null;
  readonly mute?: boolean;
  readonly deaf?: boolean;
}

/** Who comes, goes and changes in a guild, each with its event. */
export class MemberChanges {
  readonly #world: World;
  readonly #publish: Publish;

  constructor(world: World, publish: Publish) {
    this.#world = world;
    this.#publish = publish;
  }

  add(guildId: string, seed: MemberSeed): APIGuildMember {
    const guild = this.#world.guild(guildId);
    const member = memberPayload(this.#world.user(seed.userId), seed, this.#world.now());
    guild.members.set(seed.userId, member);
    if (seed.online) guild.online.add(seed.userId);
    this.#publish({ dispatch: { t: Events.GuildMemberAdd, d: { ...member, guild_id: guildId } }, guildId });
    return member;
  }

  update(guildId: string, userId: string, patch: MemberPatch): APIGuildMember {
    const { guild, member } = this.#find(guildId, userId);
    const { roleIds, timedOutUntil, ...rest } = patch;
    const changed: APIGuildMember = { ...member, ...rest };
    if (roleIds !== undefined) changed.roles = [...new Set(roleIds)];
    if (timedOutUntil !== undefined) {
      changed.communication_disabled_until =
        timedOutUntil === null ? null : new Date(timedOutUntil).toISOString();
    }
    guild.members.set(userId, changed);
    const d = {
      ...changed,
      avatar: changed.avatar ?? null,
      banner: changed.banner ?? null,
      guild_id: guildId,
    };
    this.#publish({ dispatch: { t: Events.GuildMemberUpdate, d }, guildId });
    return changed;
  }

  addRole(guildId: string, userId: string, roleId: string): void {
    this.update(guildId, userId, { roleIds: [...this.#find(guildId, userId).member.roles, roleId] });
  }

  removeRole(guildId: string, userId: string, roleId: string): void {
    const { member } = this.#find(guildId, userId);
    this.update(guildId, userId, { roleIds: member.roles.filter((id) => id !== roleId) });
  }

  /** Puts a member in time-out until then; null ends it. */
  timeout(guildId: string, userId: string, until: number | null): void {
    this.update(guildId, userId, { timedOutUntil: until });
  }

  /** Leaves, or is kicked: Discord tells no difference. */
  remove(guildId: string, userId: string): void {
    const { guild, member } = this.#find(guildId, userId);
    guild.members.delete(userId);
    guild.online.delete(userId);
    for (const members of guild.threadMembers.values()) members.delete(userId);
    this.#publish({
      dispatch: { t: Events.GuildMemberRemove, d: { guild_id: guildId, user: member.user } },
      guildId,
    });
  }

  ban(guildId: string, userId: string, reason: string | null = null): void {
    const guild = this.#world.guild(guildId);
    const user = this.#world.user(userId);
    guild.banned.set(userId, reason);
    this.#publish({ dispatch: { t: Events.GuildBanAdd, d: { guild_id: guildId, user } }, guildId });
    if (guild.members.has(userId)) this.remove(guildId, userId);
  }

  unban(guildId: string, userId: string): void {
    const user = this.#world.user(userId);
    if (!this.#world.guild(guildId).banned.delete(userId)) return;
    this.#publish({ dispatch: { t: Events.GuildBanRemove, d: { guild_id: guildId, user } }, guildId });
  }

  #find(guildId: string, userId: string): { guild: SimulatedGuild; member: APIGuildMember } {
    const guild = this.#world.guild(guildId);
    const member = guild.members.get(userId);
    if (member === undefined) throw new Error(`Guild ${guildId} has no member ${userId}`);
    return { guild, member };
  }
}
