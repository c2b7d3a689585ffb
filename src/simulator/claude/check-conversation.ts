import { checkToolSearches } from "./check-tool-search.ts";
import { refuse } from "./errors.ts";
import { isObject, type JsonObject } from "./fields.ts";

interface Block {
  readonly value: JsonObject;
  readonly path: string;
}

/** Consecutive messages of one role, which the API reads as one turn. */
interface Turn {
  readonly role: unknown;
  readonly firstMessage: number;
  readonly blocks: Block[];
}

interface Rules {
  readonly prefill: boolean;
  readonly isPaused: (content: unknown) => boolean;
  readonly tools: unknown;
}

/**
 * Every `tool_use` is answered at the start of the next user turn, every `tool_result` answers one.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use#handling-tool-use-and-tool-result-content-blocks
 * A last assistant message is refused as a prefill, except a `pause_turn` given back.
 * https://platform.claude.com/docs/en/api/errors#prefill-not-supported
 */
export function checkConversation(messages: readonly unknown[], rules: Rules): void {
  const turns = toTurns(messages);
  checkUniqueToolUses(turns);
  turns.forEach((turn, index) => {
    if (turn.role === "user") checkResults(turn, turns[index - 1]);
    if (turn.role === "assistant") checkAssistant(turn, turns[index + 1]);
  });
  const last = messages.at(-1);
  const isPaused = isObject(last) && last.role === "assistant" && rules.isPaused(last.content);
  checkToolSearches(turns, rules.tools, isPaused);
  if (!isObject(last) || last.role !== "assistant" || isPaused) return;
  if (!rules.prefill)
    refuse(
      "This model does not support assistant message prefill. The conversation must end with a user message.",
    );
  const ending = turns.at(-1)?.blocks.at(-1)?.value.text;
  if (typeof ending === "string" && ending !== ending.trimEnd())
    refuse("messages: final assistant content cannot end with trailing whitespace");
}

function toTurns(messages: readonly unknown[]): Turn[] {
  const turns: Turn[] = [];
  messages.forEach((message, index) => {
    if (!isObject(message) || message.role === "system") return;
    const blocks = Array.isArray(message.content)
      ? message.content
          .filter(isObject)
          .map((value, at) => ({ value, path: `messages.${index}.content.${at}` }))
      : [{ value: { type: "text", text: message.content }, path: `messages.${index}` }];
    const last = turns.at(-1);
    if (last !== undefined && last.role === message.role) last.blocks.push(...blocks);
    else turns.push({ role: message.role, firstMessage: index, blocks });
  });
  return turns;
}

function checkUniqueToolUses(turns: readonly Turn[]): void {
  const seen = new Set<unknown>();
  for (const { value, path } of turns.flatMap((turn) => turn.blocks)) {
    if (value.type !== "tool_use") continue;
    if (seen.has(value.id)) refuse(`${path}: \`tool_use\` ids must be unique`);
    seen.add(value.id);
  }
}

function checkAssistant(turn: Turn, next: Turn | undefined): void {
  const uses = turn.blocks.filter((block) => block.value.type === "tool_use").map((block) => block.value.id);
  if (uses.length > 0) {
    const answered = new Set(leadingResults(next).map((block) => block.value.tool_use_id));
    const missing = uses.filter((id) => !answered.has(id));
    if (missing.length > 0)
      refuse(
        `messages.${turn.firstMessage}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
  }
  const last = turn.blocks.at(-1)?.value.type;
  if (last === "thinking" || last === "redacted_thinking")
    refuse(
      `messages.${turn.firstMessage}: The final block in an assistant message cannot be \`${String(last)}\`.`,
    );
}

function checkResults(turn: Turn, previous: Turn | undefined): void {
  const uses = new Set(
    previous?.blocks.filter((block) => block.value.type === "tool_use").map((block) => block.value.id),
  );
  const answered = new Set<unknown>();
  for (const { value, path } of turn.blocks) {
    if (value.type !== "tool_result") continue;
    const id = value.tool_use_id;
    if (!uses.has(id))
      refuse(
        `${path}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    if (answered.has(id))
      refuse(
        `${path}: each \`tool_use\` must have a single result. Found multiple \`tool_result\` blocks with id: ${String(id)}`,
      );
    answered.add(id);
  }
}

/** Results count only before anything else in the turn. */
function leadingResults(turn: Turn | undefined): Block[] {
  if (turn?.role !== "user") return [];
  const end = turn.blocks.findIndex((block) => block.value.type !== "tool_result");
  return end < 0 ? turn.blocks : turn.blocks.slice(0, end);
}
