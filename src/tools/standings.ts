import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import type { Actor } from "../actor.ts";
import { toAppError } from "../errors.ts";
import {
  channelPermissions,
  directMessagePermissions,
  guildPermissions,
  isThread,
} from "../permissions/compute.ts";
import type { ChannelFacts, GuildFacts, MemberFacts } from "../permissions/facts.ts";
import { needsMfa } from "../permissions/moderation.ts";
import { plain } from "./authority.ts";
import type { Located, PermissionFactsPort } from "./discord-port.ts";
import type { Standing } from "./targets.ts";

/** Answers for one call: each fact is asked for once, so that all decisions of a call rest on the same ones. */
export interface Standings {
  botUserId(): Promise<string>;
  guild(guildId: string): Promise<GuildFacts | null>;
  member(guildId: string, userId: string): Promise<MemberFacts | null>;
  isThreadMember(threadId: string, userId: string): Promise<boolean>;
  /** A channel that is known to be there, such as the parent of a thread. */
  channel(channelId: string): Promise<ChannelFacts | null>;
  /** The channels of a guild, threads apart. */
  channels(guildId: string): Promise<readonly ChannelFacts[]>;
  /** At once, from trusted state alone. */
  known(channelId: string): ChannelFacts | null;
  locate(channelId: string, userId: string): Promise<Located | null>;
  /** Null when the user is no member there, or it is no channel of that guild (null: no direct message of theirs). */
  inFacts(
    userId: string,
    guildId: string | null,
    channel: ChannelFacts,
    isThreadMember?: boolean,
  ): Promise<Standing | null>;
  inGuild(userId: string, guildId: string): Promise<Standing | null>;
  visibleChannels(actor: Actor, guildId: string): Promise<readonly ChannelFacts[]>;
  sees(standing: Standing): boolean;
  nameOf(userId: string, name: string | undefined): string;
}

export interface StandingsDeps {
  readonly facts: PermissionFactsPort;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** An operator vouches that whoever moderates in that server uses two-factor authentication. */
  readonly trustsMfa: (guildId: string) => boolean;
}

export function createStandings({ facts, now, signal, trustsMfa }: StandingsDeps): Standings {
  const guild = once((id: string) => facts.guild(id, signal));
  const channel = once((id: string) => facts.channel(id, signal));
  const channels = once((guildId: string) => facts.channels(guildId, signal));
  const member = once((guildId: string, userId: string) => facts.member(guildId, userId, signal));
  const inThread = once((threadId: string, userId: string) => facts.isThreadMember(threadId, userId, signal));
  const locate = once((id: string, userId: string) => facts.locate(id, userId, signal));
  const botUserIdOnce = once(() => facts.botUserId());
  const botUserId = async () => (await botUserIdOnce()) ?? "";

  const nameOf = (userId: string, name: string | undefined) =>
    name === undefined ? `<@${userId}>` : `@${plain(name)}`;

  async function whoIs(userId: string, name: string | undefined): Promise<string> {
    return userId === (await botUserId()) ? "The bot" : nameOf(userId, name);
  }

  // Among the channels that are asked for anyway: a request of its own would tell a hidden thread from none by its time.
  async function parentOf({ parentId }: ChannelFacts, guildId: string): Promise<ChannelFacts | null> {
    if (parentId === null) return null;
    const known = facts.knownChannel(parentId);
    return known ?? (await channels(guildId))?.find(({ id }) => id === parentId) ?? null;
  }

  /** What does not count for somebody there. Of the bot Discord makes sure itself, by its owner. */
  const uncertainOf = async ({ id, requiresMfa }: GuildFacts, userId: string): Promise<bigint> =>
    !requiresMfa || trustsMfa(id) || userId === (await botUserId()) ? 0n : needsMfa;

  const inFacts: Standings["inFacts"] = async (userId, guildId, channelFacts, isThreadMember) => {
    if (channelFacts.guildId !== guildId) return null;
    if (guildId === null) {
      const bits = directMessagePermissions(channelFacts, userId, await botUserId());
      if (bits === 0n) return null;
      return { bits, withheld: 0n, who: await whoIs(userId, undefined), place: "this direct message" };
    }
    const [ofGuild, ofMember] = await Promise.all([guild(guildId), member(guildId, userId)]);
    if (ofGuild === null || ofMember === null) return null;
    const ofThread = isThread(channelFacts);
    const parent = ofThread ? await parentOf(channelFacts, guildId) : null;
    const question = { guild: ofGuild, member: ofMember, channel: channelFacts, parent, now: now() };
    const uncertain = await uncertainOf(ofGuild, userId);
    const entersByPower = channelFacts.type !== ChannelType.PrivateThread || uncertain === 0n;
    let bits =
      isThreadMember || entersByPower
        ? channelPermissions({ ...question, isThreadMember: isThreadMember ?? false })
        : 0n;
    // Asked only where it decides: of a private thread, for who is no moderator.
    if (bits === 0n && ofThread && isThreadMember === undefined && (await inThread(channelFacts.id, userId)))
      bits = channelPermissions({ ...question, isThreadMember: true });
    const who = await whoIs(userId, ofMember.name);
    return { ...counted(bits, uncertain), who, place: `#${plain(channelFacts.name)}` };
  };

  return {
    botUserId,
    guild,
    member,
    isThreadMember: async (threadId, userId) => (await inThread(threadId, userId)) ?? false,
    channel,
    channels: async (guildId) => (await channels(guildId)) ?? [],
    known: (channelId) => facts.knownChannel(channelId),
    locate,
    inFacts,
    async inGuild(userId, guildId) {
      const [ofGuild, ofMember] = await Promise.all([guild(guildId), member(guildId, userId)]);
      if (ofGuild === null || ofMember === null) return null;
      const bits = guildPermissions(ofGuild, ofMember, now());
      const uncertain = await uncertainOf(ofGuild, userId);
      const who = await whoIs(userId, ofMember.name);
      return { ...counted(bits, uncertain), who, place: plain(ofGuild.name) };
    },
    async visibleChannels({ kind, userId }, guildId) {
      const viewer = kind === "bot" ? await botUserId() : userId;
      const [ofGuild, ofMember, all] = await Promise.all([
        guild(guildId),
        member(guildId, viewer),
        channels(guildId),
      ]);
      if (ofGuild === null || ofMember === null || all === null) return [];
      const question = { guild: ofGuild, member: ofMember, parent: null, isThreadMember: false, now: now() };
      return all.filter(
        (one) => (channelPermissions({ ...question, channel: one }) & PermissionFlagsBits.ViewChannel) !== 0n,
      );
    },
    sees: ({ bits }) => (bits & PermissionFlagsBits.ViewChannel) !== 0n,
    nameOf,
  };
}

const counted = (bits: bigint, uncertain: bigint) => ({
  bits: bits & ~uncertain,
  withheld: bits & uncertain,
});

/** Null for what Discord does not know or does not show to the bot; other failures are thrown: nothing is established then. */
function once<Ids extends readonly string[], Fact>(ask: (...ids: Ids) => Promise<Fact>) {
  const asked = new Map<string, Promise<Fact | null>>();
  return (...ids: Ids): Promise<Fact | null> => {
    const key = ids.join(" ");
    const found = asked.get(key) ?? ask(...ids).catch(nullWhenHidden);
    asked.set(key, found);
    return found;
  };
}

function nullWhenHidden(error: unknown): null {
  const { code } = toAppError(error);
  if (code === "not_found" || code === "permission_denied") return null;
  throw error;
}
