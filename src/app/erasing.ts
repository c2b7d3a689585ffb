import { getLogger } from "@logtape/logtape";
import type { Forgotten } from "../actor.ts";
import type { FlowPort } from "../agent/ports.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import type { PersonalData } from "../discord/chat/personal-commands.ts";
import type { Discord } from "../discord/discord.ts";
import type { GatewayListeners } from "../discord/gateway/events.ts";
import type { PartsDeps } from "../discord/parts.ts";
import { createErasing, type Erasing, type LiveParts } from "../erasing/erasing.ts";
import { createGuildRemoval } from "../erasing/guild-removal.ts";
import { createVisits, type Visits } from "../erasing/visits.ts";
import { serviceLogs } from "../log.ts";
import type { Memory } from "../memory/memory.ts";
import type { EventHub } from "../sessions/events.ts";
import type { Sessions } from "../sessions/service.ts";
import { createAppPersonal } from "./personal.ts";

const log = getLogger(["discord-mcp", "app"]);

interface LivePartsDeps {
  readonly turns: Pick<TurnService, "cancel" | "pendingApprovals" | "decide">;
  readonly sessions: Pick<Sessions, "forget">;
  readonly events: Pick<EventHub, "forget">;
  readonly revoke: (tokenId: string) => Promise<unknown>;
  /** Tells all others who remember something. */
  readonly forgotten: (whose: Forgotten) => void;
  readonly discord: () => Pick<Discord, "reply" | "flush" | "isIn" | "now">;
}

export interface AppErasingDeps extends LivePartsDeps {
  readonly config: Pick<Config, "dataDir" | "guildRemovalMs">;
  readonly memory: Pick<Memory, "erasures" | "eraser" | "exporter">;
  readonly flow: Pick<FlowPort, "restricted">;
  readonly now: () => number;
}

/** What becomes of what is stored about people and servers when they want it gone, or want to have it. */
export interface AppErasing {
  readonly erasing: Erasing;
  readonly personal: PersonalData;
  /** What of the gateway's news it wants to hear. */
  readonly listeners: Pick<GatewayListeners, "onGuildRemoved" | "onGuildPresent" | "onGuildsListed">;
  /** What people have done for them: forgetting them waits for it. */
  readonly visits: Visits;
  /** Puts right what a clock that is ahead of Discord's has noted. */
  readonly onTime: NonNullable<PartsDeps["onTime"]>;
}

const decideMs = 5000;
/** By how much Discord's clock may be ahead of what is known of it. */
const clockErrorMs = 2000;
const done =
  "Done: I have deleted everything that I kept about you. What I posted in Discord stays there until somebody deletes it.";

export function createAppErasing(deps: AppErasingDeps): AppErasing {
  const { config, memory, flow, now } = deps;
  const { erasures, eraser, exporter } = memory;
  const visits = createVisits();
  const logs = serviceLogs(config.dataDir);
  const erasing = createErasing({ erasures, eraser, live: createLiveParts(deps, visits), logs, now });
  const onFailure = (error: unknown) => log.error("something could not be erased, trying again", { error });
  const guilds = createGuildRemoval({ erasures, graceMs: config.guildRemovalMs, now });
  return {
    erasing,
    visits,
    onTime: (discordNow) => erasures.notAfter(discordNow + clockErrorMs),
    personal: createAppPersonal({ erasures, erasing, exporter, flow, onFailure, now }),
    listeners: {
      onGuildRemoved: (id) => void guilds.removed(id).then(erasing.runDue).catch(onFailure),
      onGuildPresent: (id) => void guilds.present(id).catch(onFailure),
      onGuildsListed: (ids, isOfShard) => void guilds.listed(ids, isOfShard).catch(onFailure),
    },
  };
}

/** What the eraser has to reach in a running service. */
function createLiveParts(deps: LivePartsDeps, { shut }: Pick<Visits, "shut">): LiveParts {
  const { turns, sessions, events, revoke, forgotten, discord } = deps;
  return {
    shut,
    discordNow: () => discord().now(),
    flush: () => discord().flush(),
    async stop(conversationId) {
      await turns.cancel(conversationId);
      for (const { id, actor } of await turns.pendingApprovals(conversationId))
        await turns.decide(id, false, actor.userId, AbortSignal.timeout(decideMs)).catch(() => undefined);
    },
    async revoke(tokenId) {
      await revoke(tokenId);
    },
    async forget(subject, { conversationIds, sessionIds }) {
      sessions.forget(sessionIds);
      for (const id of conversationIds) events.forget(id);
      forgotten(subject);
    },
    isIn: (guildId) => discord().isIn(guildId),
    tell: (replyTo) => discord().reply(replyTo, done),
  };
}
