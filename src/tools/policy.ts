import type { Actor } from "../actor.ts";
import type { ToolPolicy } from "../config/tool-policy.ts";
import { AppError } from "../errors.ts";
import { families, type Tool } from "./tool.ts";

export interface Policies {
  /** Null: direct messages. */
  of(guildId: string | null): ToolPolicy;
}

export function createPolicies(
  base: ToolPolicy,
  guilds: Readonly<Record<string, Partial<ToolPolicy>>> = {},
): Policies {
  const merged = new Map(Object.entries(guilds).map(([id, own]) => [id, { ...base, ...own }]));
  return { of: (guildId) => (guildId === null ? base : (merged.get(guildId) ?? base)) };
}

/** `here`: in the channel alone that the person speaks in. */
export type Switched = "off" | "here" | "on";

export function switched(tool: Tool, policy: ToolPolicy): Switched {
  return looked.get(policy)?.get(tool) ?? remember(tool, policy);
}

function remember(tool: Tool, policy: ToolPolicy): Switched {
  const known = looked.get(policy) ?? new Map<Tool, Switched>();
  looked.set(policy, known);
  const found = lookUp(tool, policy);
  known.set(tool, found);
  return found;
}

/** Policies do not change, and it is asked at every call. */
const looked = new WeakMap<ToolPolicy, Map<Tool, Switched>>();

function lookUp(tool: Tool, { tools }: ToolPolicy): Switched {
  const words = ["all", tool.kind, tool.family, `${tool.family}:${tool.kind}`, tool.name];
  if (words.some((word) => tools.includes(word))) return "on";
  // The person's own memories are nobody else's business, and no part of the server.
  if (tool.family === "memory") return "on";
  return isReply(tool) && tools.includes("reply") ? "here" : "off";
}

/** What answers or reacts where the person speaks: there it asks no more than the answer itself does. */
export function isReply(tool: Tool): boolean {
  return tool.kind !== "read" && tool.asks === "elsewhere";
}

export function mustAsk(
  tool: Tool,
  policy: ToolPolicy,
  actor: Actor,
  channelIds: readonly string[],
): boolean {
  if (tool.kind === "read" || tool.asks === "never") return false;
  if (tool.kind === "destroy" || tool.asks === "always") return true;
  if (isReply(tool) && channelIds.every((id) => id === actor.channelId)) return false;
  return policy.writes === "ask";
}

/** Throws AppError `invalid_data` for a word of a policy that switches nothing on: a name that was misspelt, say. */
export function assertKnownWords(policies: readonly Partial<ToolPolicy>[], tools: readonly Tool[]): void {
  const kinds = ["read", "write", "destroy"];
  const known = new Set([
    ...["all", "none", "reply", ...kinds, ...families],
    ...families.flatMap((family) => kinds.map((kind) => `${family}:${kind}`)),
    ...tools.map(({ name }) => name),
  ]);
  const stranger = policies.flatMap((policy) => policy.tools ?? []).find((word) => !known.has(word));
  if (stranger === undefined) return;
  throw new AppError(
    "invalid_data",
    `TOOLS or GUILD_POLICIES names "${stranger}", which is no kind (${kinds.join(", ")}), no family (${families.join(", ")}) and no tool; docs/tools.md lists them.`,
  );
}
