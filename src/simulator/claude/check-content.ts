import { refuse } from "./errors.ts";
import { type JsonObject, listAt, objectAt, onlyKnown, stringAt } from "./fields.ts";
import { signThinking } from "./ids.ts";

const knownFields: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "cache_control", "citations"],
  thinking: ["type", "thinking", "signature"],
  redacted_thinking: ["type", "data"],
  tool_use: ["type", "id", "name", "input", "cache_control", "caller", "toolset_name"],
  tool_result: ["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"],
  server_tool_use: ["type", "id", "name", "input", "cache_control", "caller"],
  tool_search_tool_result: ["type", "tool_use_id", "content", "cache_control"],
  tool_reference: ["type", "tool_name", "cache_control"],
  image: ["type", "source", "cache_control", "transformations"],
};
const idPattern = /^[a-zA-Z0-9_-]+$/;
const resultBlocks = ["text", "image", "search_result", "document", "tool_reference", "browser_state"];

/** Checks content blocks one by one; how they follow each other is `check-conversation.ts`. */
export function checkContent(blocks: readonly unknown[], path: string, allowed: readonly string[]): void {
  blocks.forEach((value, index) => {
    const at = `${path}.${index}`;
    const block = objectAt(value, at);
    const type = stringAt(block, "type", `${at}.`);
    if (!allowed.some((name) => name === type || (name.startsWith("*") && type.endsWith(name.slice(1)))))
      refuse(
        `${at}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${allowed.map((name) => `'${name}'`).join(", ")}`,
      );
    const known = knownFields[type];
    if (known !== undefined) onlyKnown(block, known, `${at}.${type}.`);
    checkBlock(block, type, at);
  });
}

function checkBlock(block: JsonObject, type: string, at: string): void {
  switch (type) {
    case "text":
      checkText(stringAt(block, "text", `${at}.text.`), at);
      break;
    case "thinking":
      if (
        stringAt(block, "signature", `${at}.thinking.`) !==
        signThinking(stringAt(block, "thinking", `${at}.`))
      )
        refuse(`${at}: Invalid \`signature\` in \`thinking\` block`);
      break;
    case "tool_use":
      checkId(stringAt(block, "id", `${at}.tool_use.`), `${at}.tool_use.id`);
      stringAt(block, "name", `${at}.tool_use.`);
      objectAt(block.input, `${at}.tool_use.input`);
      break;
    case "tool_reference":
      stringAt(block, "tool_name", `${at}.tool_reference.`);
      break;
    case "tool_result":
      checkToolResult(block, at);
      break;
    case "server_tool_use":
      checkId(stringAt(block, "id", `${at}.server_tool_use.`), `${at}.server_tool_use.id`);
      stringAt(block, "name", `${at}.server_tool_use.`);
      objectAt(block.input, `${at}.server_tool_use.input`);
      break;
    case "tool_search_tool_result":
      checkSearchResult(block, `${at}.tool_search_tool_result`);
      break;
    case "image":
      objectAt(block.source, `${at}.image.source`);
      break;
    default:
      break;
  }
}

function checkText(text: string, at: string): void {
  const where = at.split(".")[0];
  if (text === "") refuse(`${where}: text content blocks must be non-empty`);
  if (text.trim() === "") refuse(`${where}: text content blocks must contain non-whitespace text`);
}

function checkToolResult(block: JsonObject, at: string): void {
  checkId(stringAt(block, "tool_use_id", `${at}.tool_result.`), `${at}.tool_result.tool_use_id`);
  const { content } = block;
  if (block.is_error === true && (content === undefined || content === "" || isEmptyList(content)))
    refuse(`${at}.tool_result: content cannot be empty if \`is_error\` is true`);
  if (block.is_error !== undefined && typeof block.is_error !== "boolean")
    refuse(`${at}.tool_result.is_error: Input should be a valid boolean`);
  if (content === undefined || typeof content === "string") return;
  checkContent(listAt(content, `${at}.tool_result.content`), `${at}.tool_result.content`, resultBlocks);
}

function checkSearchResult(block: JsonObject, at: string): void {
  checkId(stringAt(block, "tool_use_id", `${at}.`), `${at}.tool_use_id`);
  const content = objectAt(block.content, `${at}.content`);
  const type = stringAt(content, "type", `${at}.content.`);
  if (type === "tool_search_tool_result_error") {
    onlyKnown(content, ["type", "error_code", "error_message"], `${at}.content.`);
    return;
  }
  if (type !== "tool_search_tool_search_result")
    refuse(
      `${at}.content: Input tag '${type}' found using 'type' does not match any of the expected tags: 'tool_search_tool_result_error', 'tool_search_tool_search_result'`,
    );
  onlyKnown(content, ["type", "tool_references"], `${at}.content.`);
  checkContent(
    listAt(content.tool_references, `${at}.content.tool_references`),
    `${at}.content.tool_references`,
    ["tool_reference"],
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function checkId(id: string, path: string): void {
  if (!idPattern.test(id)) refuse(`${path}: String should match pattern '${idPattern.source}'`);
}
