import type { Actor } from "../actor.ts";
import type { ToolOutcomeKind } from "../agent/events.ts";
import type { ToolPort } from "../agent/ports.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import type { Metrics } from "../metrics.ts";
import { argumentsParser } from "./arguments.ts";
import { createAudit } from "./audit.ts";
import { authorize, describeTargets } from "./authorize.ts";
import { createDeadlines } from "./deadline.ts";
import type { DiscordReader, PermissionFactsPort } from "./discord-port.ts";
import { createStandings, type Standings } from "./facts.ts";
import { doneWith, failure, type Progress } from "./outcome.ts";
import { plainSchema } from "./plain-schema.ts";
import type { AuditSink } from "./ports.ts";
import type { Tool } from "./tool.ts";
import { CallContext } from "./tool-context.ts";
import { markBytes, newDelimiter } from "./untrusted.ts";

export type ToolDefinition = ReturnType<ToolPort["definitions"]>[number];

export interface ToolInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
}

export interface ToolCall {
  readonly toolName: string;
  readonly input: unknown;
  readonly actor: Actor;
  /** Tools that the session has active; empty for all. */
  readonly activeTools: readonly string[];
  readonly sessionId: string | null;
  readonly turnId?: string | null;
  readonly tokenId?: string | null;
  readonly signal: AbortSignal;
}

export interface ToolOutcome {
  /** `refused`: it did not run. `unknown`: it may have changed something. */
  readonly kind: ToolOutcomeKind;
  /** The result as a JSON value within its bound, of a call that is `done`. */
  readonly value?: unknown;
  /** For the model: the result, marked as untrusted data, or the sentence that says what to do. */
  readonly text: string;
  readonly isError: boolean;
  readonly code?: ErrorCode;
  /** Further fields of an error, such as the path of a bad argument. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly sources: readonly string[];
  readonly retryAfterMs?: number;
}

export interface Registry {
  /** All tools, in their one order. */
  list(): readonly ToolInfo[];
  /** Those that make sense where the actor is, narrowed to the active ones. What Discord permits is decided at each call. */
  usable(actor: Actor, activeTools: readonly string[]): readonly ToolInfo[];
  /** The same for the model: of the same order and bytes each time, so that they can be cached. */
  definitions(actor: Actor, activeTools: readonly string[]): readonly ToolDefinition[];
  /** Whether a second run does no harm. Unknown names: true, they run nothing. */
  isRepeatable(toolName: string): boolean;
  /** The one way to run a tool. Throws nothing but the reason of the caller's signal, when that is aborted. */
  call(call: ToolCall): Promise<ToolOutcome>;
}

export interface RegistryOptions {
  readonly tools: readonly Tool[];
  readonly discord: DiscordReader;
  readonly facts: PermissionFactsPort;
  readonly audit: AuditSink;
  readonly metrics: Pick<Metrics, "toolCall">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds for one call, authorising included. */
  readonly timeoutMs: number;
  /** UTF-8 bytes of the text that the model is given; 1,024 at least. */
  readonly resultBytes: number;
  /** For tests: what the delimiter is made by. */
  readonly delimiter?: () => string;
}

interface Registered {
  readonly tool: Tool;
  readonly info: ToolInfo;
  readonly definition: ToolDefinition;
  readonly parse: ReturnType<typeof argumentsParser>;
}

/** Throws when a tool is not fit to be offered: a fault of the program, seen at its start. */
export function createRegistry(options: RegistryOptions): Registry {
  const { discord, facts, now, timeoutMs, resultBytes, delimiter = newDelimiter } = options;
  if (resultBytes < 1024) throw new Error("A tool's result needs at least 1,024 bytes.");
  const tools = new Map(options.tools.map((tool) => [tool.name, register(tool)]));
  if (tools.size !== options.tools.length) throw new Error("Two tools have the same name.");
  const audit = createAudit(options);
  const deadlines = createDeadlines(timeoutMs);
  const all = [...tools.values()];

  const usable = (actor: Actor, activeTools: readonly string[]) =>
    all.filter(
      ({ tool }) =>
        (tool.place !== "guild" || actor.guildId !== null) &&
        (activeTools.length === 0 || activeTools.includes(tool.name)),
    );

  async function run(call: ToolCall, registered: Registered, progress: Progress): Promise<ToolOutcome> {
    const { tool, parse } = registered;
    assertUsable(tool, call);
    const input = parse(call.input);
    const needs = tool.needs(input, call.actor);
    if (needs.length > 0) progress.targets = describeTargets(needs);
    const result = await deadlines.within(call.signal, tookTooLong(tool, timeoutMs), (underWay) => {
      let standings: Standings | null = null;
      const look = () => {
        standings ??= createStandings(facts, now, underWay.signal);
        return standings;
      };
      const begin = () => {
        progress.hasStarted = true;
        return tool.run(input, new CallContext(call.actor, look, underWay, { discord, now }));
      };
      if (needs.length === 0) return begin();
      return authorize(needs, call.actor, look()).then(() => {
        underWay.signal.throwIfAborted();
        return begin();
      });
    });
    return doneWith(tool.name, result, resultBytes - markBytes, delimiter);
  }

  async function call(request: ToolCall): Promise<ToolOutcome> {
    request.signal.throwIfAborted();
    const started = now();
    const registered = tools.get(request.toolName);
    const progress: Progress = { targets: "", hasStarted: false };
    let outcome: ToolOutcome;
    try {
      if (registered === undefined) throw unknownTool(request, usable);
      outcome = await run(request, registered, progress);
    } catch (error) {
      outcome = failure(error, registered?.tool ?? null, request, progress);
    }
    const written = audit(request, registered?.tool ?? null, outcome, progress.targets, started);
    if (written !== null) await written;
    // What was done before the caller gave up is still told.
    if (outcome.code === "cancelled") request.signal.throwIfAborted();
    return outcome;
  }

  return {
    list: () => all.map(({ info }) => info),
    usable: (actor, activeTools) => usable(actor, activeTools).map(({ info }) => info),
    definitions: (actor, activeTools) => usable(actor, activeTools).map(({ definition }) => definition),
    isRepeatable: (toolName) => tools.get(toolName)?.tool.repeatable ?? true,
    call,
  };
}

function register(tool: Tool): Registered {
  const { name, title, description } = tool;
  // https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use#specifying-client-tools
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) throw new Error(`${name} is no name for a tool.`);
  const parameters = plainSchema(tool.input);
  if (parameters.additionalProperties !== false)
    throw new Error(`The arguments of ${name} must refuse unknown properties.`);
  return {
    tool,
    info: { name, title, description, parameters },
    definition: { name, description, input_schema: parameters },
    parse: argumentsParser(name, tool.input),
  };
}

function assertUsable(tool: Tool, { activeTools, actor }: ToolCall): void {
  if (activeTools.length > 0 && !activeTools.includes(tool.name)) {
    throw new AppError(
      "tool_inactive",
      `${tool.name} is not active in this session; active are ${activeTools.slice(0, 20).join(", ")}.`,
    );
  }
  if (tool.place === "guild" && actor.guildId === null)
    throw new AppError("not_found", `${tool.name} works in servers only, and this is a direct message.`);
}

function unknownTool(
  { toolName, actor, activeTools }: ToolCall,
  usable: (actor: Actor, activeTools: readonly string[]) => readonly Registered[],
): AppError {
  const names = usable(actor, activeTools).map(({ tool }) => tool.name);
  const known = names.length === 0 ? "there are none here" : `known are ${names.join(", ")}`;
  return new AppError("unknown_tool", `There is no tool ${JSON.stringify(toolName.slice(0, 64))}; ${known}.`);
}

function tookTooLong(tool: Tool, timeoutMs: number) {
  return () =>
    new AppError(
      "timeout",
      `${tool.name} took longer than ${Math.round(timeoutMs / 100) / 10} s and was stopped; try again, or ask for less.`,
    );
}
