import { getLogger } from "@logtape/logtape";
import type { Forgotten, OnBehalf, OnForgotten } from "../actor.ts";
import type { TurnEvent } from "../agent/events.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import { createCdn } from "../discord/cdn.ts";
import { createDiscord, type Discord, type DiscordDeps } from "../discord/discord.ts";
import { createNoDiscord } from "../discord/no-discord.ts";
import type { Erasing } from "../erasing/erasing.ts";
import type { Limits } from "../limits/rate-limits.ts";
import { Listeners } from "../listeners.ts";
import type { Memory } from "../memory/memory.ts";
import type { Metrics } from "../metrics.ts";
import { createOutbound } from "../outbound/outbound.ts";
import type { EventHub } from "../sessions/events.ts";
import { createSessions, type Sessions } from "../sessions/service.ts";
import type { AgentRegistry } from "../tools/agent-port.ts";
import type { Tool } from "../tools/tool.ts";
import { createAppErasing } from "./erasing.ts";
import { type AppTools, createAppTools } from "./tools.ts";
import { createAppTurns } from "./turns.ts";

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
  /** What may store something of somebody is done by this, so that forgetting them waits for it. */
  readonly onBehalf: OnBehalf;
}

/**
 * A turn needs the tools, the tools what Discord gives to read, and Discord's chat the turns: the circle is closed
 * here, by looking up when they are asked for those that are made last.
 */
export function createWork({ config, memory, events, limits, metrics, now, ...deps }: WorkDeps): Work {
  const turnEvents = new Listeners<TurnEvent>();
  const messages = new Listeners<string>();
  const gone = new Listeners<Forgotten>();
  const accessChanges = new Listeners<string>();
  const { registry, flow } = later(() => appTools);
  const { preferences, transcript } = memory;
  const { ttlMs } = config.session;
  const sessions = createSessions({ store: memory.sessions, preferences, transcript, flow, ttlMs, now });
  const turns = createAppTurns({
    ...{ config, memory, sessions, registry, flow, events, metrics, now },
    onEvent: (event) => turnEvents.tell(event),
  });
  // Erasing reaches what runs, and is reached from the chat: the same circle once more.
  const { erasing, personal, listeners, visits, onTime } = createAppErasing({
    ...{ config, memory, turns, sessions, events, flow, now },
    revoke: deps.revoke,
    discord: () => discord,
    forgotten: (whose) => gone.tell(whose),
  });
  const { outbox, marks, gatewaySessions, identifies, seen } = memory;
  const discord = openDiscord(config.discord, {
    ...{ turns, sessions, personal, limits, metrics, now },
    ...{ outbox, marks, gatewaySessions, identifies, seen },
    ...listeners,
    onTime,
    onBehalf: visits.run,
    onBehalfLater: visits.runLater,
    tools: { list: async (actor) => appTools.registry.usable(actor, []) },
    onMessages: (channelId) => messages.tell(channelId),
    onAccessChanged: (guildId) => accessChanges.tell(guildId),
    onFatal: ({ message }) => log.error("Discord is given up: {message}", { message }),
  });
  const files = { ...createOutbound(), ...createCdn(config.discord.cdnUrl) };
  const { tools } = deps;
  const appTools = createAppTools({
    config,
    tools,
    discord,
    memory,
    files,
    limits,
    metrics,
    onBehalf: visits.run,
    now,
  });

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
    onBehalf: visits.run,
  };
}

/** The tools for those that are made before them. */
function later(tools: () => AppTools): Pick<AppTools, "flow"> & { readonly registry: AgentRegistry } {
  return {
    registry: {
      definitions: (actor, active) => tools().registry.definitions(actor, active),
      isRepeatable: (toolName) => tools().registry.isRepeatable(toolName),
      call: (request) => tools().registry.call(request),
      assertMayApprove: (call, approver) => tools().registry.assertMayApprove(call, approver),
    },
    flow: {
      restricted: (audience, sources, signal) => tools().flow.restricted(audience, sources, signal),
      policy: (guildId) => tools().flow.policy(guildId),
    },
  };
}

function openDiscord(config: Config["discord"], deps: Omit<DiscordDeps, "config">): Discord {
  const { token } = config;
  return token === null ? createNoDiscord() : createDiscord({ ...deps, config: { ...config, token } });
}
