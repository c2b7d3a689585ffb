import type { RestClients } from "../rest/client.ts";
import { Delivery, type DeliveryDeps } from "./delivery.ts";
import { Interactions, type InteractionsDeps } from "./interactions.ts";
import { Verdicts } from "./verdicts.ts";

export interface PostingDeps
  extends Pick<DeliveryDeps, "outbox" | "turns" | "botUserId" | "guildOf" | "metrics" | "now">,
    Pick<InteractionsDeps, "limits" | "onBehalf"> {
  readonly clients: Pick<RestClients, "reads" | "writes">;
  readonly timing: {
    readonly lookAfterMs: number;
    readonly againMs: number;
    readonly deferMs: number;
  };
}

export interface Posting {
  readonly delivery: Delivery;
  readonly interactions: Interactions;
  start(): void;
  /** Lets what is under way finish, for at most `boundMs`. */
  close(boundMs: number): Promise<void>;
}

/** What we say in Discord, and what people press under it: posts, verdicts and the answers to interactions. */
export function createPosting({ clients, timing, ...deps }: PostingDeps): Posting {
  const { outbox, turns, metrics, limits, onBehalf } = deps;
  const verdicts = new Verdicts({
    api: clients.reads,
    outbox,
    turns,
    onFailure: () => metrics.discordFailure("verdict"),
    retryMs: timing.againMs,
  });
  const delivery = new Delivery({
    ...deps,
    api: clients.writes,
    lookAfterMs: timing.lookAfterMs,
    againMs: timing.againMs,
    onAsked: () => verdicts.wake(),
  });
  const interactions = new Interactions({
    api: clients.writes,
    turns,
    verdicts,
    limits,
    onBehalf,
    onFailure: () => metrics.discordFailure("interaction"),
    deferAfterMs: timing.deferMs,
  });
  return {
    delivery,
    interactions,
    start() {
      delivery.start();
      verdicts.start();
    },
    async close(boundMs) {
      await Promise.all([delivery.close(boundMs), verdicts.close(boundMs), interactions.close(boundMs)]);
    },
  };
}
