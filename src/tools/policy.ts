import type { Actor } from "../actor.ts";
import type { Tool } from "./tool.ts";

/** What an operator allows tools to do in a server; `config.ts` reads it. */
export interface Policy {
  /**
   * What is switched on: kinds (`read`, `write`, `destroy`), families (`messages`), both (`members:write`), names of
   * tools, `all`, or `reply`: answering and reacting in the channel that the person speaks in.
   */
  readonly tools: readonly string[];
  /** Whether what writes asks first. What destroys always does. */
  readonly writes: "ask" | "run";
  /** What becomes of an answer that rests on more than its channel may read. */
  readonly privateAnswers: "ask" | "direct";
  /** The operator vouches that whoever moderates uses two-factor authentication, which Discord does not tell. */
  readonly moderatorsUse2fa: boolean;
  /** Whom the bot writes a direct message to on somebody's behalf: that person alone, or any member. */
  readonly directMessages: "self" | "members";
}

export interface Policies {
  /** Null: direct messages. */
  of(guildId: string | null): Policy;
}

export function createPolicies(
  base: Policy,
  guilds: ReadonlyMap<string, Partial<Policy>> = new Map(),
): Policies {
  const merged = new Map([...guilds].map(([id, own]) => [id, { ...base, ...own }]));
  return { of: (guildId) => (guildId === null ? base : (merged.get(guildId) ?? base)) };
}

/** `here`: in the channel alone that the person speaks in. */
export type Switched = "off" | "here" | "on";

export function switched(tool: Tool, { tools }: Policy): Switched {
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

export function mustAsk(tool: Tool, policy: Policy, actor: Actor, channelIds: readonly string[]): boolean {
  if (tool.kind === "read" || tool.asks === "never") return false;
  if (tool.kind === "destroy") return true;
  if (isReply(tool) && channelIds.every((id) => id === actor.channelId)) return false;
  return policy.writes === "ask";
}
