import { setTimeout } from "node:timers/promises";
import { PermissionFlagsBits } from "discord-api-types/v10";
import type { Audience, FlowPort } from "../agent/ports.ts";
import { AppError } from "../errors.ts";
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
  /** Between tries to find out what Discord does not say just now, milliseconds. */
  readonly retryMs?: readonly number[];
}

/** A restart of Discord's edge is over by then; a person waits for this at most. */
const patience: readonly number[] = [250, 500, 1000, 2000, 4000];

/**
 * Says which sources not everybody of an audience can read. Channels are compared over their roles and overwrites, on
 * the safe side; what cannot be established counts as restricted, once it has been tried for a while: nobody should be
 * asked about an answer, or have it withheld, for a fault that passes.
 */
export function createFlow({ facts, policies, now, retryMs = patience }: FlowDeps): FlowPort {
  return {
    policy: (guildId) => policies.of(guildId).privateAnswers,
    async restricted(audience, sources, signal) {
      const far = [...new Set(sources)].filter((source) => !isPlainlyOpen(audience, source));
      if (far.length === 0) return [];
      const trustsMfa = (guildId: string) => policies.of(guildId).moderatorsUse2fa;
      const found = new Map<string, Readable>();
      for (const delayMs of [...retryMs, null]) {
        const standings = createStandings({ facts, now, signal, trustsMfa });
        const open = far.filter((source) => !isEstablished(found.get(source)));
        await Promise.all(
          open.map(async (one) => void found.set(one, await isOpen(audience, one, standings))),
        );
        signal.throwIfAborted();
        if (delayMs === null || far.every((source) => isEstablished(found.get(source)))) break;
        await setTimeout(delayMs, undefined, { signal, ref: false }).catch(() => signal.throwIfAborted());
      }
      return far.filter((source) => found.get(source) !== "yes");
    },
  };
}

/** `unknown`: Discord did not say. */
type Readable = "yes" | "no" | "unknown";

const isEstablished = (readable: Readable | undefined): boolean => readable === "yes" || readable === "no";

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

async function isOpen(audience: Audience, text: string, standings: Standings): Promise<Readable> {
  const source = readSource(text);
  if (source === null || source.kind === "self") return "no";
  if (source.kind === "user") return "yes";
  try {
    const isSeen =
      audience.kind === "user"
        ? await maySee(audience, source, standings)
        : await allMaySee(audience, source, standings);
    return isSeen ? "yes" : "no";
  } catch (error) {
    return isPassing(error) ? "unknown" : "no";
  }
}

/** Whether the same question may well be answered in a moment. */
const isPassing = (error: unknown): boolean =>
  error instanceof AppError && (error.code === "discord_unavailable" || error.code === "rate_limited");

async function maySee(
  { userId, isAsker = false }: Extract<Audience, { readonly kind: "user" }>,
  source: Exclude<Source, { readonly kind: "user" | "self" }>,
  standings: Standings,
): Promise<boolean> {
  if (source.kind === "guild") {
    const standing = await standings.inGuild(userId, source.guildId);
    return standing !== null && (standing.bits & source.permissions) === source.permissions;
  }
  const channel = await channelOf(source.channelId, standings);
  const standing = channel === null ? null : await standings.inFacts(userId, channel.guildId, channel);
  const needed = isAsker ? ViewChannel : reading;
  return standing !== null && (standing.bits & needed) === needed;
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
