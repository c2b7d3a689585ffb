import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { Authorized } from "./authorize.ts";
import type { ToolCall } from "./call.ts";
import { isReply, type Policies, switched } from "./policy.ts";
import type { Registered } from "./registered.ts";
import type { Tool } from "./tool.ts";

/** Throws AppError `tool_inactive`, or `not_found` for a tool of servers in a direct message. */
export function assertUsable(
  { tool, needsGuild }: Registered,
  { activeTools, actor }: ToolCall,
  policies: Policies,
): void {
  if (tool.isFinder) return;
  if (activeTools.length > 0 && !activeTools.includes(tool.name)) {
    throw new AppError(
      "tool_inactive",
      `${tool.name} is not active in this session; active are ${activeTools.slice(0, 20).join(", ")}.`,
    );
  }
  if (switched(tool, policies.of(actor.guildId)) === "off") {
    throw new AppError(
      "tool_inactive",
      `${tool.name} is not switched on here; the operator can do so with TOOLS, or for a server with GUILD_POLICIES.`,
    );
  }
  if (needsGuild && actor.guildId === null)
    throw new AppError("not_found", `${tool.name} works in servers only, and this is a direct message.`);
}

/** What is switched on for replies alone works where the person speaks. Throws AppError `tool_inactive`. */
export function assertHere(
  tool: Tool,
  { places }: Authorized,
  { actor }: ToolCall,
  policies: Policies,
): void {
  if (!isReply(tool) || switched(tool, policies.of(actor.guildId)) !== "here") return;
  if (channelsOf(places).every((id) => id === actor.channelId)) return;
  throw new AppError(
    "tool_inactive",
    `${tool.name} is switched on for the channel of this conversation alone; the operator can allow more with TOOLS or GUILD_POLICIES.`,
  );
}

export function channelsOf(places: Authorized["places"]): readonly string[] {
  return Object.values(places).flatMap((place) => (place?.kind === "channel" ? [place.facts.id] : []));
}

export function unknownTool(
  { toolName, actor, activeTools = [] }: Pick<ToolCall, "toolName" | "actor"> & Partial<ToolCall>,
  usable: (actor: Actor, activeTools: readonly string[]) => readonly Registered[],
): AppError {
  const names = usable(actor, activeTools).map(({ tool }) => tool.name);
  const known = names.length === 0 ? "there are none here" : `known are ${names.join(", ")}`;
  return new AppError("unknown_tool", `There is no tool ${JSON.stringify(toolName.slice(0, 64))}; ${known}.`);
}
