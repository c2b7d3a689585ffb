import type { Erasures } from "../memory/erasures.ts";

export interface GuildRemovalDeps {
  readonly erasures: Pick<Erasures, "request" | "cancel" | "get" | "guildsWithData">;
  /** How long the bot may be away before its data there are erased. */
  readonly graceMs: number;
  readonly now: () => number;
}

/** What becomes of a guild's data when the bot is removed from it: stored, so that it happens after a restart, too. */
export interface GuildRemoval {
  removed(guildId: string): Promise<void>;
  /** The bot is there (again): nothing of it is erased. */
  present(guildId: string): Promise<void>;
  /** Those that Discord has named at the beginning of a session; of a shard that is not all there are. */
  listed(guildIds: readonly string[], isOfShard: (guildId: string) => boolean): Promise<void>;
}

export function createGuildRemoval({ erasures, graceMs, now }: GuildRemovalDeps): GuildRemoval {
  const removed: GuildRemoval["removed"] = async (guildId) => {
    // Told again, it does not begin anew.
    if ((await erasures.get("guild", guildId)) !== null) return;
    await erasures.request({ kind: "guild", subject: guildId, dueAt: now() + graceMs });
  };
  const present: GuildRemoval["present"] = async (guildId) => {
    await erasures.cancel("guild", guildId);
  };
  return {
    removed,
    present,
    async listed(guildIds, isOfShard) {
      for (const id of guildIds) await present(id);
      const there = new Set(guildIds);
      for (const id of await erasures.guildsWithData())
        if (isOfShard(id) && !there.has(id)) await removed(id);
    },
  };
}
