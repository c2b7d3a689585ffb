import type { Tool } from "@modelcontextprotocol/server";
import { type Actor, atOnce, nowhere } from "../actor.ts";
import { AppError, toAppError } from "../errors.ts";
import type { ToolInfo } from "../tools/registered.ts";
import type { Approvals, AskedCall } from "./approvals.ts";
import { createCallMemory, type Ended, idempotencyKey } from "./idempotency.ts";
import type { Exchange, McpCaller, McpDeps } from "./ports.ts";
import { stillWorking } from "./progress.ts";
import { resultSchema, toolDone, toolFailed, toolRefused, wholeBytes } from "./results.ts";
import type { Arguments, Surface } from "./surface.ts";

type Deps = Pick<McpDeps, "tools" | "rules" | "places" | "sessions" | "onForgotten" | "onBehalf">;

/** The registry's tools as they are: same names, same order, same rules, same audit. */
export function toolSurface(deps: Deps, approvals: Approvals): Pick<Surface, "tools" | "call"> {
  // Made once for each tool: the registry gives the same object each time.
  const described = new WeakMap<ToolInfo, Tool>();
  const describe = (info: ToolInfo): Tool => {
    const known = described.get(info) ?? wireTool(info);
    described.set(info, known);
    return known;
  };

  const { onBehalf = atOnce } = deps;
  const remember = createCallMemory(deps.sessions.assertMayRead, deps.onForgotten);

  async function call(info: ToolInfo, input: Arguments, exchange: Exchange) {
    try {
      const actor = actorOf(exchange.caller);
      deps.rules.assertScope(exchange.caller.principal, "tools");
      return await onBehalf(actor, () => callAs(actor, info, input, exchange));
    } catch (error) {
      exchange.signal.throwIfAborted();
      const failure = toAppError(error);
      if (failure.code === "internal_error") throw error;
      return toolRefused(failure);
    }
  }

  async function callAs(
    actor: Actor,
    { name: toolName, kind }: ToolInfo,
    input: Arguments,
    exchange: Exchange,
  ) {
    await assertThere(deps, actor, exchange.signal);
    const key = idempotencyKey(exchange);
    const asked = { toolName, input, actor, isRead: kind === "read" };
    const work =
      key === null || asked.isRead
        ? run(asked, exchange).then(({ result }) => result)
        : remember(key, [toolName, input], exchange, () => run(asked, exchange));
    return stillWorking(exchange, `${toolName} is still running.`, work);
  }

  async function run(asked: AskedCall & { readonly isRead: boolean }, exchange: Exchange): Promise<Ended> {
    const { caller, signal } = exchange;
    const { toolName, input, actor } = asked;
    const carried = approvals.carried(exchange);
    const taken = carried === null ? null : await approvals.take(asked, carried, exchange);
    const asking = (question: Parameters<typeof approvals.put>[0]): Ended => ({
      result: approvals.put(question, exchange),
      ...{ isFinal: false, sources: [] },
    });
    if (taken !== null && "state" in taken) return asking(taken);
    const outcome = await deps.tools.call({
      ...{ toolName, input, actor },
      activeTools: activeToolsOf(caller),
      sessionId: caller.session?.id ?? null,
      tokenId: caller.principal.tokenId,
      approval: taken,
      resultBytes: wholeBytes,
      signal,
    });
    const { sources } = outcome;
    if (outcome.kind === "done") return { result: toolDone(asked, outcome), isFinal: true, sources };
    if (outcome.question !== undefined) return asking(await approvals.ask(asked, outcome.question, exchange));
    const { text, code = "internal_error", data = {}, retryAfterMs, kind } = outcome;
    const more = { data, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    return { result: toolFailed(text, code, more), isFinal: kind === "unknown", sources };
  }

  return {
    tools: ({ caller }) => usable(deps, caller).map(describe),
    call(name, given, exchange) {
      const info = deps.tools.list().find((tool) => tool.name === name);
      return info === undefined ? null : call(info, given, exchange);
    },
  };
}

/** Those that a token has from where it calls; an operator who has named nobody looks at all of them. */
export function usable({ tools }: Pick<McpDeps, "tools">, caller: McpCaller): readonly ToolInfo[] {
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

/** Throws AppError when somebody cannot be where their client says. Who names neither a server nor a channel is anywhere. */
export async function assertThere({ places }: Pick<Deps, "places">, actor: Actor, signal: AbortSignal) {
  const { kind, guildId, channelId } = actor;
  if (kind === "user" && (guildId !== null || channelId !== nowhere))
    await places.assertReachable(actor, signal);
}

/** https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool */
function wireTool({ name, title, description, kind, repeatable, parameters, output }: ToolInfo): Tool {
  return {
    name,
    title,
    description,
    inputSchema: objectSchema(name, parameters),
    outputSchema: resultSchema(output),
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
