import { getLogger } from "@logtape/logtape";
import type { Question } from "../agent/approvals.ts";
import type { ToolOutcomeKind } from "../agent/events.ts";
import { AppError, type ErrorCode, toAppError } from "../errors.ts";
import { type Bounded, boundValue } from "./bound.ts";
import type { ToolCall, ToolOutcome } from "./call.ts";
import type { Tool, ToolResult } from "./tool.ts";
import { markUntrusted } from "./untrusted.ts";

const log = getLogger(["discord-mcp", "tools"]);

/** How far a call came, for what to make of its failure. */
export interface Progress {
  /** "channel:1", "member:2:3", as they were come to. */
  readonly targets: string[];
  /** What a refusal may speak of. */
  readonly sources: string[];
  hasStarted: boolean;
}

export const noProgress = (): Progress => ({ targets: [], sources: [], hasStarted: false });

/** Its text is made when it is asked for: the model needs it, a program's direct call does not. */
class Done implements ToolOutcome {
  readonly kind = "done";
  readonly isError = false;
  readonly value: unknown;
  readonly sources: readonly string[];
  readonly #toolName: string;
  readonly #bounded: Bounded;
  readonly #delimiter: () => string;
  #text: string | null = null;

  constructor(toolName: string, bounded: Bounded, sources: readonly string[], delimiter: () => string) {
    this.value = bounded.value;
    this.sources = sources;
    this.#toolName = toolName;
    this.#bounded = bounded;
    this.#delimiter = delimiter;
  }

  get text(): string {
    const about = this.#bounded.isCut ? this.#bounded.truncated : undefined;
    this.#text ??= markUntrusted(this.#toolName, this.#bounded.json(), this.#delimiter(), about);
    return this.#text;
  }
}

class DoneInPart extends Done {
  readonly truncated: string;

  constructor(
    toolName: string,
    bounded: Extract<Bounded, { readonly isCut: true }>,
    ...rest: [sources: readonly string[], delimiter: () => string]
  ) {
    super(toolName, bounded, ...rest);
    this.truncated = bounded.truncated;
  }
}

export function doneWith(
  toolName: string,
  { value, sources }: ToolResult,
  maxBytes: number,
  delimiter: () => string,
): ToolOutcome {
  const bounded = boundValue(value ?? null, maxBytes);
  return bounded.isCut
    ? new DoneInPart(toolName, bounded, sources, delimiter)
    : new Done(toolName, bounded, sources, delimiter);
}

export function askedBefore(question: Question): ToolOutcome {
  return {
    kind: "asked",
    text: "This waits for a person's yes.",
    isError: true,
    code: "approval_required",
    sources: [],
    question,
  };
}

/** What did not start was refused. What started and may have changed something is unknown when nobody can tell. */
export function failure(
  error: unknown,
  tool: Tool | null,
  { signal }: ToolCall,
  progress: Progress,
): ToolOutcome {
  const failed = signal.aborted
    ? new AppError("cancelled", "The call was given up before it was done.")
    : toAppError(error);
  const { code, message, retryAfterMs, data } = failed;
  if (code === "internal_error") {
    const reason = failed.cause ?? error;
    log.error("a tool call failed", { tool_name: tool?.name ?? "unknown", error: reason });
  }
  return {
    kind: kindOf(code, tool, progress.hasStarted),
    text: message,
    isError: true,
    code,
    data,
    sources: [...new Set(progress.sources)],
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function kindOf(code: ErrorCode, tool: Tool | null, hasStarted: boolean): ToolOutcomeKind {
  if (!hasStarted) return "refused";
  if (tool === null || tool.kind === "read") return "failed";
  const certain: readonly ErrorCode[] = [
    "not_found",
    "permission_denied",
    "rate_limited",
    "invalid_arguments",
    "discord_error",
    "approval_required",
  ];
  return certain.includes(code) ? "failed" : "unknown";
}
