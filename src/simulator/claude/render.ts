import type {
  ContentBlock,
  MessageCreateParams,
  RawContentBlockDelta,
  ServerToolUseBlock,
  StopReason,
  ToolUseBlock,
} from "@anthropic-ai/sdk/resources/messages";
import { newId, signThinking } from "./ids.ts";
import type { Reply, ReplyBlock } from "./reply.ts";
import { cutToTokens, estimateTokens } from "./tokens.ts";
import { offersSearch, playedSearch, searchTools } from "./tool-search.ts";

const pieceChars = 24;

export interface RenderedBlock {
  /** As `content_block_start` carries it: empty. */
  readonly start: ContentBlock;
  readonly deltas: readonly RawContentBlockDelta[];
  readonly whole: ContentBlock;
}

export interface RenderedReply {
  readonly blocks: readonly RenderedBlock[];
  readonly stopReason: StopReason;
  readonly stopSequence: string | null;
  readonly outputTokens: number;
  readonly thinkingTokens: number;
}

/**
 * Turns what was said into what the API would send: cut at a stop sequence, at `max_tokens`, or at the end
 * of the context window. A tool's input that is cut is partial JSON in a stream and `{}` in a whole message.
 */
export function renderReply(reply: Reply, request: MessageCreateParams, windowTokens: number): RenderedReply {
  const { blocks: said, sequence } = cutAtStopSequence(reply.blocks, request.stop_sequences ?? []);
  const budget = Math.min(request.max_tokens, windowTokens);
  const blocks: RenderedBlock[] = [];
  let spent = 0;
  let thinkingTokens = 0;
  let cut = budget === 0;
  for (const block of said) {
    if (cut) break;
    const cost = Math.max(1, estimateTokens(contentOf(block)));
    cut = cost > budget - spent;
    const tokens = Math.min(cost, budget - spent);
    if (tokens > 0) blocks.push(...renderBlocks(block, cut ? tokens : null, request));
    spent += tokens;
    if (block.type === "thinking" || block.type === "redacted_thinking") thinkingTokens += tokens;
  }
  const cutReason = windowTokens < request.max_tokens ? "model_context_window_exceeded" : "max_tokens";
  return {
    blocks,
    stopReason: cut ? cutReason : (reply.stopReason ?? naturalStop(said, sequence)),
    stopSequence: cut ? null : sequence,
    outputTokens: budget === 0 ? 0 : Math.max(1, spent),
    thinkingTokens,
  };
}

function naturalStop(blocks: readonly ReplyBlock[], sequence: string | null): StopReason {
  if (sequence !== null) return "stop_sequence";
  return blocks.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn";
}

function cutAtStopSequence(blocks: readonly ReplyBlock[], sequences: readonly string[]) {
  for (const [index, block] of blocks.entries()) {
    if (block.type !== "text") continue;
    const found = sequences
      .map((sequence) => ({ sequence, at: block.text.indexOf(sequence) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
    if (found === undefined) continue;
    const before = block.text.slice(0, found.at);
    const kept: ReplyBlock[] = before === "" ? [] : [{ type: "text", text: before }];
    return { blocks: [...blocks.slice(0, index), ...kept], sequence: found.sequence };
  }
  return { blocks, sequence: null };
}

function contentOf(block: ReplyBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "thinking":
      return block.thinking;
    case "redacted_thinking":
      return block.data;
    case "tool_use":
      return block.name + JSON.stringify(block.input);
    case "tool_search":
      return JSON.stringify(searchInput(block));
    default:
      return block satisfies never;
  }
}

/** What was said is one block, but for a search, which has its result with it unless it was cut. */
function renderBlocks(
  block: ReplyBlock,
  tokens: number | null,
  request: MessageCreateParams,
): readonly RenderedBlock[] {
  if (block.type !== "tool_search") return [renderBlock(block, tokens, request)];
  const tools = request.tools ?? [];
  if (!offersSearch(tools)) throw new Error("A search for tools was said, and the request offers none.");
  const head = {
    type: "server_tool_use",
    id: newId("srvtoolu"),
    name: playedSearch,
    caller: { type: "direct" },
  } as const;
  const call = renderCall(head, searchInput(block), (value) =>
    tokens === null ? value : cutToTokens(value, tokens),
  );
  if (tokens !== null) return [call];
  const found = searchTools(block.query, tools, block.limit);
  const result: ContentBlock = {
    type: "tool_search_tool_result",
    tool_use_id: head.id,
    content: {
      type: "tool_search_tool_search_result",
      tool_references: found.map((tool_name) => ({ type: "tool_reference", tool_name })),
    },
  };
  return [call, { start: result, deltas: [], whole: result }];
}

const searchInput = ({ query, limit }: Extract<ReplyBlock, { type: "tool_search" }>) => ({
  query,
  ...(limit === undefined ? {} : { limit }),
});

/** `tokens` is null when the block is whole. */
function renderBlock(
  block: Exclude<ReplyBlock, { type: "tool_search" }>,
  tokens: number | null,
  request: MessageCreateParams,
): RenderedBlock {
  const fit = (value: string) => (tokens === null ? value : cutToTokens(value, tokens));
  switch (block.type) {
    case "text":
      return renderText(fit(block.text));
    case "thinking":
      return renderThinking(isOmitted(request) ? "" : fit(block.thinking));
    case "redacted_thinking": {
      const whole: ContentBlock = { type: "redacted_thinking", data: block.data };
      return { start: whole, deltas: [], whole };
    }
    case "tool_use": {
      const { name, id = newId("toolu") } = block;
      return renderCall({ type: "tool_use", id, name, caller: { type: "direct" } }, block.input, fit);
    }
    default:
      return block satisfies never;
  }
}

function renderText(text: string): RenderedBlock {
  return {
    start: { type: "text", text: "", citations: null },
    deltas: pieces(text).map((piece) => ({ type: "text_delta", text: piece })),
    whole: { type: "text", text, citations: null },
  };
}

function renderThinking(thinking: string): RenderedBlock {
  const signature = signThinking(thinking);
  return {
    start: { type: "thinking", thinking: "", signature: "" },
    deltas: [
      ...pieces(thinking).map((piece) => ({ type: "thinking_delta", thinking: piece }) as const),
      { type: "signature_delta", signature },
    ],
    whole: { type: "thinking", thinking, signature },
  };
}

function renderCall(
  head: Omit<ToolUseBlock, "input"> | Omit<ServerToolUseBlock, "input">,
  input: unknown,
  fit: (value: string) => string,
): RenderedBlock {
  const json = JSON.stringify(input);
  const sent = fit(json);
  return {
    start: { ...head, input: {} },
    // The API opens a tool's input with an empty piece.
    deltas: ["", ...pieces(sent)].map((piece) => ({ type: "input_json_delta", partial_json: piece })),
    whole: { ...head, input: sent === json ? input : {} },
  };
}

function isOmitted({ thinking }: MessageCreateParams): boolean {
  return thinking !== undefined && "display" in thinking && thinking.display === "omitted";
}

/** Splits by code points, so that no piece ends within a character. */
function pieces(value: string): string[] {
  const result: string[] = [];
  let piece = "";
  for (const character of value) {
    piece += character;
    if (piece.length < pieceChars) continue;
    result.push(piece);
    piece = "";
  }
  return piece === "" ? result : [...result, piece];
}
