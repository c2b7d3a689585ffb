import {
  type APIGuild,
  type APIRole,
  type APIUser,
  GatewayDispatchEvents as Events,
  type GatewayPresenceClientStatus,
  type PresenceUpdateReceiveStatus,
  PresenceUpdateStatus,
} from "discord-api-types/v10";
import { guildObject } from "./gateway-payloads.ts";
import { rolePayload, userPayload } from "./payloads.ts";
import type { GuildSeed, RoleSeed, UserSeed } from "./seed.ts";
import type { SimulatedGuild, World } from "./world.ts";
import type { Dispatch, Publish } from "./world-events.ts";

/** A seed whose id may be left to the simulator. */
export type Unnamed<Seed extends { readonly id: string }> = Omit<Seed, "id"> & { readonly id?: string };

/** Changes of guilds and their roles, each with its event. Ids that do not exist are the caller's mistake and throw. */
export class GuildChanges {
  readonly #world: World;
  readonly #publish: Publish;
  readonly #announce: (guild: SimulatedGuild) => void;

  /** `announce` sends GUILD_CREATE, whose content depends on the session. */
  constructor(world: World, publish: Publish, announce: (guild: SimulatedGuild) => void) {
    this.#world = world;
    this.#publish = publish;
    this.#announce = announce;
  }

  addUser(seed: Unnamed<UserSeed>): APIUser {
    const user = userPayload({ ...seed, id: seed.id ?? this.#world.ids.next() });
    this.#world.users.set(user.id, user);
    return user;
  }

  /** The bot is invited into a new guild, when its seed names it as a member. */
  add(seed: GuildSeed): SimulatedGuild {
    const guild = this.#world.addGuild(seed);
    if (guild.hasBot) this.#announce(guild);
    return guild;
  }

  update(guildId: string, patch: Partial<Omit<APIGuild, "id" | "roles" | "emojis">>): APIGuild {
    const guild = this.#world.guild(guildId);
    Object.assign(guild.info, patch);
    this.#tell(guildId, { t: Events.GuildUpdate, d: guildObject(guild) });
    return guildObject(guild);
  }

  /** The bot is thrown out; REST answers Missing Access from then on. */
  removeBot(guildId: string): void {
    const guild = this.#world.guild(guildId);
    // No `unavailable`: that is how Discord tells a removal from an outage.
    this.#tell(guildId, { t: Events.GuildDelete, d: { id: guildId } });
    guild.hasBot = false;
    guild.members.delete(this.#world.botUser.id);
  }

  /** An outage of Discord's: the guild is there, but unavailable. */
  interrupt(guildId: string): void {
    const guild = this.#world.guild(guildId);
    guild.available = false;
    this.#tell(guildId, { t: Events.GuildDelete, d: { id: guildId, unavailable: true } });
  }

  /** The end of an outage. */
  restore(guildId: string): void {
    const guild = this.#world.guild(guildId);
    guild.available = true;
    this.#announce(guild);
  }

  addRole(guildId: string, seed: Unnamed<RoleSeed>): APIRole {
    const guild = this.#world.guild(guildId);
    const id = seed.id ?? this.#world.ids.next();
    // A new role goes to the bottom, above @everyone; the others move up.
    for (const other of guild.roles.values()) if (other.id !== guildId) other.position += 1;
    const role = rolePayload({ ...seed, id }, 1, this.#world.botUser.id);
    guild.roles.set(id, role);
    this.#tell(guildId, { t: Events.GuildRoleCreate, d: { guild_id: guildId, role } });
    return role;
  }

  updateRole(guildId: string, roleId: string, patch: Partial<Omit<APIRole, "id">>): APIRole {
    const role = this.#role(guildId, roleId);
    Object.assign(role, patch);
    this.#tell(guildId, { t: Events.GuildRoleUpdate, d: { guild_id: guildId, role } });
    return role;
  }

  removeRole(guildId: string, roleId: string): void {
    const guild = this.#world.guild(guildId);
    this.#role(guildId, roleId);
    guild.roles.delete(roleId);
    for (const member of guild.members.values()) member.roles = member.roles.filter((id) => id !== roleId);
    for (const channel of guild.channels.values()) {
      channel.permission_overwrites = (channel.permission_overwrites ?? []).filter(({ id }) => id !== roleId);
    }
    this.#tell(guildId, { t: Events.GuildRoleDelete, d: { guild_id: guildId, role_id: roleId } });
  }

  setOnline(guildId: string, userId: string, isOnline: boolean): void {
    const guild = this.#world.guild(guildId);
    if (isOnline) guild.online.add(userId);
    else guild.online.delete(userId);
    const { Online, Offline } = PresenceUpdateStatus;
    const status: PresenceUpdateReceiveStatus = isOnline ? Online : Offline;
    const client_status: GatewayPresenceClientStatus = isOnline ? { desktop: Online } : {};
    const d = { user: { id: userId }, guild_id: guildId, status, activities: [], client_status };
    this.#tell(guildId, { t: Events.PresenceUpdate, d });
  }

  addEmoji(guildId: string, name: string): string {
    const guild = this.#world.guild(guildId);
    const id = this.#world.ids.next();
    const shape = { roles: [], require_colons: true, managed: false, animated: false, available: true };
    guild.emojis.set(id, { id, name, ...shape });
    const emojis = [...guild.emojis.values()];
    this.#tell(guildId, { t: Events.GuildEmojisUpdate, d: { guild_id: guildId, emojis } });
    return id;
  }

  #role(guildId: string, roleId: string): APIRole {
    const role = this.#world.guild(guildId).roles.get(roleId);
    if (role === undefined) throw new Error(`Guild ${guildId} has no role ${roleId}`);
    return role;
  }

  #tell(guildId: string, dispatch: Dispatch): void {
    this.#publish({ dispatch, guildId });
  }
}
