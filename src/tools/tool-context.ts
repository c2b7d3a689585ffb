import type { APIChannel } from "discord-api-types/v10";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import type { UnderWay } from "./deadline.ts";
import type { DiscordReader } from "./discord-port.ts";
import { channelFacts, type Standing, type Standings } from "./facts.ts";
import type { ToolContext } from "./tool.ts";

/**
 * What a tool runs with: on behalf of the actor, with the facts that its call was authorised by. Whatever costs
 * something is made when the tool takes it.
 */
export class CallContext implements ToolContext {
  readonly actor: Actor;
  readonly discord: DiscordReader;
  readonly now: () => number;
  readonly #standings: () => Standings;
  readonly #call: UnderWay;

  constructor(
    actor: Actor,
    standings: () => Standings,
    call: UnderWay,
    { discord, now }: Pick<ToolContext, "discord" | "now">,
  ) {
    this.actor = actor;
    this.discord = discord;
    this.now = now;
    this.#standings = standings;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get canSee(): ToolContext["canSee"] {
    const { userId, guildId } = this.actor;
    const standings = this.#standings();
    return async (channelId) => {
      try {
        return seen(await standings.inChannel(userId, guildId, channelId));
      } catch {
        // Not established is not seen. A failure that matters meets the tool in its own requests too.
        return false;
      }
    };
  }

  get visible(): ToolContext["visible"] {
    const standings = this.#standings();
    return (channels) => visible(channels, this.actor, standings);
  }
}

async function visible(
  channels: readonly APIChannel[],
  { userId, guildId }: Actor,
  standings: Standings,
): Promise<readonly APIChannel[]> {
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
}

function seen(standing: Standing | null): boolean {
  return standing !== null && (standing.bits & PermissionFlagsBits.ViewChannel) !== 0n;
}
