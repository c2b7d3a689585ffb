import { isThread } from "../../permissions/compute.ts";
import type { ChannelFacts } from "../../permissions/facts.ts";

/** Channels and active threads of all guilds, by id and by guild. */
export class KnownChannels {
  readonly #channels = new Map<string, ChannelFacts>();
  readonly #idsOf = new Map<string, Set<string>>();

  get size(): number {
    return this.#channels.size;
  }

  get(channelId: string): ChannelFacts | null {
    return this.#channels.get(channelId) ?? null;
  }

  /** Without threads, in no order; empty for a guild that is not known. */
  ofGuild(guildId: string): readonly ChannelFacts[] {
    const known: ChannelFacts[] = [];
    for (const id of this.#idsOf.get(guildId) ?? []) {
      const channel = this.#channels.get(id);
      if (channel !== undefined && !isThread(channel)) known.push(channel);
    }
    return known;
  }

  set(guildId: string, channel: ChannelFacts): void {
    this.#channels.set(channel.id, channel);
    const ids = this.#idsOf.get(guildId);
    if (ids === undefined) this.#idsOf.set(guildId, new Set([channel.id]));
    else ids.add(channel.id);
  }

  /** Its threads go with it: of those no event comes. */
  remove(guildId: string, channelId: string): void {
    this.removeThreads(guildId, (parentId) => parentId === channelId);
    this.#channels.delete(channelId);
    this.#idsOf.get(guildId)?.delete(channelId);
  }

  removeThreads(guildId: string, isOf: (parentId: string) => boolean): void {
    const ids = this.#idsOf.get(guildId);
    for (const id of ids ?? []) {
      const channel = this.#channels.get(id);
      if (channel === undefined || !isThread(channel) || !isOf(channel.parentId ?? "")) continue;
      this.#channels.delete(id);
      ids?.delete(id);
    }
  }

  removeGuild(guildId: string): void {
    for (const id of this.#idsOf.get(guildId) ?? []) this.#channels.delete(id);
    this.#idsOf.delete(guildId);
  }
}
