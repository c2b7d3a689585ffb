import type {
  Message,
  MessageCreateParams,
  RawMessageDeltaEvent,
  RawMessageStreamEvent,
  Usage,
} from "@anthropic-ai/sdk/resources/messages";
import { newId } from "./ids.ts";
import type { PromptAccount } from "./prompt-cache.ts";
import type { RenderedReply } from "./render.ts";
import type { Reply } from "./reply.ts";

/** A ping is no event of the SDK's union: its client drops it. */
export type WireEvent = RawMessageStreamEvent | { readonly type: "ping" };

/** The whole `Message`, every field that the SDK's type demands. */
export function toMessage(
  request: MessageCreateParams,
  reply: Reply,
  rendered: RenderedReply,
  account: PromptAccount,
): Message {
  return {
    id: newId("msg"),
    type: "message",
    role: "assistant",
    model: request.model,
    content: rendered.blocks.map((block) => block.whole),
    stop_reason: rendered.stopReason,
    stop_sequence: rendered.stopSequence,
    stop_details:
      rendered.stopReason === "refusal"
        ? {
            type: "refusal",
            category: reply.refusal?.category ?? null,
            explanation: reply.refusal?.explanation ?? null,
          }
        : null,
    container: null,
    // Which divergence it was is not compared here; the API may say so too.
    diagnostics: request.diagnostics?.previous_message_id
      ? { cache_miss_reason: { type: "unavailable" } }
      : null,
    usage: { ...toUsage(rendered, account), ...reply.usage },
  };
}

function toUsage(rendered: RenderedReply, account: PromptAccount): Usage {
  return {
    input_tokens: account.inputTokens,
    cache_creation_input_tokens: account.created5mTokens + account.created1hTokens,
    cache_read_input_tokens: account.readTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: account.created5mTokens,
      ephemeral_1h_input_tokens: account.created1hTokens,
    },
    output_tokens: rendered.outputTokens,
    output_tokens_details: { thinking_tokens: rendered.thinkingTokens },
    server_tool_use: null,
    service_tier: "standard",
    inference_geo: "not_available",
    speed: "standard",
  };
}

/** https://platform.claude.com/docs/en/build-with-claude/streaming#event-types */
export function* toEvents(message: Message, rendered: RenderedReply): Generator<WireEvent> {
  yield {
    type: "message_start",
    message: {
      ...message,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: {
        ...message.usage,
        output_tokens: Math.min(1, message.usage.output_tokens),
        output_tokens_details: null,
      },
    },
  };
  for (const [index, block] of rendered.blocks.entries()) {
    yield { type: "content_block_start", index, content_block: block.start };
    if (index === 0) yield { type: "ping" };
    for (const delta of block.deltas) yield { type: "content_block_delta", index, delta };
    yield { type: "content_block_stop", index };
  }
  yield messageDelta(message);
  yield { type: "message_stop" };
}

function messageDelta({ usage, ...message }: Message): RawMessageDeltaEvent {
  return {
    type: "message_delta",
    delta: {
      stop_reason: message.stop_reason,
      stop_sequence: message.stop_sequence,
      stop_details: message.stop_details,
      container: message.container,
    },
    usage: {
      input_tokens: usage.input_tokens,
      output_tokens: usage.output_tokens,
      cache_creation_input_tokens: usage.cache_creation_input_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      output_tokens_details: usage.output_tokens_details,
      server_tool_use: usage.server_tool_use,
    },
  };
}
