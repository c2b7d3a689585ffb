import { refuse } from "./errors.ts";
import { isObject } from "./fields.ts";
import { referencesIn, searchNames } from "./tool-search.ts";

interface Turn {
  readonly role: unknown;
  readonly blocks: readonly { readonly value: Readonly<Record<string, unknown>>; readonly path: string }[];
}

/**
 * Searches of tools stand with their results, and what they refer to is defined.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool#continuing-the-conversation
 * `isPaused`: the last turn is a `pause_turn` given back, whose search may still be under way.
 */
export function checkToolSearches(turns: readonly Turn[], tools: unknown, isPaused: boolean): void {
  const defined = new Set(
    (Array.isArray(tools) ? tools : []).map((tool: unknown) => (isObject(tool) ? tool.name : null)),
  );
  turns.forEach((turn, index) => {
    for (const name of turn.blocks.flatMap(({ value }) => referencesIn(value))) {
      if (!defined.has(name)) refuse(`Tool reference '${name}' has no corresponding tool definition`);
    }
    if (turn.role === "assistant") checkPairs(turn, isPaused && index === turns.length - 1);
  });
}

function checkPairs({ blocks }: Turn, mayBeOpen: boolean): void {
  const open = new Map<unknown, string>();
  for (const { value, path } of blocks) {
    if (value.type === "server_tool_use" && isSearch(value.name)) open.set(value.id, path);
    if (value.type !== "tool_search_tool_result") continue;
    if (!open.delete(value.tool_use_id))
      refuse(
        `${path}: unexpected \`tool_use_id\` found in \`tool_search_tool_result\` blocks: ${String(value.tool_use_id)}. Each \`tool_search_tool_result\` block must have a corresponding \`server_tool_use\` block before it.`,
      );
  }
  for (const [id, path] of open) {
    if (mayBeOpen) continue;
    refuse(
      `${path}: tool search with id \`${String(id)}\` was found without a corresponding \`tool_search_tool_result\` block`,
    );
  }
}

const isSearch = (name: unknown): boolean => searchNames.some((known) => known === name);
