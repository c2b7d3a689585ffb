import { createBudgets } from "../agent/budgets.ts";
import type { TurnEvent } from "../agent/events.ts";
import { createModel } from "../agent/model-claude.ts";
import type { FlowPort } from "../agent/ports.ts";
import type { TurnService } from "../agent/turn-service.ts";
import { createTurnService } from "../agent/turns.ts";
import type { Config } from "../config.ts";
import type { Memory } from "../memory/memory.ts";
import type { Metrics } from "../metrics.ts";
import { wireEvent } from "../protocol/wire.ts";
import type { EventHub } from "../sessions/events.ts";
import type { Sessions } from "../sessions/service.ts";
import { type AgentRegistry, agentTools } from "../tools/agent-port.ts";

export interface AppTurnsDeps {
  readonly config: Config;
  readonly memory: Pick<Memory, "turns" | "history" | "approvals" | "preferences" | "budgets">;
  readonly sessions: Pick<Sessions, "get">;
  readonly registry: AgentRegistry;
  readonly flow: FlowPort;
  readonly events: Pick<EventHub, "publish">;
  /** After those who listen to the session. */
  readonly onEvent: (event: TurnEvent) => void;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** The agent, with the model that the configuration names and the tools that a session has. */
export function createAppTurns(deps: AppTurnsDeps): TurnService {
  const { config, memory, sessions, registry, flow, events, onEvent, metrics, now } = deps;
  const activeTools = async (sessionId: string) => (await sessions.get(sessionId)).activeTools;
  return createTurnService({
    journal: memory.turns,
    history: memory.history,
    model: createModel(config.model, { metrics, now }),
    tools: agentTools(registry, activeTools),
    flow,
    approvals: memory.approvals,
    approvalMs: config.tools.approvalMs,
    context: {
      async read({ sessionId, actor }) {
        const active = await activeTools(sessionId);
        return { preferences: await memory.preferences.get(actor.userId), activeTools: active };
      },
    },
    budgets: createBudgets(memory.budgets, config.turn, now),
    config,
    emit(conversationId, event, sources = []) {
      events.publish(conversationId, wireEvent(event), { sources });
      onEvent(event);
    },
    metrics,
    now,
  });
}
