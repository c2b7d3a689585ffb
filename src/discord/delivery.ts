import type { API } from "@discordjs/core";
import { DiscordAPIError } from "@discordjs/rest";
import { getLogger } from "@logtape/logtape";
import type { TurnService } from "../agent/turn-service.ts";
import { Lru } from "../lru.ts";
import type { Metrics } from "../metrics.ts";
import type { Outbox, Post } from "./ports.ts";
import { findPost, sendPost } from "./post-sender.ts";
import { planPosts } from "./posts.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface DeliveryDeps {
  readonly api: API;
  readonly outbox: Outbox;
  readonly turns: Pick<TurnService, "onEnded">;
  readonly botUserId: () => Promise<string>;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** How long a post of unknown fate is left alone, milliseconds; Discord itself may still be at it. */
  readonly lookAfterMs: number;
}

const PLAN_BATCH = 32;
const OPEN_BOUND = 1000;
const CHANNELS_AT_ONCE = 8;
const RETRY_MS = 15_000;
const CONFIRMED_BOUND = 1000;

/**
 * Posts what is stored to be posted: answers of ended turns and notices, in order within a channel and side by side
 * across channels. What was being sent when the process before ended is looked for before it is sent again.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #stop = new AbortController();
  readonly #senders = new Map<string, Promise<void>>();
  readonly #unlisten: () => void;
  /** Channels whose first post has to wait, with what ends the wait. */
  readonly #blocked = new Map<string, ReturnType<typeof setTimeout>>();
  /** Posts of unknown fate, and posts that the gateway has shown to us. */
  readonly #unknown = new Map<string, string>();
  readonly #confirmed = new Lru<string>(CONFIRMED_BOUND);
  #round: Promise<void> | null = null;
  #isDirty = false;
  #isStarted = false;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.#unlisten = deps.turns.onEnded((turn) => {
      if (turn.replyTo !== null) this.wake();
    });
  }

  start(): void {
    this.#isStarted = true;
    this.wake();
  }

  /** There may be something to post. Cheap; many calls at once are one. */
  wake(): void {
    this.#isDirty = true;
    if (!this.#isStarted || this.#stop.signal.aborted) return;
    this.#round ??= this.#rounds().finally(() => {
      this.#round = null;
      if (this.#isDirty && !this.#stop.signal.aborted) this.wake();
    });
  }

  /** Our own message came by the gateway: whatever became of the request, it is posted. */
  async confirm(nonce: string, messageId: string): Promise<void> {
    const channelId = this.#unknown.get(nonce);
    if (channelId === undefined) {
      this.#confirmed.set(nonce, messageId);
      return;
    }
    this.#unknown.delete(nonce);
    await this.#deps.outbox.markSent(nonce, messageId);
    this.#unblock(channelId);
    this.wake();
  }

  /** Lets what is being sent finish, plans and sends what is due, for at most `boundMs`; then stops. */
  async close(boundMs: number): Promise<void> {
    this.#unlisten();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, boundMs);
    await Promise.race([this.#drain(), promise]);
    clearTimeout(timer);
    this.#stop.abort(new Error("the service is going down"));
    for (const channelId of [...this.#blocked.keys()]) this.#unblock(channelId);
  }

  async #drain(): Promise<void> {
    this.wake();
    while (this.#round !== null || this.#senders.size > 0) {
      await this.#round;
      await Promise.all(this.#senders.values());
    }
  }

  async #rounds(): Promise<void> {
    while (this.#isDirty && !this.#stop.signal.aborted) {
      this.#isDirty = false;
      try {
        await this.#plan();
        await this.#dispatch();
      } catch (error) {
        log.error("posts could not be planned, trying again", { error });
        this.#block("", RETRY_MS);
      }
    }
  }

  async #plan(): Promise<void> {
    for (;;) {
      const due = await this.#deps.outbox.undelivered(PLAN_BATCH);
      for (const { turnId, answer, ...place } of due) {
        const posts = planPosts({ ...place, purpose: "answer", subject: turnId, text: answer });
        await this.#deps.outbox.planAnswer(turnId, posts);
      }
      if (due.length < PLAN_BATCH) return;
    }
  }

  async #dispatch(): Promise<void> {
    const open = await this.#deps.outbox.open(OPEN_BOUND);
    this.#deps.metrics.gauges.outbox.set(open.length);
    for (const [channelId, posts] of Map.groupBy(open, (post) => post.channelId)) {
      if (this.#senders.has(channelId) || this.#blocked.has(channelId)) continue;
      if (this.#senders.size >= CHANNELS_AT_ONCE) return;
      const sender = this.#sendAll(posts)
        .catch((error: unknown) => {
          log.error("posts could not be sent, trying again", { channel_id: channelId, error });
          this.#block(channelId, RETRY_MS);
          return false;
        })
        .then((isDone) => {
          this.#senders.delete(channelId);
          // There may be more of this channel by now, or another one that waits for its turn.
          if (isDone || this.#senders.size === CHANNELS_AT_ONCE - 1) this.wake();
        });
      this.#senders.set(channelId, sender);
    }
  }

  /** False when one is left open: those behind it have to wait. */
  async #sendAll(posts: readonly Post[]): Promise<boolean> {
    for (const post of posts) {
      if (this.#stop.signal.aborted || !(await this.#settle(post))) return false;
    }
    return true;
  }

  async #settle(post: Post): Promise<boolean> {
    const { api, outbox, now, lookAfterMs } = this.#deps;
    if (post.state === "sending") {
      // That it arrived can be seen at once, that it never will only when Discord cannot be at it any more.
      if (await this.#wasPosted(post)) return true;
      const age = now() - (post.sendingAt ?? 0);
      if (age < lookAfterMs) return this.#isConfirmed(post, lookAfterMs - age);
    }
    await outbox.markSending(post.nonce, now());
    const result = await sendPost(api, post, this.#stop.signal);
    this.#unknown.delete(post.nonce);
    switch (result.kind) {
      case "sent":
        await outbox.markSent(post.nonce, result.messageId);
        return true;
      case "failed":
        log.warn("Discord does not take a post", {
          channel_id: post.channelId,
          purpose: post.purpose,
          reason: result.reason,
        });
        this.#deps.metrics.discordFailure("post_refused");
        await outbox.markFailed(post.nonce, result.reason);
        return true;
      case "unknown":
        return this.#isConfirmed(post, lookAfterMs);
      default:
        return result satisfies never;
    }
  }

  /** Whether the gateway has shown it; else it is left open for so long, and those behind it have to wait. */
  async #isConfirmed(post: Post, waitMs: number): Promise<boolean> {
    const messageId = this.#confirmed.get(post.nonce);
    if (messageId !== undefined) {
      await this.#deps.outbox.markSent(post.nonce, messageId);
      return true;
    }
    log.warn("it is not known whether a post arrived; it will be looked for", { channel_id: post.channelId });
    this.#deps.metrics.discordFailure("post_unknown");
    this.#unknown.set(post.nonce, post.channelId);
    this.#block(post.channelId, waitMs);
    return false;
  }

  async #wasPosted(post: Post): Promise<boolean> {
    const { api, outbox } = this.#deps;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(RETRY_MS)]);
    const isClaimed = (messageId: string) => outbox.isOurs(messageId);
    try {
      const messageId = await findPost(api, post, await this.#deps.botUserId(), isClaimed, signal);
      if (messageId === null) return false;
      log.info("a post of unknown fate was found", { channel_id: post.channelId });
      this.#unknown.delete(post.nonce);
      await outbox.markSent(post.nonce, messageId);
      return true;
    } catch (error) {
      // A channel that is gone or closed to us: sending it says so for good.
      if (error instanceof DiscordAPIError && (error.status === 403 || error.status === 404)) return false;
      throw error;
    }
  }

  #block(channelId: string, ms: number): void {
    if (this.#stop.signal.aborted) return;
    this.#unblock(channelId);
    const timer = setTimeout(() => {
      this.#unblock(channelId);
      this.wake();
    }, ms);
    timer.unref();
    this.#blocked.set(channelId, timer);
  }

  #unblock(channelId: string): void {
    clearTimeout(this.#blocked.get(channelId));
    this.#blocked.delete(channelId);
  }
}
