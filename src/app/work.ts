import { getLogger } from "@logtape/logtape";
import type { Forgotten, OnForgotten } from "../actor.ts";
import { createBudgets } from "../agent/budgets.ts";
import type { TurnEvent } from "../agent/events.ts";
import { Listeners } from "../agent/listeners.ts";
import { createModel } from "../agent/model-claude.ts";
import type { FlowPort } from "../agent/ports.ts";
import { createTurnService } from "../agent/service.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import { createCdn } from "../discord/cdn.ts";
import { createDiscord, type Discord, type DiscordDeps } from "../discord/discord.ts";
import { createNoDiscord } from "../discord/no-discord.ts";
import { createErasing, type Erasing } from "../erasing/erasing.ts";
import { createGuildRemoval } from "../erasing/guild-removal.ts";
import type { Limits } from "../limits/rate-limits.ts";
import { serviceLogs } from "../log.ts";
import type { Memory } from "../memory/memory.ts";
import type { Metrics } from "../metrics.ts";
import { createOutbound } from "../outbound/outbound.ts";
import { wireEvent } from "../protocol/wire.ts";
import type { EventHub } from "../sessions/events.ts";
import { createSessions, type Sessions } from "../sessions/service.ts";
import { agentTools } from "../tools/agent-port.ts";
import type { Tool } from "../tools/tool.ts";
import { createAppPersonal, createLiveParts } from "./personal.ts";
import { type AppTools, createAppTools } from "./tools.ts";

const log = getLogger(["discord-mcp", "app"]);

export interface WorkDeps {
  readonly config: Config;
  readonly memory: Memory;
  readonly tools: readonly Tool[];
  readonly events: EventHub;
  readonly limits: Limits;
  readonly metrics: Metrics;
  /** Ends a token, and closes what is open with it. */
  readonly revoke: (tokenId: string) => Promise<boolean>;
  readonly now: () => number;
}

/** What the doors lead to: sessions, turns, tools and Discord, which all need each other. */
export interface Work extends AppTools {
  readonly sessions: Sessions;
  readonly turns: TurnService;
  readonly discord: Discord;
  readonly erasing: Erasing;
  /** Every event of every turn; returns what ends that. */
  onTurnEvent(listener: (event: TurnEvent) => void): () => void;
  /** Each channel in which messages come, are edited or go; returns what ends that. */
  onMessages(listener: (channelId: string) => void): () => void;
  /** Each server in which who may be where, or read what, may have changed; returns what ends that. */
  onAccessChanged(listener: (guildId: string) => void): () => void;
  /** Each person or guild whose things have been deleted. */
  readonly onForgotten: OnForgotten;
}

/**
 * A turn needs the tools, the tools what Discord gives to read, and Discord's chat the turns: the circle is closed
 * here, by looking up when they are asked for those that are made last.
 */
export function createWork({
  config,
  memory,
  events,
  limits,
  metrics,
  revoke,
  now,
  ...deps
}: WorkDeps): Work {
  const turnEvents = new Listeners<TurnEvent>();
  const messages = new Listeners<string>();
  const gone = new Listeners<Forgotten>();
  const accessChanges = new Listeners<string>();
  const lateFlow: FlowPort = {
    restricted: (audience, sources, signal) => appTools.flow.restricted(audience, sources, signal),
    policy: (guildId) => appTools.flow.policy(guildId),
  };
  const sessions = createSessions({
    store: memory.sessions,
    preferences: memory.preferences,
    transcript: memory.transcript,
    flow: lateFlow,
    ttlMs: config.session.ttlMs,
    now,
  });
  const activeTools = async (sessionId: string) => (await sessions.get(sessionId)).activeTools;
  const turns = createTurnService({
    journal: memory.turns,
    history: memory.history,
    model: createModel(config.model, { metrics, now }),
    tools: {
      definitions: (actor, active) => appTools.registry.definitions(actor, active),
      isRepeatable: (toolName) => appTools.registry.isRepeatable(toolName),
      call: (request) => turnTools.call(request),
      assertMayApprove: (approval, actor, signal) => turnTools.assertMayApprove(approval, actor, signal),
    },
    flow: lateFlow,
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
      turnEvents.tell(event);
    },
    metrics,
    now,
  });
  // Erasing reaches what runs, and is reached from the chat: the same circle once more.
  const { erasures, eraser, exporter } = memory;
  const live = createLiveParts({
    ...{ turns, sessions, events, revoke, discord: () => discord },
    forgotten: (whose) => gone.tell(whose),
  });
  const erasing = createErasing({ erasures, eraser, live, logs: serviceLogs(config.dataDir), now });
  const failed = (error: unknown) => log.error("something could not be erased, trying again", { error });
  const guilds = createGuildRemoval({ erasures, graceMs: config.guildRemovalMs, now });
  const discord = openDiscord(config.discord, {
    turns,
    sessions,
    tools: { list: async (actor) => appTools.registry.usable(actor, []) },
    personal: createAppPersonal({ erasures, erasing, exporter, flow: lateFlow, onFailure: failed, now }),
    outbox: memory.outbox,
    marks: memory.marks,
    gatewaySessions: memory.gatewaySessions,
    identifies: memory.identifies,
    seen: memory.seen,
    limits,
    metrics,
    now,
    onMessages: (channelId) => messages.tell(channelId),
    onAccessChanged: (guildId) => accessChanges.tell(guildId),
    onGuildRemoved: (id) => void guilds.removed(id).then(erasing.runDue).catch(failed),
    onGuildPresent: (id) => void guilds.present(id).catch(failed),
    onGuildsListed: (ids, isOfShard) => void guilds.listed(ids, isOfShard).catch(failed),
    onFatal: ({ message }) => log.error("Discord is given up: {message}", { message }),
  });
  const files = { ...createOutbound(), ...createCdn(config.discord.cdnUrl) };
  const appTools = createAppTools({
    config,
    tools: deps.tools,
    discord,
    memory,
    files,
    limits,
    metrics,
    now,
  });
  const turnTools = agentTools(appTools.registry, activeTools);

  return {
    ...appTools,
    sessions,
    turns,
    discord,
    erasing,
    onTurnEvent: (listener) => turnEvents.add(listener),
    onMessages: (listener) => messages.add(listener),
    onAccessChanged: (listener) => accessChanges.add(listener),
    onForgotten: (listener) => gone.add(listener),
  };
}

function openDiscord(config: Config["discord"], deps: Omit<DiscordDeps, "config">): Discord {
  const { token } = config;
  return token === null ? createNoDiscord() : createDiscord({ ...deps, config: { ...config, token } });
}
