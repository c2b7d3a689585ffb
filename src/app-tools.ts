import type { Actor } from "./actor.ts";
import type { FlowPort } from "./agent/ports.ts";
import type { Config } from "./config.ts";
import type { Discord } from "./discord/discord.ts";
import type { Limits } from "./limits.ts";
import type { Memory } from "./memory/memory.ts";
import type { Metrics } from "./metrics.ts";
import { createFlow } from "./tools/flow.ts";
import { assertKnownWords, createPolicies } from "./tools/policy.ts";
import { assertReachable } from "./tools/reach.ts";
import { createRegistry, type Registry } from "./tools/registry.ts";
import type { Tool } from "./tools/tool.ts";

export interface AppToolsDeps {
  readonly config: Pick<Config, "discord" | "tools" | "turn">;
  readonly tools: readonly Tool[];
  readonly discord: Pick<Discord, "reader" | "writer" | "facts">;
  readonly memory: Pick<Memory, "audit" | "memories" | "sent">;
  readonly limits: Pick<Limits, "changes">;
  readonly metrics: Metrics;
  readonly now: () => number;
}

export interface AppTools {
  readonly registry: Registry;
  readonly flow: FlowPort;
  /** Without Discord there is nowhere to be and nothing to be seen: programs say where they speak, and are believed. */
  assertReachable(actor: Actor, signal: AbortSignal): Promise<void>;
}

/** The registry with what it decides by. Throws AppError for a policy that names what does not exist. */
export function createAppTools({ config, tools, discord, memory, ...deps }: AppToolsDeps): AppTools {
  const { policy, guilds } = config.tools;
  assertKnownWords([policy, ...Object.values(guilds)], tools);
  const { now } = deps;
  const policies = createPolicies(policy, guilds);
  const { facts } = discord;
  const flow = createFlow({ facts, policies, now });
  const registry = createRegistry({
    ...deps,
    tools,
    discord: discord.reader,
    change: discord.writer,
    facts,
    flow,
    policies,
    memories: memory.memories,
    sent: memory.sent,
    audit: memory.audit,
    timeoutMs: config.turn.toolTimeoutMs,
    resultBytes: config.turn.toolResultBytes,
  });
  return {
    registry,
    flow,
    async assertReachable(actor, signal) {
      if (config.discord.token === null) return;
      await assertReachable(actor, signal, {
        facts,
        discord: discord.reader,
        policies,
        sent: memory.sent,
        now,
      });
    },
  };
}
