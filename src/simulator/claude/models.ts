import type { CapabilitySupport, ModelInfo, ModelLine } from "@anthropic-ai/sdk/resources/models";
import { ApiFailure, refuse } from "./errors.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly line: ModelLine;
  readonly createdAt: string;
  readonly maxInput: number;
  readonly maxOutput: number;
  /** Manual thinking budgets were given up for adaptive thinking. */
  readonly manualThinking: boolean;
  readonly prefill: boolean;
  readonly retiresAt: string | null;
  readonly lifecycle: ModelInfo["lifecycle"];
  readonly alias?: string;
}

function row(id: string, name: string, line: ModelLine, createdAt: string, rest: Partial<Row> = {}): Row {
  return {
    id,
    name,
    line,
    createdAt,
    maxInput: 1_000_000,
    maxOutput: 128_000,
    manualThinking: false,
    prefill: false,
    retiresAt: null,
    lifecycle: "active",
    ...rest,
  };
}

const older = { maxInput: 200_000, maxOutput: 64_000, manualThinking: true, prefill: true } as const;

/** Newest first, as the API lists them. Dates and limits are plausible, not authoritative. */
const rows: readonly Row[] = [
  row("claude-haiku-5-5", "Claude Haiku 5.5", "haiku", "2026-10-06T00:00:00Z", { maxOutput: 64_000 }),
  row("claude-sonnet-5-5", "Claude Sonnet 5.5", "sonnet", "2026-09-15T00:00:00Z"),
  row("claude-opus-5-5", "Claude Opus 5.5", "opus", "2026-09-01T00:00:00Z"),
  row("claude-sonnet-5", "Claude Sonnet 5", "sonnet", "2026-06-02T00:00:00Z"),
  row("claude-opus-5", "Claude Opus 5", "opus", "2026-05-12T00:00:00Z"),
  row("claude-opus-4-8", "Claude Opus 4.8", "opus", "2026-04-20T00:00:00Z"),
  row("claude-opus-4-7", "Claude Opus 4.7", "opus", "2026-03-18T00:00:00Z"),
  row("claude-sonnet-4-6", "Claude Sonnet 4.6", "sonnet", "2026-02-17T00:00:00Z", { manualThinking: true }),
  row("claude-opus-4-6", "Claude Opus 4.6", "opus", "2026-02-05T00:00:00Z", { manualThinking: true }),
  row("claude-haiku-4-5-20251001", "Claude Haiku 4.5", "haiku", "2025-10-15T00:00:00Z", {
    ...older,
    alias: "claude-haiku-4-5",
  }),
  row("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "sonnet", "2025-09-29T00:00:00Z", {
    ...older,
    alias: "claude-sonnet-4-5",
    lifecycle: "deprecated",
    retiresAt: "2026-11-30T00:00:00Z",
  }),
];

export interface ModelFacts {
  readonly id: string;
  readonly maxInputTokens: number;
  readonly maxOutputTokens: number;
  readonly manualThinking: boolean;
  readonly prefill: boolean;
}

/** Throws the API's 404 for a model that it does not serve. */
export function findModel(id: string): ModelFacts {
  const found = rowOf(id);
  return {
    id: found.id,
    maxInputTokens: found.maxInput,
    maxOutputTokens: found.maxOutput,
    manualThinking: found.manualThinking,
    prefill: found.prefill,
  };
}

export function describeModel(id: string): ModelInfo {
  return toInfo(rowOf(id));
}

/** A page of `GET /v1/models`: https://platform.claude.com/docs/en/api/models-list */
export function listModels(query: URLSearchParams) {
  const limit = Number(query.get("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    refuse("limit: Input should be between 1 and 1000");
  const wanted = [...query.getAll("lifecycle"), ...query.getAll("lifecycle[]")];
  const stages = wanted.length > 0 ? wanted : ["active", "deprecated"];
  const all = rows.filter((model) => stages.includes(model.lifecycle));
  const after = query.get("after_id");
  const before = query.get("before_id");
  if (after !== null && before !== null) refuse("before_id, after_id: only one of them may be given");

  const pivot = after ?? before;
  const at = pivot === null ? -1 : all.findIndex((model) => model.id === pivot);
  if (pivot !== null && at < 0)
    refuse(`${after === null ? "before_id" : "after_id"}: unknown model ${pivot}`);

  const rest = before === null ? all.slice(at + 1) : all.slice(0, at);
  const page = before === null ? rest.slice(0, limit) : rest.slice(-limit);
  return {
    data: page.map(toInfo),
    has_more: rest.length > page.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

function rowOf(id: string): Row {
  const found = rows.find((model) => model.id === id || model.alias === id);
  if (found === undefined) throw new ApiFailure(404, `model: ${id}`);
  return found;
}

const yes: CapabilitySupport = { supported: true };
const no: CapabilitySupport = { supported: false };

function toInfo(model: Row): ModelInfo {
  const modern = model.manualThinking ? no : yes;
  return {
    id: model.id,
    type: "model",
    display_name: model.name,
    line: model.line,
    lifecycle: model.lifecycle,
    created_at: model.createdAt,
    deprecated_at: model.lifecycle === "active" ? null : "2026-06-01T00:00:00Z",
    retires_at: model.retiresAt,
    max_input_tokens: model.maxInput,
    max_tokens: model.maxOutput,
    capabilities: {
      batch: yes,
      citations: yes,
      code_execution: yes,
      context_management: {
        supported: true,
        clear_thinking_20251015: yes,
        clear_tool_uses_20250919: yes,
        compact_20260112: modern,
      },
      effort: { supported: true, low: yes, medium: yes, high: yes, max: modern, xhigh: modern },
      image_input: yes,
      pdf_input: yes,
      server_tools: { supported: true, code_execution: yes, web_search: yes },
      structured_outputs: yes,
      thinking: {
        supported: true,
        types: {
          adaptive: modern,
          between_tools: modern,
          disabled: yes,
          enabled: model.manualThinking ? yes : no,
        },
      },
    },
  };
}
