import { createHash } from "node:crypto";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { isObject, type JsonObject } from "./fields.ts";
import { estimateJsonTokens } from "./tokens.ts";
import { isDeferred, referencesIn } from "./tool-search.ts";

type Ttl = "5m" | "1h";

const ttlMs: Readonly<Record<Ttl, number>> = { "5m": 5 * 60_000, "1h": 60 * 60_000 };
/** How many blocks before a breakpoint are looked at for an older entry. */
const lookbackBlocks = 20;
const maxEntries = 10_000;

/** A block of the prompt in the order that the cache sees it: tools, system, messages. */
interface Segment {
  readonly bytes: string;
  readonly tokens: number;
  readonly ttl: Ttl | null;
}

type Prompt = Pick<
  MessageCreateParams,
  "messages" | "model" | "system" | "tools" | "tool_choice" | "thinking" | "cache_control"
>;

export interface PromptAccount {
  readonly inputTokens: number;
  readonly readTokens: number;
  readonly created5mTokens: number;
  readonly created1hTokens: number;
}

/**
 * Prefixes that have been seen, keyed by the exact bytes of everything up to a breakpoint (the markers
 * themselves left out, since they may move). One byte more or less in the prefix is a miss.
 * Rules: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export class PromptCache {
  readonly #entries = new Map<string, { expiresAt: number; ttl: Ttl }>();
  readonly #minTokens: number;
  readonly #now: () => number;

  constructor(minTokens: number, now: () => number) {
    this.#minTokens = minTokens;
    this.#now = now;
  }

  /** Accounts for a request, and remembers its breakpoints. */
  account(prompt: Prompt): PromptAccount {
    const segments = segmentsOf(prompt);
    const { hashes, totals } = accumulate(segments, prompt);
    const breakpoints = segments.flatMap((segment, index) =>
      segment.ttl !== null && (totals[index] ?? 0) >= this.#minTokens ? [{ index, ttl: segment.ttl }] : [],
    );
    const hit = this.#longestHit(breakpoints, hashes);
    const readTokens = hit < 0 ? 0 : (totals[hit] ?? 0);

    let covered = readTokens;
    const created = { "5m": 0, "1h": 0 };
    for (const { index, ttl } of breakpoints) {
      this.#remember(hashes[index] ?? "", ttl);
      const total = totals[index] ?? 0;
      if (total <= covered) continue;
      created[ttl] += total - covered;
      covered = total;
    }
    return {
      inputTokens: (totals.at(-1) ?? 0) - covered,
      readTokens,
      created5mTokens: created["5m"],
      created1hTokens: created["1h"],
    };
  }

  #longestHit(breakpoints: readonly { index: number }[], hashes: readonly string[]): number {
    for (const { index } of [...breakpoints].reverse()) {
      for (let at = index; at >= Math.max(0, index - lookbackBlocks); at--) {
        const hash = hashes[at] ?? "";
        const entry = this.#entries.get(hash);
        if (entry === undefined) continue;
        if (entry.expiresAt > this.#now()) {
          this.#remember(hash, entry.ttl);
          return at;
        }
        this.#entries.delete(hash);
      }
    }
    return -1;
  }

  #remember(hash: string, ttl: Ttl): void {
    this.#entries.delete(hash);
    this.#entries.set(hash, { expiresAt: this.#now() + ttlMs[ttl], ttl });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }
}

/** What `count_tokens` answers: the whole prompt, cached or not. */
export function countPromptTokens(prompt: Prompt): number {
  return segmentsOf(prompt).reduce((sum, segment) => sum + segment.tokens, 0);
}

function accumulate(segments: readonly Segment[], prompt: Prompt) {
  const hashes: string[] = [];
  const totals: number[] = [];
  let hash = prompt.model;
  let total = 0;
  for (const segment of segments) {
    hash = createHash("sha256").update(hash).update("\0").update(segment.bytes).digest("base64");
    total += segment.tokens;
    hashes.push(hash);
    totals.push(total);
  }
  return { hashes, totals };
}

function segmentsOf(prompt: Prompt): Segment[] {
  const system = asBlocks(prompt.system ?? []);
  // A change of tool choice or thinking voids what is cached of the messages, not of tools and system.
  const mode = JSON.stringify([prompt.tool_choice ?? null, prompt.thinking ?? null]);
  const load = loader(prompt.tools ?? []);
  const segments = [
    ...(prompt.tools ?? []).filter((tool) => !isDeferred(tool)).map((tool) => segment("tool", tool)),
    ...system.map((block) => segment("system", block)),
    ...prompt.messages.flatMap((message) =>
      asBlocks(message.content).map((block) =>
        withDefinitions(segment(`${mode}${message.role}`, block), load(block)),
      ),
    ),
  ];
  const last = segments.at(-1);
  if (prompt.cache_control && last?.ttl === null) {
    segments[segments.length - 1] = { ...last, ttl: prompt.cache_control.ttl ?? "5m" };
  }
  return segments;
}

/** Definitions of deferred tools stand where they are first referred to, and nowhere else. */
function loader(tools: readonly object[]): (block: object) => readonly object[] {
  const left = new Map(
    tools.filter(isDeferred).map((tool) => ["name" in tool ? String(tool.name) : "", tool] as const),
  );
  return (block) =>
    referencesIn(block).flatMap((name) => {
      const tool = left.get(name);
      left.delete(name);
      return tool === undefined ? [] : [tool];
    });
}

function withDefinitions(to: Segment, tools: readonly object[]): Segment {
  const loaded = tools.map((tool) => segment("tool", tool));
  return {
    ...to,
    bytes: [to, ...loaded].map(({ bytes }) => bytes).join("\0"),
    tokens: [to, ...loaded].reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

/** What a search in the reply has loaded that was not there before: the reply's own words come after it. */
export function tokensLoadedBy(prompt: Prompt, reply: readonly object[]): number {
  const load = loader(prompt.tools ?? []);
  for (const { content } of prompt.messages) asBlocks(content).forEach(load);
  return reply.flatMap(load).reduce((sum, tool) => sum + segment("tool", tool).tokens, 0);
}

/** A string is shorthand for one text block, so both have the same bytes. */
function asBlocks(content: string | readonly object[]): readonly object[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function segment(label: string, block: object): Segment {
  const { cache_control: marker, ...rest }: JsonObject = { ...block };
  const json = JSON.stringify(rest);
  const ttl = isObject(marker) ? (marker.ttl === "1h" ? "1h" : "5m") : null;
  return { bytes: `${label}\0${json}`, tokens: estimateJsonTokens(json), ttl };
}
