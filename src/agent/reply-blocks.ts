import type { ContentBlock, ToolSearchToolResultBlock } from "@anthropic-ai/sdk/resources/messages";
import { getLogger } from "@logtape/logtape";

const log = getLogger(["discord-mcp", "agent"]);

/** https://platform.claude.com/docs/en/api/messages: names of tools */
const namePattern = /^[a-zA-Z0-9_-]{1,128}$/;
const idPattern = /^[a-zA-Z0-9_-]{1,200}$/;

/**
 * The blocks of a reply that can be stored and given back, with the fields that the Messages API takes of them. Of what
 * came over a network nothing is taken for granted: one block that it would refuse ends the conversation for good.
 */
export function usableBlocks(blocks: readonly ContentBlock[]): readonly ContentBlock[] {
  return blocks.flatMap((block) => {
    const usable = usableBlock(block);
    if (usable !== null) return [usable];
    log.warning("a part of the model's reply is not understood and left out", {
      type: String(block?.type),
    });
    return [];
  });
}

function usableBlock(block: ContentBlock): ContentBlock | null {
  switch (block?.type) {
    case "text": {
      const { type, text, citations } = block;
      return typeof text === "string"
        ? { type, text, citations: Array.isArray(citations) ? citations : null }
        : null;
    }
    case "thinking": {
      const { type, thinking, signature } = block;
      return typeof thinking === "string" && isWord(signature) ? { type, thinking, signature } : null;
    }
    case "redacted_thinking": {
      const { type, data } = block;
      return isWord(data) ? { type, data } : null;
    }
    case "tool_use": {
      const { type, id, name, input, caller } = block;
      return typeof id === "string" && fits(name, namePattern) ? { type, id, name, input, caller } : null;
    }
    case "server_tool_use": {
      const { type, id, name, input, caller } = block;
      const isCall = fits(id, idPattern) && name.startsWith("tool_search_tool_") && isObject(input);
      return isCall ? { type, id, name, input, caller } : null;
    }
    case "tool_search_tool_result": {
      const { type, tool_use_id, content } = block;
      return fits(tool_use_id, idPattern) && isSearchResult(content) ? { type, tool_use_id, content } : null;
    }
    default:
      return null;
  }
}

function isSearchResult(content: ToolSearchToolResultBlock["content"]): boolean {
  if (!isObject(content)) return false;
  if (content.type === "tool_search_tool_result_error") return isWord(content.error_code);
  if (content.type !== "tool_search_tool_search_result" || !Array.isArray(content.tool_references))
    return false;
  return content.tool_references.every((each) => isObject(each) && fits(each.tool_name, namePattern));
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isWord = (value: unknown): boolean => typeof value === "string" && value !== "";
const fits = (value: unknown, pattern: RegExp): boolean => typeof value === "string" && pattern.test(value);
