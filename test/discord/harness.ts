import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentBlock } from "@anthropic-ai/sdk/resources/messages";
import type { TurnRecord } from "../../src/agent/journal.ts";
import type { FlowPort, ModelPort, ModelRequest, ToolPort } from "../../src/agent/ports.ts";
import type { TurnService } from "../../src/agent/turn-service.ts";
import { createTurnService } from "../../src/agent/turns.ts";
import { type Config, readConfig } from "../../src/config.ts";
import type { ChatTools } from "../../src/discord/chat/commands.ts";
import type { PersonalData } from "../../src/discord/chat/personal-commands.ts";
import { createDiscord, type Discord } from "../../src/discord/discord.ts";
import type { DiscordTiming } from "../../src/discord/timing.ts";
import type { AppError } from "../../src/errors.ts";
import { createLimits } from "../../src/limits/rate-limits.ts";
import { type Memory, openMemory } from "../../src/memory/memory.ts";
import { createMetrics, type Metrics } from "../../src/metrics.ts";
import { createSessions, type Sessions } from "../../src/sessions/service.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../src/simulator/discord/simulator.ts";
import { DEMO } from "../../src/simulator/discord/world-seed.ts";

export { DEMO };
export const { users, channels, roles, guildId, botId } = DEMO;
export const mention = `<@${botId}>`;

/** Words, or blocks of which some call tools. */
type Said = string | ContentBlock[];

export interface RigOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly simulator?: DiscordSimulatorOptions;
  readonly timing?: Partial<DiscordTiming>;
  readonly tools?: ChatTools;
  readonly personal?: PersonalData;
  readonly now?: () => number;
  /** So many of the first turns cannot be stored, as on a full disk. */
  readonly flakySubmits?: number;
  /** What the model says to a request. Default: the text of the newest message, with "You said: " before it. */
  readonly answer?: (request: ModelRequest, signal: AbortSignal) => Promise<Said> | Said;
  /** What the model may call, and who may approve it. */
  readonly turnTools?: Partial<ToolPort>;
  /** Where answers may go. Default: anywhere. */
  readonly flow?: Partial<FlowPort>;
}

const quick: Partial<DiscordTiming> = {
  reconnectMs: 20,
  identifyMs: 0,
  checkpointMs: 20,
  retryMs: [10, 20],
  arrivalsMs: 300,
  closeMs: 1000,
  againMs: 20,
};

/** The Discord door on real memory, real sessions and real turns, before the simulated Discord; only the model is a script. */
export class Rig implements AsyncDisposable {
  readonly discordSimulator: DiscordSimulator;
  readonly requests: ModelRequest[] = [];
  readonly fatal: AppError[] = [];
  readonly removedGuilds: string[] = [];
  readonly presentGuilds: string[] = [];
  readonly listedGuilds: { readonly guildIds: readonly string[]; readonly isOfShard: boolean }[] = [];
  readonly metrics: Metrics = createMetrics();
  readonly config: Config;
  readonly #folder = mkdtempSync(join(tmpdir(), "discord-"));
  readonly #options: RigOptions;
  #failures: number;
  /** Called after each write of marks. */
  readonly #watchers = new Set<() => void>();
  memory: Memory;
  turns: TurnService;
  sessions: Sessions;
  discord: Discord;

  private constructor(simulator: DiscordSimulator, options: RigOptions) {
    this.discordSimulator = simulator;
    this.#options = options;
    this.#failures = options.flakySubmits ?? 0;
    this.config = readConfig({
      DISCORD_TOKEN: simulator.token,
      DISCORD_API_URL: simulator.apiUrl,
      DISCORD_CDN_URL: simulator.cdnUrl,
      DATABASE_URL: join(this.#folder, "test.db"),
      RATE_LIMIT_USER: "1000/60",
      ...options.env,
    });
    ({
      memory: this.memory,
      turns: this.turns,
      sessions: this.sessions,
      discord: this.discord,
    } = this.#open());
  }

  /** Starts everything and waits until Discord is ready, unless told not to. */
  static async start(options: RigOptions = {}, until: "ready" | "started" = "ready"): Promise<Rig> {
    const simulator = await startDiscordSimulator({ rateLimits: "off", ...options.simulator });
    const rig = new Rig(simulator, options);
    await rig.begin(until);
    return rig;
  }

  get sim(): DiscordSimulator {
    return this.discordSimulator;
  }

  async begin(until: "ready" | "started" = "ready"): Promise<void> {
    await this.turns.resume();
    await this.discord.start();
    if (until === "ready") await this.discord.ready;
  }

  /** Ends as a process does on SIGTERM. */
  async end(): Promise<void> {
    this.discord.stopIntake();
    await this.turns.drain(0);
    await this.discord.close({ resumable: true });
    await this.turns[Symbol.asyncDispose]();
    await this.sessions[Symbol.asyncDispose]();
    this.memory[Symbol.dispose]();
  }

  /** Another process on the same database. */
  async restart(until: "ready" | "started" = "ready"): Promise<void> {
    await this.end();
    this.reopen();
    await this.begin(until);
  }

  reopen(): void {
    ({
      memory: this.memory,
      turns: this.turns,
      sessions: this.sessions,
      discord: this.discord,
    } = this.#open());
  }

  say(content: string, more: Partial<Parameters<DiscordSimulator["say"]>[0]> = {}) {
    return this.sim.say({ userId: users.ana, channelId: channels.general, content, ...more });
  }

  /** Our messages in a channel, oldest first. */
  said(channelId: string = channels.general): string[] {
    const ours = this.sim.world.messages.in(channelId).filter((message) => message.author.id === botId);
    return ours.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1)).map((message) => message.content);
  }

  /** A message that we post in answer to that one. */
  replyTo(messageId: string) {
    return this.sim.waitForMessage(
      (one) => one.author.id === botId && one.message_reference?.message_id === messageId,
    );
  }

  /** The text of the newest message of each request, as the model got it. */
  get asked(): string[] {
    return this.requests.map((request) => newestText(request));
  }

  /** Resolves when a message is durably accepted or passed over, as its channel's mark says. */
  handled({ id, channel_id }: { readonly id: string; readonly channel_id: string }): Promise<void> {
    return new Promise((resolve) => {
      const look = async () => {
        const mark = await this.memory.marks.get(channel_id);
        if (BigInt(mark ?? "0") < BigInt(id)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      void look();
    });
  }

  /** Resolves once the status fits. It has no event of its own, so it is looked at with each turn of the event loop. */
  async untilStatus(fits: (status: ReturnType<Discord["status"]>) => boolean): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!fits(this.discord.status())) {
      if (performance.now() > deadline) throw new Error(`the status stays ${this.discord.status().state}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves when nothing is left to be posted. */
  async outboxEmpty(): Promise<void> {
    const deadline = performance.now() + 20_000;
    while ((await this.memory.outbox.open(1)).length > 0) {
      if (performance.now() > deadline) throw new Error("the outbox does not empty");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  untilFatal(): Promise<void> {
    return this.untilStatus(() => this.fatal.length > 0);
  }

  /** Resolves at the end of the next turn that fits. */
  ended(fits: (turn: TurnRecord) => boolean = () => true): Promise<TurnRecord> {
    return new Promise((resolve) => {
      const stop = this.turns.onEnded((turn) => {
        if (!fits(turn)) return;
        stop();
        resolve(turn);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sim.faults.clear();
    await this.end().catch(() => undefined);
    await this.sim[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #open() {
    const { config, metrics } = this;
    const now = this.#options.now ?? Date.now;
    const memory = openMemory({
      path: config.database.path,
      secretKey: "a-secret-key-of-the-tests-of-32-bytes",
      now,
    });
    const turns = createTurnService({
      journal: {
        ...memory.turns,
        accept: async (turn, bound) => {
          if (this.#failures === 0) return await memory.turns.accept(turn, bound);
          this.#failures -= 1;
          throw new Error("disk I/O error");
        },
      },
      history: memory.history,
      model: this.#model(),
      tools: {
        definitions: () => [],
        isRepeatable: () => true,
        call: async () => ({ kind: "done", text: "", isError: false, sources: [] }),
        assertMayApprove: async () => undefined,
        ...this.#options.turnTools,
      },
      flow: { restricted: async () => [], policy: () => "ask", ...this.#options.flow },
      approvals: memory.approvals,
      context: { read: async () => ({ preferences: {}, activeTools: [] }) },
      budgets: { check: async () => undefined },
      config,
      emit: () => undefined,
      now,
    });
    const sessions = createSessions({
      store: memory.sessions,
      preferences: memory.preferences,
      transcript: memory.transcript,
      flow: { restricted: async () => [] },
      ttlMs: config.session.ttlMs,
      now,
    });
    const discord = createDiscord({
      config: { ...config.discord, token: config.discord.token ?? "" },
      turns,
      sessions,
      tools: this.#options.tools ?? { list: async () => [] },
      personal: this.#options.personal ?? { forget: async () => undefined, export: async () => null },
      outbox: memory.outbox,
      marks: {
        ...memory.marks,
        advance: async (marks) => {
          await memory.marks.advance(marks);
          for (const look of this.#watchers) look();
        },
      },
      gatewaySessions: memory.gatewaySessions,
      identifies: memory.identifies,
      seen: memory.seen,
      limits: createLimits(config.limits, metrics.rateLimited),
      metrics,
      now,
      timing: { ...quick, ...this.#options.timing },
      onFatal: (error) => void this.fatal.push(error),
      onGuildRemoved: (id) => void this.removedGuilds.push(id),
      onGuildPresent: (id) => void this.presentGuilds.push(id),
      onGuildsListed: (guildIds, isOfShard) =>
        void this.listedGuilds.push({ guildIds, isOfShard: isOfShard(guildId) }),
    });
    return { memory, turns, sessions, discord };
  }

  #model(): ModelPort {
    const answer =
      this.#options.answer ?? ((request) => `You said: ${newestText(request).split("\n").at(-1)}`);
    return {
      stream: async (request, _handlers, signal) => {
        this.requests.push(request);
        const said = await answer(request, signal);
        const content: ContentBlock[] =
          typeof said === "string" ? [{ type: "text", text: said, citations: null }] : said;
        const stopReason = content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn";
        const usage = {
          inputTokens: 1,
          outputTokens: 1,
          cacheCreationInputTokens: 0,
          cacheReadInputTokens: 0,
        };
        return { content, stopReason, usage, model: "script" };
      },
    };
  }
}

export function newestText(request: ModelRequest): string {
  const newest = request.messages.at(-1)?.content ?? "";
  if (typeof newest === "string") return newest;
  return newest.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
}

/** Holds back whoever waits for it until it is opened. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}
