import type { APIMessage } from "discord-api-types/v10";
import { type Actor, nowhere } from "../actor.ts";
import type { Question } from "../agent/approvals.ts";
import type { FlowPort } from "../agent/ports.ts";
import { oneLine } from "./authority.ts";
import { fromChannel, fromGuild } from "./sources.ts";
import type { Given, Place } from "./targets.ts";
import type { Tool } from "./tool.ts";

const maxQuestion = 1500;

export interface Asked {
  readonly tool: Exclude<Tool, { readonly kind: "read" }>;
  readonly given: Given;
  readonly places: Readonly<Record<string, Place | null>>;
  readonly actor: Actor;
  /** What the turn has read so far. */
  readonly sources: readonly string[];
  /** Those of them that not everybody can read where the tool writes. */
  readonly escaping: readonly string[];
}

/** What the person is asked, and by what the yes is recognised. */
export async function questionFor(asked: Asked, flow: FlowPort, signal: AbortSignal): Promise<Question> {
  const { tool, given, places, actor, sources, escaping } = asked;
  const leak =
    escaping.length === 0
      ? ""
      : " Note: I have read things for you that not everybody there can see, and what I write may rest on them.";
  const asks = tool.question(given, places).slice(0, maxQuestion - leak.length);
  const text = `${asks.toWellFormed()}${leak}`;
  const restricted =
    actor.guildId === null || actor.channelId === nowhere
      ? []
      : await flow.restricted(
          { kind: "channel", guildId: actor.guildId, channelId: actor.channelId },
          [...sources, ...placesSources(places)],
          signal,
        );
  const publicText =
    restricted.length === 0
      ? null
      : `May I go on with "${tool.title}"? It concerns a place that not everybody here can see.`;
  return { text, publicText, fingerprint: fingerprint(tool.name, given, places, escaping) };
}

/** What is known of the places that a call is about comes from there. */
export function placesSources(places: Readonly<Record<string, Place | null>>): readonly string[] {
  return Object.values(places).flatMap((place): readonly string[] => {
    switch (place?.kind) {
      case undefined:
      case "user":
        return [];
      case "channel":
        return [fromChannel(place.facts.id)];
      case "message":
      case "messages":
        return [fromChannel(place.channel.facts.id)];
      case "member":
      case "role":
        return [fromGuild(place.guildId)];
      case "guild":
        return [fromGuild(place.facts.id)];
      default:
        return place satisfies never;
    }
  });
}

/**
 * Of the call and of the state of what it is about: when a message is edited, a role renamed or a member given a role
 * between the question and the yes, the yes was to something else.
 */
function fingerprint(
  toolName: string,
  given: Given,
  places: Readonly<Record<string, Place | null>>,
  escaping: readonly string[],
): string {
  const parts = [
    toolName,
    given,
    Object.entries(places).map(([name, place]) => [name, stateOf(place)]),
    [...escaping].sort(),
  ];
  return new Bun.CryptoHasher("sha256").update(canonical(parts)).digest("base64url");
}

function stateOf(place: Place | null): unknown {
  switch (place?.kind) {
    case undefined:
      return null;
    case "channel": {
      const { id, name, type, parentId, overwrites, thread } = place.facts;
      return [id, name, type, parentId, overwrites, thread];
    }
    case "message":
      return stateOfMessage(place.message);
    case "messages":
      return place.messages.map(stateOfMessage);
    case "member":
      return [place.facts.userId, place.name, place.facts.roleIds, place.facts.timedOutUntil];
    case "user":
      return [place.user.id, place.user.username, place.name, place.member?.roleIds ?? null];
    case "role": {
      const { id, name, permissions, position } = place.facts;
      return [id, name, permissions, position];
    }
    case "guild":
      return place.facts.id;
    default:
      return place satisfies never;
  }
}

const stateOfMessage = ({ id, content, author, attachments }: APIMessage): unknown => [
  id,
  content,
  author.id,
  attachments.map((attachment) => attachment.id),
];

/** JSON with the keys in order, and bits as text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "bigint") return String(inner);
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Other people's words in a question: one short line in quotes that they cannot end, and how much more there is. */
export function excerpt(text: string, length = 120): string {
  const line = oneLine(text)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[“”„‟]/g, '"');
  const more = line.length - length;
  if (more <= 0) return `“${line.toWellFormed()}”`;
  const characters = more === 1 ? "character" : "characters";
  return `“${line.slice(0, length).toWellFormed()}…” (and ${more} more ${characters})`;
}

/** What is to be said for them: more of it, as far as the question stays short when Discord's marks are escaped in it. */
export const saying = (text: string): string => excerpt(text, 400);
