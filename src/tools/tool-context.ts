import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import { channelFacts, type Standing, type Standings } from "./facts.ts";
import type { ToolContext } from "./tool.ts";

/** What a tool runs with: on behalf of the actor, with the facts that its call was authorised by. */
export function contextFor(
  actor: Actor,
  standings: Standings,
  rest: Pick<ToolContext, "discord" | "now" | "signal">,
): ToolContext {
  const seen = (standing: Standing | null) =>
    standing !== null && (standing.bits & PermissionFlagsBits.ViewChannel) !== 0n;
  return {
    ...rest,
    actor,
    async canSee(channelId) {
      try {
        return seen(await standings.inChannel(actor.userId, actor.guildId, channelId));
      } catch {
        // Not established is not seen. A failure that matters meets the tool in its own requests too.
        return false;
      }
    },
    async visible(channels) {
      const { guildId, userId } = actor;
      if (guildId === null) return [];
      const all = await Promise.all(
        channels.map(async (channel) => {
          const standing = await standings
            .inKnownChannel(userId, guildId, channelFacts(channel, guildId))
            .catch(() => null);
          return { channel, isSeen: seen(standing) };
        }),
      );
      return all.filter(({ isSeen }) => isSeen).map(({ channel }) => channel);
    },
  };
}
