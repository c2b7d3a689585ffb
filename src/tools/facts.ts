import { type APIChannel, OverwriteType } from "discord-api-types/v10";
import { toAppError } from "../errors.ts";
import {
  channelPermissions,
  directMessagePermissions,
  guildPermissions,
  isThread,
} from "../permissions/compute.ts";
import type { ChannelFacts } from "../permissions/facts.ts";
import type { PermissionFactsPort } from "./discord-port.ts";

/** What a user may do there, with the names that a refusal needs. */
export interface Standing {
  readonly bits: bigint;
  readonly userName: string;
  /** "#general", or the guild's name. */
  readonly placeName: string;
}

/** Answers for one call: each fact is asked for once, so that all decisions of a call rest on the same ones. */
export interface Standings {
  botUserId(): Promise<string>;
  /** Null when there is no such channel in that guild (null: no such direct message), or the user is no member there. */
  inChannel(userId: string, guildId: string | null, channelId: string): Promise<Standing | null>;
  /** The same for a channel whose facts are known; threads are not answered for. */
  inKnownChannel(userId: string, guildId: string, channel: ChannelFacts): Promise<Standing | null>;
  inGuild(userId: string, guildId: string): Promise<Standing | null>;
}

export function createStandings(
  facts: PermissionFactsPort,
  now: () => number,
  signal: AbortSignal,
): Standings {
  const guildOf = once((id: string) => facts.guild(id, signal));
  const channelOf = once((id: string) => facts.channel(id, signal));
  const memberOf = once((guildId: string, userId: string) => facts.member(guildId, userId, signal));
  const inThread = once((threadId: string, userId: string) => facts.isThreadMember(threadId, userId, signal));
  const botUserIdOnce = once(() => facts.botUserId());
  const botUserId = async () => (await botUserIdOnce()) ?? "";

  async function inGuildChannel(
    userId: string,
    guildId: string,
    channel: ChannelFacts,
  ): Promise<Standing | null> {
    const [guild, member] = await Promise.all([guildOf(guildId), memberOf(guildId, userId)]);
    if (guild === null || member === null || channel.guildId !== guildId) return null;
    const ofThread = isThread(channel);
    const parent = ofThread && channel.parentId !== null ? await channelOf(channel.parentId) : null;
    const isThreadMember = ofThread && (await inThread(channel.id, userId)) === true;
    const bits = channelPermissions({ guild, member, channel, parent, isThreadMember, now: now() });
    return { bits, userName: nameOf(userId, member.name), placeName: `#${plain(channel.name)}` };
  }

  return {
    botUserId,
    async inChannel(userId, guildId, channelId) {
      const channel = await channelOf(channelId);
      if (channel === null || channel.guildId !== guildId) return null;
      if (guildId !== null) return inGuildChannel(userId, guildId, channel);
      const bits = directMessagePermissions(channel, userId, await botUserId());
      return { bits, userName: nameOf(userId, undefined), placeName: "this direct message" };
    },
    inKnownChannel: async (userId, guildId, channel) =>
      isThread(channel) ? null : inGuildChannel(userId, guildId, channel),
    async inGuild(userId, guildId) {
      const [guild, member] = await Promise.all([guildOf(guildId), memberOf(guildId, userId)]);
      if (guild === null || member === null) return null;
      const bits = guildPermissions(guild, member, now());
      return { bits, userName: nameOf(userId, member.name), placeName: plain(guild.name) };
    },
  };
}

/** The facts of a channel as REST gives it in the list of its guild. */
export function channelFacts(channel: APIChannel, guildId: string): ChannelFacts {
  const overwrites = "permission_overwrites" in channel ? (channel.permission_overwrites ?? []) : [];
  return {
    id: channel.id,
    guildId,
    name: channel.name ?? "",
    type: channel.type,
    parentId: "parent_id" in channel ? (channel.parent_id ?? null) : null,
    overwrites: overwrites.map(({ id, type, allow, deny }) => ({
      id,
      type: type === OverwriteType.Role ? "role" : "member",
      allow: BigInt(allow),
      deny: BigInt(deny),
    })),
    recipientIds: [],
  };
}

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

function nameOf(userId: string, name: string | undefined): string {
  return name === undefined ? `<@${userId}>` : `@${plain(name)}`;
}

/** Names are other people's text: in a sentence of ours they stay one short line. */
function plain(name: string): string {
  return name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, 100);
}
