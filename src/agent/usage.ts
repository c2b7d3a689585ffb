import type { Usage } from "./events.ts";

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheCreationInputTokens: 0,
  cacheReadInputTokens: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheCreationInputTokens: a.cacheCreationInputTokens + b.cacheCreationInputTokens,
    cacheReadInputTokens: a.cacheReadInputTokens + b.cacheReadInputTokens,
  };
}

/** The whole prompt, cached or not: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance */
export const promptTokens = (usage: Usage): number =>
  usage.inputTokens + usage.cacheCreationInputTokens + usage.cacheReadInputTokens;

/** What the model had to work for: everything but what came from the cache. */
export const freshTokens = (usage: Usage): number =>
  usage.inputTokens + usage.cacheCreationInputTokens + usage.outputTokens;
