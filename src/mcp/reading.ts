import { type Actor, nowhere } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { ToolCall } from "../tools/call.ts";
import type { Exchange, McpDeps } from "./ports.ts";
import { wholeBytes } from "./results.ts";
import { assertThere } from "./tools.ts";

/** Whoever reads, and until when. */
export type By = Pick<Exchange, "caller" | "signal">;

export interface Read {
  readonly value: unknown;
  /** What it lacks, if it was too large. */
  readonly truncated?: string;
}

export interface Reading {
  /** What a tool gives, as that actor. Throws AppError as the call is refused. */
  tool(toolName: string, input: unknown, actor: Actor, by: By): Promise<Read>;
  /** Whether the tool could be called so now. Throws AppError as the call is refused. */
  assertMay(toolName: string, input: unknown, actor: Actor, by: By): Promise<void>;
  /** The actor as being in that server. Throws AppError when this client may not speak from there. */
  inGuild(guildId: string, actor: Actor, by: By): Actor;
}

/** Reading by address is calling a tool: the same rules, the same audit. */
export function createReading(deps: Pick<McpDeps, "tools" | "rules" | "places">): Reading {
  async function call(asked: Pick<ToolCall, "toolName" | "input" | "actor" | "isOnlyAsked">, by: By) {
    const { caller, signal } = by;
    deps.rules.assertScope(caller.principal, "tools");
    await assertThere(deps, asked.actor, signal);
    const outcome = await deps.tools.call({
      ...asked,
      activeTools: caller.session?.activeTools ?? [],
      sessionId: caller.session?.id ?? null,
      tokenId: caller.principal.tokenId,
      resultBytes: wholeBytes,
      signal,
    });
    if (outcome.kind === "done") return outcome;
    const { code = "internal_error", text, data = {}, retryAfterMs } = outcome;
    throw new AppError(code, text, { data, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  return {
    async tool(toolName, input, actor, by) {
      const { value, truncated } = await call({ toolName, input, actor }, by);
      return { value, ...(truncated === undefined ? {} : { truncated }) };
    },
    async assertMay(toolName, input, actor, by) {
      await call({ toolName, input, actor, isOnlyAsked: true }, by);
    },
    inGuild(guildId, actor, { caller }) {
      if (guildId === actor.guildId) return actor;
      if (caller.session !== null)
        throw new AppError("not_found", "A session token reads of its own server alone.");
      deps.rules.assertMayOpen(caller.principal, { userId: actor.userId, guildId });
      return { ...actor, guildId, channelId: nowhere };
    },
  };
}
