import type { MessageCountTokensParams, MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { checkCacheControls } from "./check-cache-control.ts";
import { checkContent } from "./check-content.ts";
import { checkConversation } from "./check-conversation.ts";
import { checkToolChoice, checkTools } from "./check-tools.ts";
import { refuse } from "./errors.ts";
import { type JsonObject, listAt, objectAt, onlyKnown, optionalInteger, stringAt } from "./fields.ts";
import { findModel, type ModelFacts } from "./models.ts";

const promptFields = [
  "model",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "thinking",
  "cache_control",
  "output_config",
  "speed",
] as const;
const createFields = [
  ...promptFields,
  "max_tokens",
  "stream",
  "stop_sequences",
  "metadata",
  "service_tier",
  "container",
  "diagnostics",
  "inference_geo",
] as const;
/** Gone with API version 2026-10-21. */
const samplingFields = ["temperature", "top_p", "top_k"] as const;
const maxMessages = 100_000;

export interface CheckOptions {
  readonly apiVersion: string;
  /** Whether the content of a last assistant message is a `pause_turn` that may be continued. */
  readonly isPaused: (content: unknown) => boolean;
}

/**
 * Refuses what the Messages API refuses, in its words; what is left is well-formed.
 * Throws ApiFailure 400, or 404 for an unknown model.
 */
export function checkMessageRequest(
  body: unknown,
  options: CheckOptions,
): asserts body is MessageCreateParams {
  const request = objectAt(body, "body");
  const older = options.apiVersion < "2026-10-21";
  for (const field of samplingFields) {
    if (request[field] !== undefined && !older)
      refuse(`${field}: This parameter is no longer supported. Remove it from the request.`);
  }
  onlyKnown(request, older ? [...createFields, ...samplingFields, "context_management"] : createFields, "");
  const model = checkPrompt(request, options);
  checkMaxTokens(request, model);
  if (request.stream !== undefined && typeof request.stream !== "boolean")
    refuse("stream: Input should be a valid boolean");
  listAt(request.stop_sequences ?? [], "stop_sequences").forEach((sequence, index) => {
    if (typeof sequence !== "string") refuse(`stop_sequences.${index}: Input should be a valid string`);
    if (sequence.trim() === "") refuse("stop_sequences: each stop sequence must contain non-whitespace");
  });
  checkThinking(request, model);
}

/** As above, for `count_tokens`, which takes the prompt alone. */
export function checkCountRequest(
  body: unknown,
  options: CheckOptions,
): asserts body is MessageCountTokensParams {
  const request = objectAt(body, "body");
  onlyKnown(request, promptFields, "");
  checkPrompt(request, options);
}

function checkPrompt(request: JsonObject, options: CheckOptions): ModelFacts {
  const model = stringAt(request, "model", "");
  if (request.messages === undefined) refuse("messages: Field required");
  const messages = listAt(request.messages, "messages");
  if (messages.length === 0) refuse("messages: at least one message is required");
  if (messages.length > maxMessages) refuse(`messages: at most ${maxMessages} messages are allowed`);
  checkSystem(request.system);
  messages.forEach((message, index) => {
    checkMessage(message, index, index === messages.length - 1);
  });
  checkTools(request.tools);
  checkToolChoice(request.tool_choice, request.tools);
  checkCacheControls(request);
  const facts = findModel(model);
  checkConversation(messages, { prefill: facts.prefill, isPaused: options.isPaused, tools: request.tools });
  return facts;
}

function checkSystem(system: unknown): void {
  if (system === undefined || typeof system === "string") return;
  checkContent(listAt(system, "system"), "system", ["text"]);
}

function checkMessage(value: unknown, index: number, isLast: boolean): void {
  const path = `messages.${index}`;
  const message = objectAt(value, path);
  onlyKnown(message, ["role", "content"], `${path}.`);
  const role = stringAt(message, "role", `${path}.`);
  if (role !== "user" && role !== "assistant" && role !== "system")
    refuse(`${path}.role: Input should be 'user', 'assistant' or 'system'`);
  if (index === 0 && role !== "user") refuse('messages: first message must use the "user" role');
  if (message.content === undefined) refuse(`${path}.content: Field required`);
  const blocks =
    typeof message.content === "string" ? message.content : listAt(message.content, `${path}.content`);
  if (blocks.length === 0 && !(isLast && role === "assistant"))
    refuse(
      `${path}: all messages must have non-empty content except for the optional final assistant message`,
    );
  if (typeof blocks === "string") {
    if (blocks.length > 0 && blocks.trim() === "")
      refuse("messages: text content blocks must contain non-whitespace text");
    return;
  }
  checkContent(blocks, `${path}.content`, allowedBlocks[role]);
}

const allowedBlocks = {
  system: ["text"],
  user: ["text", "image", "document", "search_result", "tool_result", "container_upload"],
  assistant: ["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "*_tool_result"],
} as const;

function checkMaxTokens(request: JsonObject, model: ModelFacts): void {
  if (request.max_tokens === undefined) refuse("max_tokens: Field required");
  optionalInteger(request, "max_tokens", "", 0);
  if (Number(request.max_tokens) > model.maxOutputTokens)
    refuse(
      `max_tokens: ${request.max_tokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
}

function checkThinking(request: JsonObject, model: ModelFacts): void {
  if (request.thinking === undefined) return;
  const thinking = objectAt(request.thinking, "thinking");
  const type = stringAt(thinking, "type", "thinking.");
  if (!["adaptive", "enabled", "disabled", "between_tools"].includes(type))
    refuse(
      "thinking: Input tag found does not match any of the expected tags: 'adaptive', 'between_tools', 'disabled', 'enabled'",
    );
  if (type !== "enabled") return;
  if (!model.manualThinking)
    refuse(`thinking.type: 'enabled' is not supported for ${model.id}. Use 'adaptive'.`);
  if (thinking.budget_tokens === undefined) refuse("thinking.enabled.budget_tokens: Field required");
  optionalInteger(thinking, "budget_tokens", "thinking.enabled.", 1024);
  if (Number(thinking.budget_tokens) >= Number(request.max_tokens))
    refuse("`max_tokens` must be greater than `thinking.budget_tokens`");
}
