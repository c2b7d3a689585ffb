import { GatewayDispatchEvents as Events } from "discord-api-types/v10";
import type { World } from "./world.ts";
import type { Publish } from "./world-events.ts";

/** Changes of guilds, channels, roles and members, each with its event. */
export class GuildChanges {
  readonly #world: World;
  readonly #publish: Publish;

  constructor(world: World, publish: Publish) {
    this.#world = world;
    this.#publish = publish;
  }

  /** The bot is thrown out of a guild. */
  removeBot(guildId: string): void {
    this.#publish({ dispatch: { t: Events.GuildDelete, d: { id: guildId } as never }, guildId });
    this.#world.guild(guildId).hasBot = false;
  }
}

export const EVENTS = Events;
