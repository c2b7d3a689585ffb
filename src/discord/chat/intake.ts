import { getLogger } from "@logtape/logtape";
import {
  GatewayDispatchEvents as Events,
  type GatewayDispatchPayload,
  type GatewayMessageCreateDispatchData,
} from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import type { Metrics } from "../../metrics.ts";
import type { DiscordReader } from "../../tools/discord-port.ts";
import { delay } from "../../waiting.ts";
import type { ChannelMarks } from "../ports.ts";
import { type AcceptanceDeps, accept } from "./acceptance.ts";
import { CatchUp } from "./catch-up.ts";
import { ChannelQueues } from "./channel-queues.ts";
import { mayConcernUs, readText } from "./chat.ts";
import { namesOf } from "./chat-world.ts";
import { type Incoming, isFromMachine, readIncoming } from "./incoming.ts";
import { LeftToTheNext } from "./left.ts";
import type { Marks } from "./marks.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface IntakeDeps extends AcceptanceDeps {
  readonly marks: Marks;
  readonly markStore: ChannelMarks;
  readonly reader: DiscordReader;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Between tries of a message that cannot be taken in, milliseconds. */
  readonly retryMs: readonly number[];
}

/**
 * Live events of one channel that may wait, and in all: beyond it the channel is read again instead, and what was edited
 * or deleted is answered as it was. A few of each channel always may, so that those that are quiet are taken in.
 */
const waitingBound = 500;
const waitingInAll = 20_000;
const waitingAlways = 10;
/** How long until a message is tried again that there was no room for. */
const storageRetryMs = 10_000;
const acceptedBound = 5000;

/**
 * Everything about messages that the gateway brings: one intake per channel, in order. The promise of a message settles
 * when it is durably accepted or deliberately passed over; after `stop` it never does, which leaves it to the next process.
 */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #queues = new ChannelQueues();
  readonly #catchUp: CatchUp;
  readonly #accepted = new Lru<true>(acceptedBound);
  readonly #stop = new AbortController();
  #botUserId = "";

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#catchUp = new CatchUp({
      marks: deps.marks,
      store: deps.markStore,
      reader: deps.reader,
      facts: deps.facts,
      state: deps.state,
      signal: this.#stop.signal,
      retryMs: deps.retryMs,
      now: deps.now,
      queue: (channelId, task) => this.#run(channelId, task),
      handle: (message) => this.#take(message),
    });
  }

  start(botUserId: string): void {
    this.#botUserId = botUserId;
  }

  /** Resolves with whether something may have been missed; never rejects. */
  sessionBegan(shardId: number, shardCount: number): Promise<boolean> {
    return this.#catchUp.sessionBegan(shardId, shardCount);
  }

  /** Resolves when everything is caught up; never, when that is left to the next process. */
  guildsArrived(): Promise<void> {
    return this.#catchUp.scanUnlisted();
  }

  /** Nothing more is taken in; what has been begun is finished. */
  stop(): void {
    this.#stop.abort(new AppError("shutting_down", "The service is going down."));
  }

  settled(): Promise<void> {
    return this.#queues.settled();
  }

  dispatch(payload: GatewayDispatchPayload): Promise<void> | undefined {
    switch (payload.t) {
      case Events.MessageCreate:
        return this.#create(payload.d);
      case Events.MessageUpdate:
        if (payload.d.edited_timestamp === null || isFromMachine(payload.d)) return undefined;
        return this.#edit(readIncoming(payload.d));
      case Events.MessageDelete:
        return this.#remove(payload.d.channel_id, [payload.d.id]);
      case Events.MessageDeleteBulk:
        return this.#remove(payload.d.channel_id, payload.d.ids);
      case Events.GuildCreate:
        if (payload.d.unavailable !== true) this.#catchUp.guildCreated(payload.d);
        return undefined;
      default:
        return undefined;
    }
  }

  #create(data: GatewayMessageCreateDispatchData): Promise<void> | undefined {
    const { channel_id: channelId, id } = data;
    const concernsUs =
      !isFromMachine(data) && mayConcernUs(readIncoming(data), this.#botUserId, this.#deps.config.prefix);
    const mustWait = this.#queues.length(channelId) > 0 || this.#catchUp.isDue(channelId);
    if (!concernsUs && !mustWait && !this.#stop.signal.aborted) {
      this.#deps.marks.advance(channelId, id);
      return undefined;
    }
    const guildId = data.guild_id ?? null;
    if (this.#isFull(channelId)) return this.#catchUp.again(channelId, guildId);
    return this.#run(channelId, async () => {
      await this.#catchUp.before(channelId, guildId);
      if (concernsUs) await this.#take(readIncoming(data));
      this.#deps.marks.advance(channelId, id);
    });
  }

  #isFull(channelId: string): boolean {
    const { total } = this.#queues;
    return this.#queues.length(channelId) >= (total < waitingInAll ? waitingBound : waitingAlways);
  }

  /** Tries until it is stored or passed over. A message that cannot be taken in must not hold up its channel for ever. */
  async #take(message: Incoming): Promise<void> {
    for (const delayMs of [...this.#deps.retryMs, null]) {
      try {
        if ((await this.#accept(message)) === "accepted") this.#accepted.set(message.id, true);
        return;
      } catch (error) {
        if (this.#stop.signal.aborted || isShutdown(error)) throw new LeftToTheNext();
        log.error("a message could not be taken in", {
          channel_id: message.channelId,
          last_try: delayMs === null,
          error,
        });
        if (delayMs !== null) await delay(delayMs, this.#stop.signal).catch(() => undefined);
      }
    }
    this.#deps.metrics.discordFailure("message_dropped");
    const text =
      "Something went wrong on my side and I could not take this message. Please send it again in a minute.";
    await this.#deps.notices.refuse(message, text);
  }

  /** While nothing can be stored the message waits, and those behind it: it is neither lost nor answered twice. */
  async #accept(message: Incoming): Promise<"accepted" | "passed"> {
    for (;;) {
      try {
        return await accept(message, this.#deps);
      } catch (error) {
        if (!isUnstorable(error) || this.#stop.signal.aborted) throw error;
        log.error("a message waits until it can be stored", { channel_id: message.channelId, error });
        await delay(storageRetryMs, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  #edit(message: Incoming): Promise<void> | undefined {
    const { guildId, channelId, id } = message;
    const mayWait =
      mayConcernUs(message, this.#botUserId, this.#deps.config.prefix) || this.#accepted.get(id);
    if (!mayWait || this.#isFull(channelId)) return undefined;
    return this.#run(channelId, async () => {
      const { state, turns } = this.#deps;
      const botRoleId = guildId === null ? null : state.botRoleId(guildId);
      const text = readText(message, {
        botUserId: this.#botUserId,
        botRoleId,
        names: namesOf(message, state),
      });
      if (text !== "") await turns.editQueued(id, text);
    });
  }

  #remove(channelId: string, messageIds: readonly string[]): Promise<void> | undefined {
    if (this.#isFull(channelId)) return undefined;
    return this.#run(channelId, async () => {
      const { seen, turns } = this.#deps;
      for (const id of messageIds) if (await seen.has(id)) await turns.removeQueued(id);
    });
  }

  /** Settles when the task has run; never when it was left to the next process. */
  #run(channelId: string, task: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const guarded = async () => {
      if (this.#stop.signal.aborted) return;
      try {
        await task();
      } catch (error) {
        // Nothing behind it in any channel may be marked as handled either.
        if (error instanceof LeftToTheNext) return this.stop();
        log.error("an event of a channel could not be handled", { channel_id: channelId, error });
      }
      resolve();
    };
    if (!this.#stop.signal.aborted) void this.#queues.run(channelId, guarded);
    return promise;
  }
}

const isUnstorable = (error: unknown): boolean =>
  error instanceof AppError && error.code === "storage_unavailable";
const isShutdown = (error: unknown): boolean => error instanceof AppError && error.code === "shutting_down";
