import type {
  ContentBlockParam,
  MessageParam,
  TextBlockParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import type { TurnRecord } from "./journal.ts";

export const textBlock = (text: string): TextBlockParam => ({ type: "text", text });

/**
 * The person's message exactly as the journal stores it and replays it later: the same bytes, or the cached
 * prefix is lost. Blank blocks are left out, since the Messages API refuses them.
 */
export function userMessage(turn: Pick<TurnRecord, "preamble" | "text">): MessageParam {
  const parts = [turn.preamble, turn.text].filter((part) => part.trim() !== "");
  if (parts.length === 0) parts.push("(a message without text)");
  return { role: "user", content: parts.map(textBlock) };
}

/** Results are alone in their message and in the order of their calls. */
export function resultsMessage(results: readonly ToolResultBlockParam[]): MessageParam {
  return { role: "user", content: [...results] };
}

/** The words of a step. Text that was split only by citations stays together. */
export function textOf(content: readonly ContentBlockParam[]): string {
  let text = "";
  let apart = false;
  for (const block of content) {
    if (block.type === "text") {
      text += apart && text !== "" ? `\n\n${block.text}` : block.text;
      apart = false;
    } else apart = true;
  }
  return text.trim();
}

/**
 * Marks the last block of the last two messages of the user for caching: the older mark finds what the request
 * before has written, the newer one writes for the next. Copies what it marks; nothing stored is touched.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function withCacheMarks(messages: readonly MessageParam[]): MessageParam[] {
  const marked = [...messages];
  let left = 2;
  for (let index = marked.length - 1; index >= 0 && left > 0; index--) {
    const message = marked[index];
    if (message?.role !== "user") continue;
    marked[index] = markLastBlock(message);
    left--;
  }
  return marked;
}

function markLastBlock(message: MessageParam): MessageParam {
  const content = typeof message.content === "string" ? [textBlock(message.content)] : [...message.content];
  const last = content.pop();
  return last === undefined ? message : { role: "user", content: [...content, marked(last)] };
}

function marked(block: ContentBlockParam): ContentBlockParam {
  if (block.type === "thinking" || block.type === "redacted_thinking") return block;
  return { ...block, cache_control: { type: "ephemeral" } };
}
