import type {
  ContentBlockParam,
  MessageParam,
  ToolResultBlockParam,
  ToolSearchToolBm25_20251119,
} from "@anthropic-ai/sdk/resources/messages";
import type { Config } from "../config.ts";
import { textOf } from "./messages.ts";
import type { ModelTool, OfferedTool } from "./ports.ts";

/** So many tools are all put in front of the model: it would not gain what a search costs it. */
const maxInFront = 12;
/** Tools that were found, of those without a search of the API's; beyond it the oldest have to be found again. */
const maxFound = 24;

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool */
const toolSearch: ToolSearchToolBm25_20251119 = {
  type: "tool_search_tool_bm25_20251119",
  name: "tool_search_tool_bm25",
};

/**
 * Whether tools can be left to the Messages API's own search. `auto` goes by the model's name: all since Claude 4.5
 * have it, and of a name that is none of Anthropic's nothing is known.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool#model-compatibility
 */
export function usesToolSearch({
  name,
  toolSearch: wanted,
}: Pick<Config["model"], "name" | "toolSearch">): boolean {
  if (wanted !== "auto") return wanted === "on";
  const [, major, minor = "0"] = /^claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?(?:-\d{8})?$/.exec(name) ?? [];
  const version = Number(major) + Number(minor) / 100;
  return version >= 4.05;
}

export interface ForRequest {
  readonly tools: readonly ModelTool[];
  /** Those of them that the model reads whatever it looks for. */
  readonly inFront: readonly ModelTool[];
  /** What was said, without searches that the request cannot account for. */
  readonly messages: readonly MessageParam[];
}

/** Which of a turn's tools stand in front of the model, and how it comes by the others. */
export interface ToolOffer {
  /** `turn`: the turn's own messages after the person's. */
  forRequest(earlier: readonly MessageParam[], turn: readonly MessageParam[]): ForRequest;
}

/**
 * A few tools stand in front all together. Of many, the core ones do; the others are deferred where the API can search
 * among them, which leaves the cached prefix as it is. Where it cannot, the finder stands for them, and what was found
 * or used comes after it, in the order in which that happened: the prefix changes only when something new is found.
 */
export function offerTools(offered: readonly OfferedTool[], searches: boolean): ToolOffer {
  const tools = offered.filter(({ isFinder }) => !isFinder);
  const core = definitions(tools.filter(({ isCore }) => isCore));
  const rest = definitions(tools.filter(({ isCore }) => !isCore));
  const finder = definitions(offered.filter(({ isFinder }) => isFinder));
  if (tools.length <= maxInFront || rest.length === 0 || (finder.length === 0 && !searches)) {
    const all = definitions(tools);
    return {
      forRequest: (earlier, turn) => ({
        tools: all,
        inFront: all,
        messages: withoutSearches([...earlier, ...turn]),
      }),
    };
  }
  if (searches) {
    const inFront = [...core, toolSearch];
    const all = [...inFront, ...rest.map((tool) => ({ ...tool, defer_loading: true }))];
    const known = new Set(all.map(({ name }) => name));
    return {
      forRequest: (earlier, turn) => ({
        tools: all,
        inFront,
        messages: withoutSearches([...earlier, ...turn], known),
      }),
    };
  }
  return {
    forRequest(earlier, turn) {
      const names = [...named(earlier, turn, new Set(finder.map(({ name }) => name)))];
      const found = names.flatMap((name) => rest.find((tool) => tool.name === name) ?? []).slice(-maxFound);
      const all = [...core, ...finder, ...found];
      return { tools: all, inFront: all, messages: withoutSearches([...earlier, ...turn]) };
    },
  };
}

const definitions = (tools: readonly OfferedTool[]) => tools.map(({ definition }) => definition);

/** What tools were used, and what this turn's findings name, in the order in which it happened. */
function named(
  earlier: readonly MessageParam[],
  turn: readonly MessageParam[],
  finders: ReadonlySet<string>,
): ReadonlySet<string> {
  const names = new Set<string>();
  const searches = new Set<string>();
  for (const block of blocksOf(earlier)) if (block.type === "tool_use") names.add(block.name);
  for (const block of blocksOf(turn)) {
    if (block.type === "tool_use" && finders.has(block.name)) searches.add(block.id);
    else if (block.type === "tool_use") names.add(block.name);
    if (block.type !== "tool_result" || !searches.has(block.tool_use_id)) continue;
    for (const [, name = ""] of textIn(block).matchAll(/"name":"([a-zA-Z0-9_-]+)"/g)) names.add(name);
  }
  return names;
}

function textIn({ content = "" }: ToolResultBlockParam): string {
  return typeof content === "string" ? content : textOf(content.filter((block) => block.type === "text"));
}

const blocksOf = (messages: readonly MessageParam[]): readonly ContentBlockParam[] =>
  messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));

/**
 * Searches of the API are given back as they were, unless they refer to a tool that is not offered any more, or there
 * is no search any more: the API would refuse them. Messages that nothing is left of are left out.
 */
function withoutSearches(
  messages: readonly MessageParam[],
  known: ReadonlySet<string> | null = null,
): MessageParam[] {
  const stale = new Set(
    blocksOf(messages).flatMap((block) => {
      if (block.type === "server_tool_use") return known === null ? [block.id] : [];
      if (block.type !== "tool_search_tool_result") return [];
      const isKnown = known !== null && referencesOf(block).every((name) => known.has(name));
      return isKnown ? [] : [block.tool_use_id];
    }),
  );
  if (stale.size === 0) return [...messages];
  return messages.flatMap((message) => {
    if (message.role !== "assistant" || typeof message.content === "string") return [message];
    const content = message.content.filter(
      (block) =>
        !(block.type === "server_tool_use" && stale.has(block.id)) &&
        !(block.type === "tool_search_tool_result" && stale.has(block.tool_use_id)),
    );
    if (content.length === message.content.length) return [message];
    return content.length === 0 ? [] : [{ role: message.role, content }];
  });
}

function referencesOf({
  content,
}: Extract<ContentBlockParam, { type: "tool_search_tool_result" }>): readonly string[] {
  return content.type === "tool_search_tool_search_result"
    ? content.tool_references.map(({ tool_name }) => tool_name)
    : [];
}
