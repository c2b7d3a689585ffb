import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Audience, FlowPort } from "../agent/ports.ts";
import { isWithin, type Readers } from "../permissions/audience.ts";
import { isThread } from "../permissions/compute.ts";
import type { ChannelFacts } from "../permissions/facts.ts";
import type { PermissionFactsPort } from "./discord-port.ts";
import type { Policies } from "./policy.ts";
import { readSource, type Source } from "./sources.ts";
import { createStandings, type Standings } from "./standings.ts";

const { ViewChannel, ReadMessageHistory } = PermissionFlagsBits;
const reading = ViewChannel | ReadMessageHistory;

export interface FlowDeps {
  readonly facts: PermissionFactsPort;
  readonly policies: Policies;
  readonly now: () => number;
}

/**
 * Says which sources not everybody of an audience can read. Channels are compared over their roles and overwrites, on
 * the safe side; what cannot be established counts as restricted.
 */
export function createFlow({ facts, policies, now }: FlowDeps): FlowPort {
  return {
    policy: (guildId) => policies.of(guildId).privateAnswers,
    async restricted(audience, sources, signal) {
      const far = [...new Set(sources)].filter((source) => !isPlainlyOpen(audience, source));
      if (far.length === 0) return [];
      const trustsMfa = (guildId: string) => policies.of(guildId).moderatorsUse2fa;
      const standings = createStandings({ facts, now, signal, trustsMfa });
      const open = await Promise.all(far.map((source) => isOpen(audience, source, standings)));
      signal.throwIfAborted();
      return far.filter((_, index) => !open[index]);
    },
  };
}

/** What needs no facts: the place itself, its server as such, and what anybody may see. */
function isPlainlyOpen(audience: Audience, text: string): boolean {
  const source = readSource(text);
  switch (source?.kind) {
    case "user":
      return true;
    case "self":
      return audience.kind === "user" && audience.userId === source.userId;
    case "channel":
      return audience.kind === "channel" && audience.channelId === source.channelId;
    case "guild":
      if (audience.kind === "user" || audience.guildId !== source.guildId) return false;
      return (source.permissions & ~heldBy(audience)) === 0n;
    case undefined:
      return false;
    default:
      return source satisfies never;
  }
}

async function isOpen(audience: Audience, text: string, standings: Standings): Promise<boolean> {
  const source = readSource(text);
  if (source === null || source.kind === "self") return false;
  if (source.kind === "user") return true;
  try {
    return audience.kind === "user"
      ? await maySee(audience.userId, source, standings)
      : await allMaySee(audience, source, standings);
  } catch {
    return false;
  }
}

async function maySee(
  userId: string,
  source: Exclude<Source, { readonly kind: "user" | "self" }>,
  standings: Standings,
): Promise<boolean> {
  if (source.kind === "guild") {
    const standing = await standings.inGuild(userId, source.guildId);
    return standing !== null && (standing.bits & source.permissions) === source.permissions;
  }
  const channel = await channelOf(source.channelId, standings);
  const standing = channel === null ? null : await standings.inFacts(userId, channel.guildId, channel);
  return standing !== null && (standing.bits & reading) === reading;
}

async function allMaySee(
  audience: Exclude<Audience, { readonly kind: "user" }>,
  source: Exclude<Source, { readonly kind: "user" | "self" }>,
  standings: Standings,
): Promise<boolean> {
  const { guildId } = audience;
  if (guildId === null) return false;
  const guild = await standings.guild(guildId);
  const readers =
    audience.kind === "guild"
      ? { ...everybody, bits: heldBy(audience) }
      : await readersOf(audience.channelId, guildId, ViewChannel, standings);
  const ofSource =
    source.kind === "guild"
      ? source.guildId === guildId && { ...everybody, bits: source.permissions }
      : await readersOf(source.channelId, guildId, reading, standings);
  return guild !== null && readers !== null && ofSource ? isWithin(guild, readers, ofSource) : false;
}

/** What everybody of an audience holds in the server. */
const heldBy = (audience: Audience): bigint =>
  audience.kind === "guild" ? (audience.permissions ?? 0n) : 0n;

const everybody: Readers = { channel: null, parent: null, bits: 0n };

async function readersOf(
  channelId: string,
  guildId: string,
  bits: bigint,
  standings: Standings,
): Promise<Readers | null> {
  const channel = await channelOf(channelId, standings);
  if (channel === null || channel.guildId !== guildId) return null;
  const parent =
    isThread(channel) && channel.parentId !== null ? await channelOf(channel.parentId, standings) : null;
  return { channel, parent, bits };
}

const channelOf = async (id: string, standings: Standings): Promise<ChannelFacts | null> =>
  standings.known(id) ?? (await standings.channel(id));
