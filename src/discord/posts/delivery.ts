import { getLogger } from "@logtape/logtape";
import type { TurnService } from "../../agent/turn-service.ts";
import { Lru } from "../../lru.ts";
import type { Post } from "../ports.ts";
import { DirectChannels } from "./direct-channels.ts";
import { Pauses } from "./pauses.ts";
import { Planner } from "./planner.ts";
import { due } from "./posts.ts";
import { Rounds } from "./rounds.ts";
import { type PostHead, Settler, type SettlerDeps } from "./settler.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface DeliveryDeps extends Omit<SettlerDeps, "turns" | "signal" | "onSent"> {
  readonly turns: Pick<TurnService, "onEnded" | "onApproval" | "approval" | "decide">;
  /** Between tries to open a direct channel, milliseconds. */
  readonly againMs: number;
  /** The server of a channel, where it is known. */
  readonly guildOf: (channelId: string) => string | null;
  /** The message of a question stands: what has been decided meanwhile can be shown there. */
  readonly onAsked: () => void;
}

const openBound = 1000;
const channelsAtOnce = 16;
/** Channels of one server at once: what is left is for the others. */
const channelsOfGuild = 12;
/** Posts until another channel has its turn: Discord takes five in five seconds of one channel. */
const batchSize = 5;
/** Channels whose last turn is remembered. */
const turnsBound = 10_000;
const retryEveryMs = 15_000;
/** The key of a pause of planning, where channels have theirs. */
const planningLane = "";

/**
 * Posts what is stored to be posted: answers of ended turns, questions and notices, in order within a channel and side by
 * side across channels. What was being sent when the process before ended is looked for before it is sent again.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #stop = new AbortController();
  readonly #planner: Planner;
  readonly #settler: Settler;
  /** Who sends in which channel, with the channel's server. */
  readonly #senders = new Map<string, { readonly guildId: string | null; readonly over: Promise<void> }>();
  /** When a channel had its last turn, counted in turns. */
  readonly #lastTurn = new Lru<number>(turnsBound);
  #turn = 0;
  readonly #unlisten: readonly (() => void)[];
  /** Channels whose first post has to wait. */
  readonly #pauses = new Pauses(() => this.wake());
  readonly #rounds = new Rounds(
    async () => {
      await this.#planner.plan();
      await this.#dispatch();
    },
    (error) => {
      log.error("posts could not be planned, trying again", { error });
      this.#pause(planningLane, retryEveryMs);
    },
  );

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    const { api, outbox, turns, againMs: retryMs } = deps;
    const { signal } = this.#stop;
    this.#settler = new Settler({ ...deps, signal, onSent: (post) => this.#sent(post) });
    const channels = new DirectChannels({ api, signal, retryMs, onChange: () => this.wake() });
    this.#planner = new Planner({
      outbox,
      directChannel: (userId) => channels.find(userId),
      giveUp: ({ approvalId, userId }) => this.#settler.giveUp(approvalId, userId),
    });
    this.#unlisten = [
      turns.onEnded((turn) => {
        if (turn.replyTo !== null) this.wake();
      }),
      turns.onApproval(({ state, askIn }) => {
        if (state === "pending" && askIn !== "none") this.wake();
      }),
    ];
  }

  start(): void {
    this.#rounds.start();
  }

  /** There may be something to post. Cheap; many calls at once are one. */
  wake(): void {
    this.#rounds.wake();
  }

  /** Our own message came by the gateway: whatever became of the request, it is posted. */
  async confirm(nonce: string, messageId: string): Promise<void> {
    const post = await this.#settler.confirm(nonce, messageId);
    if (post === null) return;
    this.#pauses.end(post.channelId);
    this.wake();
  }

  /** Lets what is being sent finish, plans and sends what is due, for at most `boundMs`; then stops. */
  async close(boundMs: number): Promise<void> {
    for (const stop of this.#unlisten) stop();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, boundMs);
    await Promise.race([this.#drain(), promise]);
    clearTimeout(timer);
    this.#rounds.stop();
    this.#stop.abort(new Error("the service is going down"));
    this.#pauses.endAll();
  }

  async #drain(): Promise<void> {
    this.wake();
    while (this.#rounds.underWay !== null || this.#senders.size > 0) {
      await this.#rounds.underWay;
      await Promise.all([...this.#senders.values()].map(({ over }) => over));
    }
  }

  #sent(post: PostHead): void {
    if (post.purpose === "question") this.#deps.onAsked();
    // A word about it may have waited for that in another channel.
    this.wake();
  }

  async #dispatch(): Promise<void> {
    const open = await this.#deps.outbox.nextOfEach(openBound);
    this.#deps.metrics.gauges.outbox.set(open.length);
    const waiting = Map.groupBy(due(open, open.length === openBound), (post) => post.channelId);
    // Whoever had a turn lately comes after those who had none; who never had one, as it came.
    const inTurn = [...waiting].sort(([a], [b]) => this.#turnOf(a) - this.#turnOf(b));
    for (const [channelId, posts] of inTurn) {
      if (this.#senders.has(channelId) || this.#pauses.has(channelId)) continue;
      if (this.#senders.size >= channelsAtOnce) return;
      const guildId = this.#deps.guildOf(channelId);
      if (guildId !== null && this.#channelsOf(guildId) >= channelsOfGuild) continue;
      this.#lastTurn.set(channelId, ++this.#turn);
      const over = this.#sendAll(posts.slice(0, batchSize))
        .catch((error: unknown) => {
          log.error("posts could not be sent, trying again", { channel_id: channelId, error });
          this.#pause(channelId, retryEveryMs);
          return false;
        })
        .then((isDone) => {
          this.#senders.delete(channelId);
          // There may be more of this channel by now, or another one that waits for its turn.
          const wasFull =
            this.#senders.size === channelsAtOnce - 1 ||
            (guildId !== null && this.#channelsOf(guildId) === channelsOfGuild - 1);
          if (isDone || wasFull) this.wake();
        });
      this.#senders.set(channelId, { guildId, over });
    }
  }

  #turnOf(channelId: string): number {
    return this.#lastTurn.get(channelId) ?? 0;
  }

  #channelsOf(guildId: string): number {
    let count = 0;
    for (const sender of this.#senders.values()) if (sender.guildId === guildId) count++;
    return count;
  }

  /** False when one is left open: those behind it have to wait. */
  async #sendAll(posts: readonly Post[]): Promise<boolean> {
    const dropped = new Set<string>();
    for (const post of posts) {
      if (dropped.has(post.nonce)) continue;
      if (this.#stop.signal.aborted) return false;
      const end = await this.#settler.settle(post);
      if (end.kind === "open") {
        this.#pause(post.channelId, end.waitMs);
        return false;
      }
      for (const nonce of end.dropped) dropped.add(nonce);
    }
    return true;
  }

  #pause(key: string, ms: number): void {
    if (!this.#stop.signal.aborted) this.#pauses.begin(key, ms);
  }
}
