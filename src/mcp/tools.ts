import type { CallToolResult, InputRequiredResult, Tool } from "@modelcontextprotocol/server";
import type { Actor } from "../actor.ts";
import { AppError, toAppError } from "../errors.ts";
import type { ToolInfo } from "../tools/registered.ts";
import type { Approvals, AskedCall } from "./approvals.ts";
import type { Exchange, McpCaller, McpDeps } from "./ports.ts";
import { stillWorking } from "./progress.ts";
import { resultSchema, toolDone, toolFailed, toolRefused } from "./results.ts";
import type { Arguments, Surface } from "./surface.ts";

type Deps = Pick<McpDeps, "tools" | "rules" | "places">;

/** The registry's tools as they are: same names, same order, same rules, same audit. */
export function toolSurface(deps: Deps, approvals: Approvals): Pick<Surface, "tools" | "call"> {
  // Made once for each tool: the registry gives the same object each time.
  const described = new WeakMap<ToolInfo, Tool>();
  const describe = (info: ToolInfo): Tool => {
    const known = described.get(info) ?? wireTool(info);
    described.set(info, known);
    return known;
  };

  async function call(toolName: string, input: Arguments, exchange: Exchange) {
    try {
      const actor = actorOf(exchange.caller);
      deps.rules.assertScope(exchange.caller.principal, "tools");
      await assertThere(deps, actor, exchange.signal);
      const asked = { toolName, input, actor };
      return await stillWorking(exchange, `${toolName} is still running.`, run(asked, exchange));
    } catch (error) {
      exchange.signal.throwIfAborted();
      const failure = toAppError(error);
      if (failure.code === "internal_error") throw error;
      return toolRefused(failure);
    }
  }

  async function run(asked: AskedCall, exchange: Exchange): Promise<CallToolResult | InputRequiredResult> {
    const { caller, signal } = exchange;
    const carried = approvals.carried(exchange);
    const taken = carried === null ? null : await approvals.take(asked, carried, exchange);
    if (taken !== null && "state" in taken) return approvals.put(taken, exchange);
    const outcome = await deps.tools.call({
      ...asked,
      activeTools: activeToolsOf(caller),
      sessionId: caller.session?.id ?? null,
      tokenId: caller.principal.tokenId,
      approval: taken,
      signal,
    });
    if (outcome.kind === "done") return toolDone(outcome);
    if (outcome.question !== undefined)
      return approvals.put(await approvals.ask(asked, outcome.question, exchange), exchange);
    const { text, code = "internal_error", data = {}, retryAfterMs } = outcome;
    return toolFailed(text, code, { data, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  return {
    tools: ({ caller }) => usable(deps, caller).map(describe),
    call: (name, given, exchange) =>
      deps.tools.list().some((tool) => tool.name === name) ? call(name, given, exchange) : null,
  };
}

function usable({ tools }: Deps, caller: McpCaller): readonly ToolInfo[] {
  if (!caller.principal.scopes.has("tools")) return [];
  return caller.actor === null ? tools.list() : tools.usable(caller.actor, activeToolsOf(caller));
}

const activeToolsOf = ({ session }: McpCaller): readonly string[] => session?.activeTools ?? [];

/** Throws AppError `forbidden`. */
export function actorOf({ actor }: McpCaller): Actor {
  if (actor !== null) return actor;
  throw new AppError(
    "forbidden",
    "This token is an operator's and speaks for nobody yet: say for whom with user_id in the address, or use a token that is bound to a person.",
    { data: { path: "user_id" } },
  );
}

/** Throws AppError when somebody cannot be where their client says. Who speaks from nowhere is anywhere. */
export async function assertThere({ places }: Pick<Deps, "places">, actor: Actor, signal: AbortSignal) {
  if (actor.kind === "user" && actor.guildId !== null) await places.assertReachable(actor, signal);
}

/** https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool */
function wireTool({ name, title, description, kind, repeatable, parameters }: ToolInfo): Tool {
  return {
    name,
    title,
    description,
    inputSchema: objectSchema(name, parameters),
    outputSchema: resultSchema,
    annotations: {
      title,
      readOnlyHint: kind === "read",
      destructiveHint: kind === "destroy",
      idempotentHint: repeatable,
      openWorldHint: true,
    },
  };
}

function objectSchema(name: string, parameters: unknown): Tool["inputSchema"] {
  if (typeof parameters === "object" && parameters !== null && !Array.isArray(parameters))
    return { ...parameters, type: "object" };
  throw new Error(`The arguments of ${name} are no object.`);
}
