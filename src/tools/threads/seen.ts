import { type APIThreadChannel, ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import { readableByAllMembers } from "../../permissions/audience.ts";
import { channelFacts } from "../channel-facts.ts";
import { fromChannel, fromGuild } from "../sources.ts";
import type { ReadContext } from "../tool.ts";

/** How many hidden threads are looked at for one answer: each costs a request, and the bot has 30 in a second for all. */
const maxHidden = 40;
/** At a time. */
const together = 10;

/**
 * The first so many of those that the actor and the bot can see; private ones for their members and moderators. Once
 * too many were hidden, the other private ones are passed over, and nothing says so: who cannot see them is not to
 * learn how many there are.
 */
export async function seenThreads(
  all: readonly APIThreadChannel[],
  guildId: string,
  wanted: number,
  { authority }: Pick<ReadContext, "authority">,
): Promise<readonly APIThreadChannel[]> {
  const parents = new Set((await authority.visibleChannels()).map(({ id }) => id));
  const inSight = all.filter(({ parent_id: parent }) => parent != null && parents.has(parent));
  const seen: APIThreadChannel[] = [];
  let hidden = 0;
  for (let at = 0; at < inSight.length && seen.length < wanted; at += together) {
    const some = inSight
      .slice(at, at + together)
      .filter(({ type }) => hidden < maxHidden || type !== ChannelType.PrivateThread);
    const standings = await Promise.all(
      some.map((thread) => authority.inChannel(channelFacts(thread, guildId))),
    );
    const shown = some.filter((_, index) => standings[index] != null);
    hidden += some.length - shown.length;
    seen.push(...shown);
  }
  return seen.slice(0, wanted);
}

/** Who might have read of these threads: those of private ones, and of channels that not all members see. */
export async function threadSources(
  threads: readonly APIThreadChannel[],
  { authority }: Pick<ReadContext, "authority">,
): Promise<readonly string[]> {
  const guild = await authority.guild();
  const channels = new Map((await authority.visibleChannels()).map((channel) => [channel.id, channel]));
  const open = new Map<string, boolean>();
  const isOpen = (id: string): boolean => {
    const channel = channels.get(id);
    const known =
      open.get(id) ??
      (channel !== undefined && readableByAllMembers(guild, channel, null, PermissionFlagsBits.ViewChannel));
    open.set(id, known);
    return known;
  };
  const restricted = threads.flatMap(({ id, type, parent_id: parent }) => {
    if (type === ChannelType.PrivateThread || parent == null) return [fromChannel(id)];
    return isOpen(parent) ? [] : [fromChannel(parent)];
  });
  return [fromGuild(guild.id), ...new Set(restricted)];
}
