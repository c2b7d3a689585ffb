import type { ContentBlockParam, ToolUseBlock } from "@anthropic-ai/sdk/resources/messages";
import { answers } from "./answers.ts";
import type { StoredStep } from "./journal.ts";
import { textBlock, textOf } from "./messages.ts";
import type { ModelReply } from "./ports.ts";

const cutReasons = ["max_tokens", "model_context_window_exceeded"];
/** https://platform.claude.com/docs/en/api/messages: ids of tool_use */
const idPattern = /^[a-zA-Z0-9_-]{1,200}$/;

export const wasCut = (stopReason: string): boolean => cutReasons.includes(stopReason);

/**
 * A reply as it is stored and given back: never empty, without what the API would refuse on replay (blank text,
 * thinking at the end, call ids that are malformed or taken, arguments that are no object, a search for tools that
 * was cut off before its result).
 * `taken` holds the ids of all calls before; `hasSpoken`: an earlier step of the turn had words.
 */
export function settleReply(
  reply: Pick<ModelReply, "content" | "stopReason">,
  taken: Set<string>,
  hasSpoken: boolean,
): readonly ContentBlockParam[] {
  // What led to a refusal must not be replayed: it would be refused again and again.
  // https://platform.claude.com/docs/en/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals
  if (reply.stopReason === "refusal") return [textBlock(answers.refused)];
  const content: ContentBlockParam[] = [];
  const answered = new Set(
    reply.content.flatMap((block) => (block.type === "tool_search_tool_result" ? [block.tool_use_id] : [])),
  );
  for (const block of reply.content) {
    if (block.type === "text" && block.text.trim() === "") continue;
    // A pause is taken up where it was, its search included.
    if (block.type === "server_tool_use" && !answered.has(block.id) && reply.stopReason !== "pause_turn")
      continue;
    content.push(block.type === "tool_use" ? usableCall(block, taken) : block);
  }
  while (isThinking(content.at(-1))) content.pop();
  if (content.some((block) => block.type === "tool_use") || textOf(content) !== "") return content;
  if (reply.stopReason === "pause_turn" && content.length > 0) return content;
  if (wasCut(reply.stopReason)) return [...content, textBlock(answers.cutBeforeStart)];
  return [...content, textBlock(hasSpoken ? answers.nothingToAdd : answers.empty)];
}

/** The step as the journal will give it back. */
export function toStep(
  step: number,
  stopReason: string,
  content: readonly ContentBlockParam[],
  sources: readonly string[],
): StoredStep {
  const toolCalls = content.flatMap((block) =>
    block.type === "tool_use"
      ? [
          {
            toolUseId: block.id,
            toolName: block.name,
            input: block.input,
            state: "pending" as const,
            result: null,
            sources: [],
          },
        ]
      : [],
  );
  return { step, content, stopReason, toolCalls, sources };
}

/** The call that the length limit has cut off, if one was: it stands last. */
export function cutCall(step: StoredStep): string | null {
  const last = step.content.at(-1);
  return wasCut(step.stopReason) && last?.type === "tool_use" ? last.id : null;
}

function usableCall(block: ToolUseBlock, taken: Set<string>): ContentBlockParam {
  const id =
    idPattern.test(block.id) && !taken.has(block.id)
      ? block.id
      : `toolu_${crypto.randomUUID().replaceAll("-", "")}`;
  taken.add(id);
  const { input } = block;
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  return { ...block, id, input: isObject ? input : { invalid_arguments: input } };
}

const isThinking = (block: ContentBlockParam | undefined): boolean =>
  block?.type === "thinking" || block?.type === "redacted_thinking";
