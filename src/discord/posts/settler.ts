import type { API } from "@discordjs/core";
import { DiscordAPIError } from "@discordjs/rest";
import { getLogger } from "@logtape/logtape";
import type { TurnService } from "../../agent/turn-service.ts";
import { AppError } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import type { Metrics } from "../../metrics.ts";
import type { Outbox, Post } from "../ports.ts";
import { buttonsOf } from "./buttons.ts";
import { findPost, type PostComponents, sendPost } from "./post-sender.ts";
import { drop, tellRefusal } from "./refusals.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** A post without its text: what is remembered of one here outlives its row, and whoever had it forgotten. */
export type PostHead = Pick<Post, "nonce" | "purpose" | "channelId">;

export interface SettlerDeps {
  readonly api: API;
  readonly outbox: Outbox;
  readonly turns: Pick<TurnService, "approval" | "decide">;
  readonly botUserId: () => Promise<string>;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** How long a post of unknown fate is left alone, milliseconds; Discord itself may still be at it. */
  readonly lookAfterMs: number;
  readonly signal: AbortSignal;
  readonly onSent: (post: PostHead) => void;
}

/** What became of a post: `done`, with the nonces of those that are not to be sent because of it, or open for so long. */
export type Settled =
  | { readonly kind: "done"; readonly dropped: readonly string[] }
  | { readonly kind: "open"; readonly waitMs: number };

const lookMs = 15_000;
/** Of each: one that is forgotten is looked for in its channel instead. */
const rememberedBound = 1000;
const done: Settled = { kind: "done", dropped: [] };

/** Brings one post after the other to its end: sent once, or failed for good. */
export class Settler {
  readonly #deps: SettlerDeps;
  /** Posts of unknown fate, and posts that the gateway has shown to us. */
  readonly #unknown = new Lru<PostHead>(rememberedBound);
  readonly #confirmed = new Lru<string>(rememberedBound);

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
  }

  /** Our own message came by the gateway: whatever became of the request, it is posted. Gives the post that waited for that. */
  async confirm(nonce: string, messageId: string): Promise<PostHead | null> {
    const post = this.#unknown.get(nonce);
    if (post === undefined) this.#confirmed.set(nonce, messageId);
    else await this.#sent(post, messageId);
    return post ?? null;
  }

  async settle(post: Post): Promise<Settled> {
    const { api, outbox, now, lookAfterMs, signal } = this.#deps;
    if (post.state === "sending") {
      // That it arrived can be seen at once, that it never will only when Discord cannot be at it any more.
      if (await this.#wasPosted(post)) return done;
      const age = now() - (post.sendingAt ?? 0);
      if (age < lookAfterMs) return this.#isConfirmed(post, lookAfterMs - age);
    }
    const components = await this.#components(post);
    if (components === null)
      return { kind: "done", dropped: await drop(post, "decided before it was asked", outbox) };
    if (!(await outbox.markSending(post.nonce, now()))) return done;
    const result = await sendPost(api, post, components, signal);
    switch (result.kind) {
      case "sent":
        return this.#sent(post, result.messageId);
      case "failed":
        return { kind: "done", dropped: await this.#refused(post, result.reason) };
      case "unknown":
        return this.#isConfirmed(post, lookAfterMs);
      default:
        return result satisfies never;
    }
  }

  /** As if the one who asked had said no to a question that cannot be put. */
  async giveUp(approvalId: string, userId: string): Promise<void> {
    try {
      await this.#deps.turns.decide(approvalId, false, userId, this.#deps.signal);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "approval_not_found") throw error;
    }
  }

  async #sent(post: PostHead, messageId: string): Promise<Settled> {
    this.#unknown.delete(post.nonce);
    await this.#deps.outbox.markSent(post.nonce, messageId);
    this.#deps.onSent(post);
    return done;
  }

  async #refused(post: Post, reason: string): Promise<readonly string[]> {
    const { outbox, turns, metrics } = this.#deps;
    const { channelId, purpose, subject, ordinal } = post;
    this.#unknown.delete(post.nonce);
    log.warn("Discord does not take a post", { channel_id: channelId, purpose, reason });
    metrics.discordFailure("post_refused");
    await tellRefusal(post, outbox);
    const approval = purpose === "question" && ordinal === 0 ? await turns.approval(subject) : null;
    if (approval !== null) await this.giveUp(approval.id, approval.actor.userId);
    return drop(post, reason, outbox);
  }

  /** The buttons of a question. Null when it does not wait any more, so that there is nothing to press. */
  async #components({ purpose, ordinal, subject }: Post): Promise<PostComponents | null> {
    if (purpose !== "question" || ordinal !== 0) return [];
    const approval = await this.#deps.turns.approval(subject);
    return approval?.state === "pending" ? [buttonsOf(approval.id, approval.kind)] : null;
  }

  /** Whether the gateway has shown it; else it is left open for so long, and those behind it have to wait. */
  async #isConfirmed(post: Post, waitMs: number): Promise<Settled> {
    const messageId = this.#confirmed.get(post.nonce);
    if (messageId !== undefined) return this.#sent(post, messageId);
    log.warn("it is not known whether a post arrived; it will be looked for", { channel_id: post.channelId });
    this.#deps.metrics.discordFailure("post_unknown");
    const { nonce, purpose, channelId } = post;
    this.#unknown.set(nonce, { nonce, purpose, channelId });
    return { kind: "open", waitMs };
  }

  async #wasPosted(post: Post): Promise<boolean> {
    const { api, outbox } = this.#deps;
    const signal = AbortSignal.any([this.#deps.signal, AbortSignal.timeout(lookMs)]);
    const isClaimed = (messageId: string) => outbox.isOurs(messageId);
    try {
      const messageId = await findPost(api, post, await this.#deps.botUserId(), isClaimed, signal);
      if (messageId === null) return false;
      log.info("a post of unknown fate was found", { channel_id: post.channelId });
      await this.#sent(post, messageId);
      return true;
    } catch (error) {
      // A channel that is gone or closed to us: sending it says so for good.
      if (error instanceof DiscordAPIError && (error.status === 403 || error.status === 404)) return false;
      throw error;
    }
  }
}
