import type {
  CallToolResult,
  CompleteRequestParams,
  GetPromptResult,
  InputRequiredResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";
import type { Exchange, McpCaller } from "./ports.ts";

export type Answer<Result> = Promise<Result | InputRequiredResult>;
export type Arguments = Readonly<Record<string, unknown>>;

/** Something to complete, as `completion/complete` names it. */
export type Completing = Pick<CompleteRequestParams, "ref" | "argument" | "context">;

/**
 * What a server offers. What a surface does not know it answers with null, so that several make one: the next is
 * asked. Lists are in one order, the same each time.
 */
export interface Surface {
  tools(exchange: Exchange): readonly Tool[];
  /** A failure of the call is in the result; throws what is wrong with the request itself. */
  call(name: string, given: Arguments, exchange: Exchange): Answer<CallToolResult> | null;
  resources(exchange: Exchange): Promise<readonly Resource[]>;
  templates(): readonly ResourceTemplateType[];
  read(uri: string, exchange: Exchange): Answer<ReadResourceResult> | null;
  /** Begins to tell of changes; resolves with what ends it. Throws what reading it would. */
  watch(
    uri: string,
    caller: McpCaller,
    tell: (uri: string) => void,
    signal: AbortSignal,
  ): Promise<() => void> | null;
  prompts(exchange: Exchange): readonly Prompt[];
  prompt(
    name: string,
    given: Readonly<Record<string, string>>,
    exchange: Exchange,
  ): Answer<GetPromptResult> | null;
  /** At most 100 values, the best first. */
  complete(asked: Completing, exchange: Exchange): Promise<readonly string[]> | null;
}

/** Several surfaces as one. */
export function merged(surfaces: readonly Partial<Surface>[]): Surface {
  const first = <Found>(find: (surface: Partial<Surface>) => Found | null | undefined): Found | null => {
    for (const surface of surfaces) {
      const found = find(surface);
      if (found !== null && found !== undefined) return found;
    }
    return null;
  };
  return {
    tools: (exchange) => surfaces.flatMap((one) => one.tools?.(exchange) ?? []),
    call: (name, given, exchange) => first((one) => one.call?.(name, given, exchange)),
    resources: async (exchange) =>
      (await Promise.all(surfaces.map(async (one) => (await one.resources?.(exchange)) ?? []))).flat(),
    templates: () => surfaces.flatMap((one) => one.templates?.() ?? []),
    read: (uri, exchange) => first((one) => one.read?.(uri, exchange)),
    watch: (uri, caller, tell, signal) => first((one) => one.watch?.(uri, caller, tell, signal)),
    prompts: (exchange) => surfaces.flatMap((one) => one.prompts?.(exchange) ?? []),
    prompt: (name, given, exchange) => first((one) => one.prompt?.(name, given, exchange)),
    complete: (asked, exchange) => first((one) => one.complete?.(asked, exchange)),
  };
}
