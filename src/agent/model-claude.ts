import Anthropic from "@anthropic-ai/sdk";
import type { Message } from "@anthropic-ai/sdk/resources/messages";
import { getLogger } from "@logtape/logtape";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { type Delay, delay } from "../waiting.ts";
import type { Usage } from "./events.ts";
import { loggedCause } from "./logged-cause.ts";
import { classifyModelError, type ModelFault } from "./model-faults.ts";
import type { ModelPort, ModelReply, ModelRequest, ModelStreamHandlers } from "./ports.ts";
import { usableBlocks } from "./reply-blocks.ts";

const log = getLogger(["discord-mcp", "agent"]);

const firstWaitMs = 500;
const longestWaitMs = 30_000;
/** The API may ask for a longer wait than a person has patience for: then it is an answer at once. */
const longestRetryAfterMs = 60_000;

export interface ClaudeDeps {
  readonly metrics?: Pick<Metrics, "modelCall" | "modelTokens" | "modelRetry">;
  readonly now?: () => number;
  readonly delay?: Delay;
  /** From 0 to 1, for the jitter. */
  readonly random?: () => number;
}

/** The model of the configuration; without a key one whose every call fails with `model_unavailable`. */
export function createModel(config: Config["model"], deps: ClaudeDeps = {}): ModelPort {
  if (config.apiKey !== null) return createClaude(config, config.apiKey, deps);
  return {
    async stream() {
      throw new AppError(
        "model_unavailable",
        "There is no key for Claude here. The operator has to set ANTHROPIC_API_KEY.",
      );
    },
  };
}

/**
 * Claude over the plain Messages API, streamed. The SDK's own retries are switched off, since it cannot ask
 * again for a stream that has begun. No further attempt begins once two time-outs' worth of time has passed.
 */
function createClaude(config: Config["model"], apiKey: string, deps: ClaudeDeps): ModelPort {
  const { now = Date.now, delay: wait = delay, random = Math.random, metrics } = deps;
  const client = new Anthropic({
    apiKey,
    baseURL: config.baseUrl,
    maxRetries: 0,
    timeout: config.timeoutMs,
    // The SDK would print the bodies that it cannot parse.
    logLevel: "off",
  });
  return {
    async stream(request, handlers, signal) {
      const startedAt = now();
      for (let attempt = 0; ; attempt++) {
        const result = await streamOnce(client, config, request, handlers, signal);
        if ("reply" in result) {
          metrics?.modelCall(config.name, "success", now() - startedAt);
          countTokens(metrics, config.name, result.reply.usage);
          return result.reply;
        }
        const { fault, spoke } = result;
        const waitMs = waitBefore(attempt, fault, random());
        const tooLate = now() - startedAt + waitMs > 2 * config.timeoutMs;
        if (!fault.retry || attempt >= config.maxRetries || waitMs > longestRetryAfterMs || tooLate) {
          metrics?.modelCall(config.name, fault.error.code, now() - startedAt);
          throw fault.error;
        }
        log.warning("a model call is asked for again", {
          reason: fault.reason,
          attempt: attempt + 1,
          wait_ms: Math.round(waitMs),
          cause: loggedCause(fault.error),
        });
        metrics?.modelRetry(fault.reason);
        if (spoke) handlers.onRestart();
        await wait(waitMs, signal);
      }
    },
  };
}

/** Grows by two, with jitter of a quarter so that many do not come back at once; never less than we were asked for. */
function waitBefore(attempt: number, fault: ModelFault, random: number): number {
  const grown = Math.min(longestWaitMs, firstWaitMs * 2 ** attempt) * (0.75 + random / 4);
  return Math.max(grown, fault.retryAfterMs ?? 0);
}

type Attempt = { readonly reply: ModelReply } | { readonly fault: ModelFault; readonly spoke: boolean };

async function streamOnce(
  client: Anthropic,
  config: Config["model"],
  request: ModelRequest,
  handlers: ModelStreamHandlers,
  signal: AbortSignal,
): Promise<Attempt> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(config.timeoutMs);
  let spoke = false;
  try {
    const stream = client.messages.stream(toParams(config, request), {
      signal: AbortSignal.any([signal, timeout]),
    });
    stream.on("text", (text) => {
      spoke = true;
      handlers.onText(text);
    });
    return { reply: toReply(await stream.finalMessage()) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return { fault: classifyModelError(error, timeout.aborted), spoke };
  }
}

function toParams(config: Config["model"], request: ModelRequest): Anthropic.MessageStreamParams {
  return {
    model: config.name,
    max_tokens: request.maxTokens,
    system: [...request.system],
    messages: [...request.messages],
    ...(request.tools.length === 0 ? {} : { tools: [...request.tools] }),
    ...(request.toolChoice === undefined ? {} : { tool_choice: { type: request.toolChoice } }),
    ...(config.effort === null ? {} : { output_config: { effort: config.effort } }),
  };
}

/** What the stream was put together to. Throws for what is no message at all: then it counts as broken. */
function toReply({ content, stop_reason, usage, model }: Message): ModelReply {
  return {
    content: usableBlocks(content),
    stopReason: typeof stop_reason === "string" ? stop_reason : "end_turn",
    model: typeof model === "string" ? model : "unknown",
    usage: {
      // Required by the API, left out by some that are compatible with it.
      inputTokens: tokens(usage.input_tokens),
      outputTokens: tokens(usage.output_tokens),
      cacheCreationInputTokens: tokens(usage.cache_creation_input_tokens),
      cacheReadInputTokens: tokens(usage.cache_read_input_tokens),
    },
  };
}

/** More than any model takes: a count beyond it is none, and would use up a budget at once. */
const mostTokens = 100_000_000;
const tokens = (count: number | null): number =>
  count !== null && Number.isSafeInteger(count) && count > 0 && count <= mostTokens ? count : 0;

function countTokens(metrics: ClaudeDeps["metrics"], model: string, usage: Usage): void {
  metrics?.modelTokens(model, "input", usage.inputTokens);
  metrics?.modelTokens(model, "output", usage.outputTokens);
  metrics?.modelTokens(model, "cache_creation", usage.cacheCreationInputTokens);
  metrics?.modelTokens(model, "cache_read", usage.cacheReadInputTokens);
}
