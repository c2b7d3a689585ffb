import { isObject, type JsonObject } from "./fields.ts";

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool */
export const searchNames = ["tool_search_tool_bm25", "tool_search_tool_regex"] as const;
/** The one that is played here; regular expressions are not. */
export const playedSearch = "tool_search_tool_bm25";
const defaultLimit = 5;

export const offersSearch = (tools: readonly object[]): boolean =>
  tools.some((tool) => "name" in tool && tool.name === playedSearch);

export const isDeferred = (tool: object): boolean => "defer_loading" in tool && tool.defer_loading === true;

/** Names of the deferred tools in whose words a word of the query stands, best first. */
export function searchTools(
  query: string,
  tools: readonly object[],
  limit = defaultLimit,
): readonly string[] {
  const wanted = new Set(wordsOf(query));
  return tools
    .filter(isDeferred)
    .map((tool, at) => ({ name: "name" in tool ? String(tool.name) : "", at, score: scoreOf(tool, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, limit)
    .map(({ name }) => name);
}

/** Names of tools, their descriptions, and those of their arguments are searched. */
function scoreOf(tool: object, wanted: ReadonlySet<string>): number {
  const { name, description, input_schema: schema }: JsonObject = { ...tool };
  const inName = new Set(wordsOf(String(name)));
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const rest = new Set(wordsOf(`${String(description ?? "")} ${JSON.stringify(properties)}`));
  let score = 0;
  for (const word of wanted) score += inName.has(word) ? 3 : rest.has(word) ? 1 : 0;
  return score;
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Names that a content block refers to: what they name is put into the prompt there. */
export function referencesIn(block: unknown): readonly string[] {
  if (!isObject(block)) return [];
  const content =
    block.type === "tool_search_tool_result" && isObject(block.content)
      ? block.content.tool_references
      : block.type === "tool_result"
        ? block.content
        : [];
  return (Array.isArray(content) ? content : []).flatMap((part: unknown) =>
    isObject(part) && part.type === "tool_reference" ? [String(part.tool_name)] : [],
  );
}

/** Names that a prompt's messages have loaded so far. */
export function loadedBy(messages: readonly { readonly content: unknown }[]): ReadonlySet<string> {
  return new Set(
    messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])).flatMap(referencesIn),
  );
}
