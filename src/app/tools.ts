import type { Actor, OnBehalf } from "../actor.ts";
import type { FlowPort } from "../agent/ports.ts";
import type { PlacesPort } from "../auth/ports.ts";
import type { Config } from "../config.ts";
import type { Discord } from "../discord/discord.ts";
import { createLimit, type Limits } from "../limits/rate-limits.ts";
import type { Memory } from "../memory/memory.ts";
import type { Metrics } from "../metrics.ts";
import { createFlow } from "../tools/flow.ts";
import { assertKnownWords, createPolicies } from "../tools/policy.ts";
import type { Files } from "../tools/ports.ts";
import { assertReachable } from "../tools/reach.ts";
import { createRegistry, type Registry } from "../tools/registry.ts";
import { fromChannel } from "../tools/sources.ts";
import type { Tool } from "../tools/tool.ts";

export interface AppToolsDeps {
  readonly config: Pick<Config, "discord" | "tools" | "turn">;
  readonly tools: readonly Tool[];
  readonly discord: Pick<Discord, "reader" | "writer" | "facts">;
  readonly memory: Pick<Memory, "audit" | "memories" | "sent">;
  readonly limits: Pick<Limits, "changes">;
  readonly metrics: Metrics;
  readonly files: Files;
  readonly onBehalf: OnBehalf;
  readonly now: () => number;
}

export interface AppTools {
  readonly registry: Registry;
  readonly flow: FlowPort;
  /** Without Discord there is nowhere to be and nothing to be seen: programs say where they speak, and are believed. */
  assertReachable: PlacesPort["assertReachable"];
  /** Whether somebody may read a channel where they are. Never rejects: what cannot be established is no. */
  mayRead(actor: Actor, channelId: string, signal: AbortSignal): Promise<boolean>;
}

/**
 * Channels that the state does not show are looked up by requests that Discord may refuse, and it shuts out who is
 * refused 10,000 times in ten minutes: https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
 * Each look-up is two such requests.
 */
const lookupsOfPerson = { points: 60, seconds: 60 };
const lookupsOfAll = { points: 300, seconds: 60 };

/** The registry with what it decides by. Throws AppError for a policy that names what does not exist. */
export function createAppTools({ config, tools, discord, memory, ...deps }: AppToolsDeps): AppTools {
  const { policy, guilds } = config.tools;
  assertKnownWords([policy, ...Object.values(guilds)], tools);
  const { now } = deps;
  const policies = createPolicies(policy, guilds);
  const { facts } = discord;
  // Without Discord there is nothing to wait for.
  const flow = createFlow({
    facts,
    policies,
    now,
    ...(config.discord.token === null ? { retryMs: [] } : {}),
  });
  const ofPerson = createLimit(
    lookupsOfPerson,
    "This person has named too many channels that cannot be seen",
  );
  const ofAll = createLimit(lookupsOfAll, "Too many channels were named that cannot be seen");
  const limits = {
    changes: deps.limits.changes,
    lookups: {
      async take(userId: string) {
        await ofPerson.take(userId);
        await ofAll.take("all");
      },
    },
  };
  const registry = createRegistry({
    ...deps,
    limits,
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
  const reach = (actor: Actor, signal: AbortSignal) =>
    assertReachable(actor, signal, {
      ...{ facts, policies, limits, now },
      discord: discord.reader,
      sent: memory.sent,
    });
  return {
    registry,
    flow,
    assertReachable: (actor, signal) => (config.discord.token === null ? undefined : reach(actor, signal)),
    async mayRead(actor, channelId, signal) {
      const { guildId, userId } = actor;
      try {
        await reach({ ...actor, channelId }, signal);
        const self = { kind: "user", guildId, userId } as const;
        return (await flow.restricted(self, [fromChannel(channelId)], signal)).length === 0;
      } catch {
        return false;
      }
    },
  };
}
