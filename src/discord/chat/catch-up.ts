import { getLogger } from "@logtape/logtape";
import type { GatewayGuildCreateDispatchData } from "discord-api-types/v10";
import { AppError } from "../../errors.ts";
import { compareSnowflakes, isNewer, shardOf, snowflakeAt } from "../../snowflake.ts";
import type { DiscordReader } from "../../tools/discord-port.ts";
import { delay } from "../../waiting.ts";
import type { ChannelMarks } from "../ports.ts";
import type { Facts } from "../state/facts.ts";
import type { GuildState } from "../state/guild-state.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import { LeftToTheNext } from "./left.ts";
import type { Marks } from "./marks.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface CatchUpDeps {
  readonly marks: Marks;
  readonly store: ChannelMarks;
  readonly reader: DiscordReader;
  readonly facts: Facts;
  readonly state: GuildState;
  readonly signal: AbortSignal;
  /** Between tries of a channel that cannot be read, milliseconds; then as the last of them. */
  readonly retryMs: readonly number[];
  readonly now: () => number;
  /** Queues a task of a channel, in order with its live messages. */
  readonly queue: (channelId: string, task: () => Promise<void>) => Promise<void>;
  /** Throws LeftToTheNext when the service goes. */
  readonly handle: (message: Incoming) => Promise<void>;
}

const marksBound = 100_000;
const maxAgeMs = 15 * 60_000;
/** Messages of a channel; also what Discord gives in one page. */
const maxMessages = 100;
/** Channels that no guild names: direct messages, mostly. */
const maxUnlisted = 200;
const scanMs = 30_000;
/** For how long a channel that cannot be read is tried again, and how often; live messages of it wait meanwhile. */
const patienceMs = 120_000;
const mostTries = 30;

/**
 * After a session that could not be resumed: reads what came after the mark of each channel, bounded by age and count.
 * A channel is scanned before its first live message, and at once when its guild says that there is something newer.
 */
export class CatchUp {
  readonly #deps: CatchUpDeps;
  /** Channels that may have missed something, with their marks. */
  #due = new Map<string, string>();
  readonly #again = new Map<string, Promise<void>>();
  /** Channels of which a dispatch of the present session waits for them to be read again. */
  readonly #awaited = new Set<string>();
  /** Of guilds that have come, until their channels are scanned. */
  readonly #guilds = new Set<Promise<void>>();
  #loading: Promise<void> = Promise.resolve();
  #isLoading = false;

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
  }

  /** A shard's session began anew. Resolves with whether something may have been missed; never rejects. */
  async sessionBegan(shardId: number, shardCount: number): Promise<boolean> {
    this.#isLoading = true;
    this.#awaited.clear();
    this.#loading = this.#load(shardId, shardCount)
      .catch((error: unknown) => {
        log.error("marks cannot be read, nothing is caught up", { error });
      })
      .finally(() => {
        this.#isLoading = false;
      });
    await this.#loading;
    return this.#due.size > 0;
  }

  /** Must be awaited, in the channel's queue, before a live message is handled: scans first when it is due. */
  async before(channelId: string, guildId: string | null): Promise<void> {
    await this.#loading;
    const mark = this.#due.get(channelId);
    if (mark !== undefined) await this.#scan(channelId, guildId, mark);
  }

  /** Whether a message must not overtake a scan. */
  isDue(channelId: string): boolean {
    return this.#isLoading || this.#due.has(channelId);
  }

  /**
   * Live messages had to be let go: reads the channel again once what waits is done. Resolves after that; undefined when
   * an earlier dispatch of the session waits for the same, which keeps the sequence from going past this one.
   */
  again(channelId: string, guildId: string | null): Promise<void> | undefined {
    if (this.#awaited.has(channelId)) return undefined;
    this.#awaited.add(channelId);
    const running = this.#again.get(channelId) ?? this.#readAgain(channelId, guildId);
    this.#again.set(channelId, running);
    return running;
  }

  #readAgain(channelId: string, guildId: string | null): Promise<void> {
    return this.#deps.queue(channelId, async () => {
      this.#again.delete(channelId);
      this.#awaited.delete(channelId);
      const mark = await this.#deps.marks.latest(channelId);
      if (mark !== null) await this.#scan(channelId, guildId, mark);
    });
  }

  guildCreated(guild: GatewayGuildCreateDispatchData): void {
    const scanned = this.#scanGuild(guild)
      .catch((error: unknown) => {
        log.error("a server's channels could not be caught up", { guild_id: guild.id, error });
      })
      .finally(() => this.#guilds.delete(scanned));
    this.#guilds.add(scanned);
  }

  /** Scans channels that have something newer than their mark; those that never had one begin here. */
  async #scanGuild(guild: GatewayGuildCreateDispatchData): Promise<void> {
    await this.#loading;
    const scans: Promise<void>[] = [];
    for (const channel of [...guild.channels, ...guild.threads]) {
      if (!("last_message_id" in channel)) continue;
      const newest = channel.last_message_id ?? "0";
      const mark = this.#due.get(channel.id);
      if (mark === undefined) void this.#beginHere(channel.id, newest);
      else if (isNewer(newest, mark)) scans.push(this.#queueScan(channel.id, guild.id, mark));
      else this.#due.delete(channel.id);
    }
    await Promise.all(scans);
  }

  /** After what is being taken in there: a guild can come twice, the second time while its channels are read. */
  #beginHere(channelId: string, newest: string): Promise<void> {
    return this.#deps.queue(channelId, async () => this.#deps.marks.advance(channelId, newest));
  }

  /**
   * Scans what no guild has named: direct messages. Called once the guilds have come. Resolves when everything is
   * caught up; never, when that is left to the next process.
   */
  async scanUnlisted(): Promise<void> {
    await this.#loading;
    const unlisted = [...this.#due].sort(([, a], [, b]) => compareSnowflakes(b, a)).slice(0, maxUnlisted);
    this.#due = new Map(unlisted);
    const scans = unlisted.map(([channelId, mark]) => this.#queueScan(channelId, null, mark));
    await Promise.all([...scans, ...this.#guilds]);
  }

  async #load(shardId: number, shardCount: number): Promise<void> {
    await this.#deps.marks.flush();
    for (const { channelId, messageId } of await this.#deps.store.all(marksBound)) {
      const guildId = this.#deps.state.channel(channelId)?.guildId ?? null;
      const isElsewhere = guildId !== null && shardOf(guildId, shardCount) !== shardId;
      if (!isElsewhere) this.#due.set(channelId, messageId);
    }
  }

  #queueScan(channelId: string, guildId: string | null, mark: string): Promise<void> {
    return this.#deps.queue(channelId, async () => {
      if (this.#due.has(channelId)) await this.#scan(channelId, guildId, mark);
    });
  }

  async #scan(channelId: string, guildId: string | null, mark: string): Promise<void> {
    this.#due.delete(channelId);
    const { retryMs, signal } = this.#deps;
    const giveUpAt = performance.now() + patienceMs;
    for (let tries = 1; ; tries++) {
      try {
        await this.#read(channelId, guildId, mark);
        return;
      } catch (error) {
        if (error instanceof LeftToTheNext) throw error;
        const code = error instanceof AppError ? error.code : null;
        // A channel that is gone or closed to us has nothing for us.
        if (code === "not_found" || code === "permission_denied") return;
        const isLast = tries >= mostTries || performance.now() > giveUpAt;
        log.error("a channel could not be caught up", { channel_id: channelId, last_try: isLast, error });
        if (isLast) return;
        await delay(retryMs[Math.min(tries, retryMs.length) - 1] ?? 0, signal).catch(() => undefined);
        if (signal.aborted) throw new LeftToTheNext();
      }
    }
  }

  async #read(channelId: string, guildId: string | null, mark: string): Promise<void> {
    const { facts, now, handle, marks, reader } = this.#deps;
    const signal = AbortSignal.any([this.#deps.signal, AbortSignal.timeout(scanMs)]);
    const place = guildId ?? (await facts.channel(channelId, signal)).guildId;
    const newest = await reader.messages(channelId, { limit: maxMessages }, signal);
    const missed = newest
      .filter(({ id }) => isNewer(id, mark))
      .toSorted((a, b) => compareSnowflakes(a.id, b.id));
    if (missed.length > 0) log.info("catching up", { channel_id: channelId, messages: missed.length });
    const oldest = snowflakeAt(now() - maxAgeMs);
    for (const message of missed) {
      if (isNewer(message.id, oldest)) await handle(readIncoming(message, place));
      marks.advance(channelId, message.id);
    }
  }
}
