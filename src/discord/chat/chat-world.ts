import type { API } from "@discordjs/core";
import { ChannelType, PermissionFlagsBits } from "discord-api-types/v10";
import type { Config } from "../../config.ts";
import { AppError } from "../../errors.ts";
import { readableByAllMembers } from "../../permissions/audience.ts";
import type { ChannelFacts } from "../../permissions/facts.ts";
import type { Outbox } from "../ports.ts";
import { isMessage } from "../promised-shapes.ts";
import { ask } from "../rest/errors.ts";
import type { Facts } from "../state/facts.ts";
import type { GuildState } from "../state/guild-state.ts";
import type { ChatWorld, Place } from "./chat.ts";
import { type Incoming, readReplied } from "./incoming.ts";
import type { Names } from "./readable.ts";

export interface ChatWorldDeps {
  readonly config: Config["discord"];
  readonly state: GuildState;
  readonly facts: Facts;
  readonly api: API;
  readonly outbox: Pick<Outbox, "isOurs">;
}

/** Reading what a decision needs may take so long; a person waits. */
const lookupMs = 10_000;

/**
 * Finds out what deciding about a message needs: names, the place, what it replies to, the author's roles. Throws
 * AppError when the answer depends on what Discord does not tell just now.
 */
export async function surroundings(
  message: Incoming,
  deps: ChatWorldDeps,
): Promise<{ readonly message: Incoming; readonly world: ChatWorld }> {
  const { config, facts } = deps;
  const signal = AbortSignal.timeout(lookupMs);
  const botUserId = await facts.botUserId();
  await loadGuild(message, deps, signal);
  const repliesToUs = await isReplyToUs(message, botUserId, deps);
  const replied = message.replied ?? (await readRepliedTo(message, deps, signal));
  const listsRoles = config.allow.roleIds.length > 0 && message.memberRoleIds === null;
  const memberRoleIds =
    listsRoles && message.guildId !== null
      ? (await facts.member(message.guildId, message.authorId, signal)).roleIds
      : message.memberRoleIds;
  const world: ChatWorld = {
    botUserId,
    botRoleId: message.guildId === null ? null : deps.state.botRoleId(message.guildId),
    prefix: config.prefix,
    allow: config.allow,
    place: await place(message, deps, signal),
    repliesToUs,
    names: namesOf(message, deps.state),
    mark: crypto.randomUUID().slice(0, 8),
  };
  return { message: { ...message, replied, memberRoleIds }, world };
}

/**
 * Names of roles and channels of a guild, as far as the state has them. Anybody can mention any channel by its id: one
 * that not every member can see is called by its name in itself alone, and by its mention elsewhere.
 */
export function namesOf(at: Pick<Incoming, "guildId" | "channelId">, state: GuildState): Names {
  const guild = at.guildId === null ? null : state.guild(at.guildId);
  return {
    role: (roleId) => guild?.roles.get(roleId)?.name ?? null,
    channel(channelId) {
      const channel = state.channel(channelId);
      if (guild === null || channel === null) return null;
      const parent = channel.parentId === null ? null : state.channel(channel.parentId);
      const isOpen =
        channelId === at.channelId ||
        readableByAllMembers(guild, channel, parent, PermissionFlagsBits.ViewChannel);
      return isOpen ? channel.name : null;
    },
  };
}

async function loadGuild({ guildId, mentionedRoleIds }: Incoming, deps: ChatWorldDeps, signal: AbortSignal) {
  if (guildId === null || deps.state.guild(guildId) !== null) return;
  try {
    await deps.facts.load(guildId, signal);
  } catch (error) {
    const { channelIds, categoryIds } = deps.config.allow;
    const matters = mentionedRoleIds.length + channelIds.length + categoryIds.length > 0;
    if (matters || !(error instanceof AppError)) throw error;
  }
}

async function isReplyToUs(
  { replied, replyTo }: Incoming,
  botUserId: string,
  { outbox }: ChatWorldDeps,
): Promise<boolean> {
  if (replied !== null) return replied.authorId === botUserId;
  return replyTo !== null && (await outbox.isOurs(replyTo.messageId));
}

async function readRepliedTo({ replyTo }: Incoming, { api }: ChatWorldDeps, signal: AbortSignal) {
  if (replyTo === null) return null;
  try {
    const read = await ask(
      signal,
      "message",
      (s) => api.channels.getMessage(replyTo.channelId, replyTo.messageId, { signal: s }),
      isMessage,
    );
    return readReplied(read);
  } catch {
    // Deleted, or not to be had now: it is context, and the question stands without it.
    return null;
  }
}

const threads: readonly number[] = [
  ChannelType.AnnouncementThread,
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
];

async function place(
  { channelId, guildId }: Incoming,
  deps: ChatWorldDeps,
  signal: AbortSignal,
): Promise<Place> {
  if (guildId === null)
    return { guildName: null, channelName: null, listedChannelId: channelId, categoryId: null };
  const channel = await findChannel(channelId, deps, signal);
  const guildName = deps.state.guild(guildId)?.name ?? null;
  if (channel === null) return { guildName, channelName: null, listedChannelId: channelId, categoryId: null };
  const isThread = threads.includes(channel.type) && channel.parentId !== null;
  const listed = isThread ? await findChannel(channel.parentId ?? "", deps, signal) : channel;
  return {
    guildName,
    channelName: channel.name,
    listedChannelId: listed?.id ?? channel.parentId ?? channelId,
    categoryId: listed?.parentId ?? null,
  };
}

async function findChannel(
  channelId: string,
  { state, facts, config }: ChatWorldDeps,
  signal: AbortSignal,
): Promise<ChannelFacts | null> {
  const known = state.channel(channelId);
  if (known !== null) return known;
  try {
    return await facts.channel(channelId, signal);
  } catch (error) {
    const { channelIds, categoryIds } = config.allow;
    if (channelIds.length + categoryIds.length > 0 || !(error instanceof AppError)) throw error;
    return null;
  }
}
