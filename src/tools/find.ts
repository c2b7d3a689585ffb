import { type Actor, nowhere } from "../actor.ts";
import { AppError } from "../errors.ts";
import { isThread } from "../permissions/compute.ts";
import type { ChannelFacts } from "../permissions/facts.ts";
import { type Authority, plain } from "./authority.ts";
import { channelKind } from "./channels/kinds.ts";
import type { DiscordReader } from "./discord-port.ts";
import { findMessage, findMessages } from "./find-messages.ts";
import { findMember, findUser } from "./find-people.ts";
import { channelNamed, idIn, missing, roleNamed } from "./names.ts";
import { assertNeeds } from "./needs.ts";
import type { Standings } from "./standings.ts";
import type {
  ChannelPlace,
  ChannelSpec,
  Given,
  GuildPlace,
  GuildSpec,
  MessageSpec,
  MessagesSpec,
  Place,
  RolePlace,
  RoleSpec,
  TargetSpec,
  TargetSpecs,
} from "./targets.ts";

export interface Finding {
  readonly actor: Actor;
  readonly standings: Standings;
  readonly authority: Authority;
  readonly discord: DiscordReader;
  /** When a tool last posted there for them: see `SentMessages`. */
  readonly lastAt: (channelId: string, userId: string) => Promise<number | null>;
  /** For whom the bot posted a message, if for anybody. */
  readonly postedFor: (messageId: string) => Promise<string | null>;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Hears of each target before it is decided about, such as "channel:1", for the audit log. */
  readonly onTarget: (target: string) => void;
  /** Called before a channel is looked up that the state does not show to them. Throws AppError `rate_limited`. */
  readonly onLookup: () => Promise<void>;
  /** Hears of each place that was found, since a refusal may name it. */
  readonly onPlace: (place: Place) => void;
  /** Hears of each channel that a refusal names besides. */
  readonly onNamed: (channelId: string) => void;
}

/**
 * Finds what the arguments name, in the order of the tool's targets, and makes sure that the actor and the bot may do
 * there what is needed. Throws AppError: `not_found` for what the actor cannot see, the same as for what does not
 * exist; `permission_denied` naming what is missing; `invalid_arguments` for ambiguous names and the wrong kind.
 */
export async function find(
  specs: TargetSpecs,
  given: Given,
  finding: Finding,
): Promise<Readonly<Record<string, Place | null>>> {
  const places: Record<string, Place | null> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const place = await findOne(spec, given, places, finding);
    places[name] = place;
    if (place === null) continue;
    finding.onPlace(place);
    await assertNeeds(spec, place, given, finding);
  }
  return places;
}

function findOne(
  spec: TargetSpec,
  given: Given,
  places: Readonly<Record<string, Place | null>>,
  finding: Finding,
): Promise<Place | null> {
  const said = spec.argument === null ? undefined : given[spec.argument];
  switch (spec.kind) {
    case "channel":
      return findChannel(spec, said, finding);
    case "message":
    case "messages": {
      const channel = places[spec.in];
      if (channel?.kind !== "channel") throw new Error("A message's channel is stated before it.");
      return ofChannel(spec, said, channel, finding);
    }
    case "member":
      return findMember(spec, said, finding);
    case "user":
      return findUser(spec, said, finding);
    case "role":
      return findRole(spec, said, finding);
    case "guild":
      return findGuild(spec, said, finding);
    default:
      return spec satisfies never;
  }
}

async function findChannel(spec: ChannelSpec, said: unknown, finding: Finding): Promise<ChannelPlace | null> {
  const { actor, onTarget } = finding;
  if (said === undefined && spec.absent === "none") return null;
  if (said === undefined && (spec.absent === "error" || actor.channelId === nowhere))
    throw missing(spec.argument);
  const channelId =
    typeof said === "string"
      ? (idIn("channel", said) ?? (await channelNamed(said, finding)))
      : actor.channelId;
  onTarget(`channel:${channelId}`);
  const place = await seenChannel(channelId, finding);
  if (spec.types !== undefined && !spec.types.some((type) => type === place.facts.type)) {
    finding.onPlace(place);
    const wanted = [...new Set(spec.types.map(channelKind))].join(", ").replaceAll("_", " ");
    throw new AppError(
      "invalid_arguments",
      `${place.actor.place} is a channel of the kind ${channelKind(place.facts.type).replaceAll("_", " ")}; this works for: ${wanted}.`,
      { data: { path: spec.argument ?? "", problem: `must be of the kind ${wanted}` } },
    );
  }
  return place;
}

/**
 * A channel that the actor and the bot can see. What cannot be decided from the gateway's state is looked up by the
 * same requests whether it is hidden, in another server or nowhere, so that neither words nor time tell which.
 */
async function seenChannel(
  channelId: string,
  { actor, standings, onLookup }: Finding,
): Promise<ChannelPlace> {
  const { guildId } = actor;
  const viewerId = actor.kind === "bot" ? await standings.botUserId() : actor.userId;
  const hidden = new AppError(
    "not_found",
    `There is no channel with the id ${channelId} that can be seen from here.`,
  );
  // After a resume the state is empty until the server is asked for.
  if (guildId !== null) await standings.guild(guildId);
  const known = standings.known(channelId);
  let facts: ChannelFacts | null = known?.guildId === guildId ? known : null;
  let standing = facts === null ? null : await standings.inFacts(viewerId, guildId, facts, false);
  if (facts === null || standing === null || !standings.sees(standing)) {
    // In a direct message there is nothing to be found but itself.
    if (guildId === null && channelId !== actor.channelId) throw hidden;
    await onLookup();
    const [located] = await Promise.all([
      standings.locate(channelId, viewerId),
      ...(guildId === null
        ? []
        : [standings.guild(guildId), standings.member(guildId, viewerId), standings.channels(guildId)]),
    ]);
    facts = located?.channel ?? null;
    standing =
      located === null
        ? null
        : await standings.inFacts(viewerId, guildId, located.channel, located.isThreadMember);
  }
  if (facts === null || standing === null || !standings.sees(standing)) throw hidden;
  const bot =
    actor.kind === "bot" ? standing : await standings.inFacts(await standings.botUserId(), guildId, facts);
  if (bot === null || !standings.sees(bot)) throw hidden;
  const parent = isThread(facts) && facts.parentId !== null ? await standings.channel(facts.parentId) : null;
  return { kind: "channel", facts, parent, actor: standing, bot };
}

async function ofChannel(
  spec: MessageSpec | MessagesSpec,
  said: unknown,
  channel: ChannelPlace,
  finding: Finding,
): Promise<Place | null> {
  if (spec.kind === "messages") return findMessages(said, channel, finding);
  if (said === undefined && spec.absent === "none") return null;
  if (typeof said !== "string") throw missing(spec.argument);
  return findMessage(said, channel, finding);
}

async function findRole(spec: RoleSpec, said: unknown, finding: Finding): Promise<RolePlace | null> {
  if (said === undefined && spec.absent === "none") return null;
  if (typeof said !== "string") throw missing(spec.argument);
  const guild = await finding.authority.guild();
  const id = idIn("role", said);
  const role = id === null ? roleNamed(said, guild) : guild.roles.get(id);
  finding.onTarget(`role:${role?.id ?? id ?? "?"}`);
  if (role === undefined)
    throw new AppError("not_found", `There is no role ${plain(said)} in ${plain(guild.name)}.`);
  if (spec.isBelow) await finding.authority.assertAboveRole(role);
  return { kind: "role", guildId: guild.id, facts: role };
}

async function findGuild(spec: GuildSpec, said: unknown, finding: Finding): Promise<GuildPlace | null> {
  const { guildId } = finding.actor;
  if (guildId === null && said === undefined && spec.absent === "none") return null;
  finding.onTarget(`guild:${typeof said === "string" ? said : guildId}`);
  if (typeof said === "string" && said !== guildId)
    throw new AppError(
      "not_found",
      `There is no server with the id ${plain(said)} that can be seen from here.`,
    );
  const facts = await finding.authority.guild();
  return { kind: "guild", facts, ...(await finding.authority.inGuild()) };
}
