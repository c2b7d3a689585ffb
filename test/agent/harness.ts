import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Actor } from "../../src/actor.ts";
import type { Approval } from "../../src/agent/approvals.ts";
import { createBudgets } from "../../src/agent/budgets.ts";
import type { TurnEvent } from "../../src/agent/events.ts";
import type { NewTurn, TurnJournal, TurnRecord } from "../../src/agent/journal.ts";
import { createModel } from "../../src/agent/model-claude.ts";
import type {
  Audience,
  FlowPort,
  Preferences,
  ToolCallOutcome,
  ToolCallRequest,
  ToolPort,
} from "../../src/agent/ports.ts";
import type { TurnService } from "../../src/agent/turn-service.ts";
import { createTurnService } from "../../src/agent/turns.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { type Memory, openMemory } from "../../src/memory/memory.ts";
import { createMetrics, type Metrics } from "../../src/metrics.ts";
import {
  type ClaudeSimulator,
  type ClaudeSimulatorOptions,
  startClaudeSimulator,
} from "../../src/simulator/claude/simulator.ts";
import type { Delay } from "../../src/waiting.ts";

export interface TestTool {
  readonly repeatable?: boolean;
  /** Default: true. */
  readonly isCore?: boolean;
  readonly isFinder?: true;
  run(request: ToolCallRequest): Promise<string | Partial<ToolCallOutcome>>;
}

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly claude?: ClaudeSimulatorOptions;
  readonly tools?: Readonly<Record<string, TestTool>>;
  readonly preferences?: Preferences;
  /** Which of the sources not everybody of the audience may read. Default: none. */
  readonly restricted?: (audience: Audience, sources: readonly string[]) => readonly string[];
  readonly policy?: ReturnType<FlowPort["policy"]>;
  /** Throws when somebody may not approve. */
  readonly mayApprove?: ToolPort["assertMayApprove"];
  readonly now?: () => number;
  /** Default: waits nothing, and notes what it was asked to wait. */
  readonly delay?: Delay;
}

/** Real memory on a real file, the simulated Claude through the real client, tools that a test brings along. */
export class World implements AsyncDisposable {
  readonly claude: ClaudeSimulator;
  readonly config: Config;
  readonly metrics: Metrics = createMetrics();
  readonly events: TurnEvent[] = [];
  readonly waits: number[] = [];
  readonly toolCalls: ToolCallRequest[] = [];
  /** Whom the flow of words was asked about, and what they read. */
  readonly flowed: { readonly audience: Audience; readonly sources: readonly string[] }[] = [];
  readonly #options: WorldOptions;
  readonly #folder: string;
  #memory: Memory;
  #service: TurnService;
  readonly #watchers = new Set<() => void>();
  #over = false;

  private constructor(claude: ClaudeSimulator, options: WorldOptions) {
    this.claude = claude;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), "agent-"));
    this.config = readConfig({
      ANTHROPIC_API_KEY: claude.apiKey,
      ANTHROPIC_BASE_URL: claude.baseUrl,
      DATABASE_URL: join(this.#folder, "test.db"),
      ...options.env,
    });
    this.#memory = this.#open();
    this.#service = this.#serve(this.#memory.turns);
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    return new World(await startClaudeSimulator(options.claude), options);
  }

  get service(): TurnService {
    return this.#service;
  }

  get memory(): Memory {
    return this.#memory;
  }

  /** The process ends in good order and another one begins. `wrap`: see `crash`. */
  async restart(): Promise<void> {
    await this.#service[Symbol.asyncDispose]();
    this.#memory[Symbol.dispose]();
    this.#memory = this.#open();
    this.#service = this.#serve(this.#memory.turns);
  }

  /** Another service on the same database; the one before is forgotten as if it had been killed. */
  replaceService(wrap: (journal: TurnJournal) => TurnJournal = (journal) => journal): TurnService {
    this.#service = this.#serve(wrap(this.#memory.turns));
    return this.#service;
  }

  /** Submits and waits for the end. */
  async ask(text: string, who: Partial<NewTurn> = {}): Promise<TurnRecord> {
    const turn = await this.submit(text, who);
    return (await this.#service.wait(turn.id)).turn;
  }

  async submit(text: string, who: Partial<NewTurn> = {}): Promise<TurnRecord> {
    const result = await this.#service.submit(newTurn(text, who));
    if (result.status !== "accepted") throw new Error(result.status);
    return result.turn;
  }

  /** Resolves once such an event has come, now or later. */
  event(predicate: (event: TurnEvent) => boolean): Promise<TurnEvent> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.events.find(predicate);
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  eventTypes(turnId?: string): string[] {
    return this.events.filter((e) => turnId === undefined || e.turnId === turnId).map((e) => e.type);
  }

  /** The bodies of the requests for messages that were well-formed. */
  get prompts() {
    return this.claude.requests.flatMap((request) => (request.params === null ? [] : [request.params]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#service[Symbol.asyncDispose]();
    this.#memory[Symbol.dispose]();
    await this.claude[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #open(): Memory {
    return openMemory({
      path: this.config.database.path,
      secretKey: "a-secret-key-of-the-tests-of-32-bytes",
      ...(this.#options.now === undefined ? {} : { now: this.#options.now }),
    });
  }

  #serve(journal: TurnJournal): TurnService {
    const { now = Date.now, preferences = {} } = this.#options;
    const delay = this.#options.delay ?? ((ms, signal) => this.#wait(ms, signal));
    return createTurnService({
      journal,
      history: this.#memory.history,
      model: createModel(this.config.model, { metrics: this.metrics, now, delay, random: () => 1 }),
      approvals: this.#memory.approvals,
      tools: this.#tools(),
      flow: {
        restricted: async (audience, sources, signal) => {
          signal.throwIfAborted();
          this.flowed.push({ audience, sources });
          return this.#options.restricted?.(audience, sources) ?? [];
        },
        policy: () => this.#options.policy ?? "ask",
      },
      context: { read: async () => ({ preferences, activeTools: [] }) },
      budgets: createBudgets(this.#memory.budgets, this.config.turn, now),
      config: this.config,
      metrics: this.metrics,
      now,
      delay,
      emit: (_conversationId, event) => {
        this.events.push(event);
        for (const look of [...this.#watchers]) look();
      },
    });
  }

  /** Waits no time. A service that was "killed" in an earlier part of the test waits for ever once it is over. */
  async #wait(ms: number, signal?: AbortSignal): Promise<void> {
    this.waits.push(ms);
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    if (this.#over) await new Promise<never>(() => {});
  }

  #tools(): ToolPort {
    const tools = this.#options.tools ?? {};
    return {
      definitions: () =>
        Object.entries(tools).map(([name, { isCore = true, isFinder }]) => ({
          definition: {
            name,
            description: `The tool ${name}`,
            input_schema: { type: "object", properties: {} },
          },
          isCore,
          ...(isFinder === undefined ? {} : { isFinder }),
        })),
      assertMayApprove: this.#options.mayApprove ?? (async () => {}),
      isRepeatable: (name) => tools[name]?.repeatable ?? true,
      call: async (request) => {
        this.toolCalls.push(request);
        const tool = tools[request.toolName];
        const outcome = tool === undefined ? unknownTool : await tool.run(request);
        const given = typeof outcome === "string" ? { text: outcome } : outcome;
        return { kind: "done", text: "", isError: false, sources: [], ...given };
      },
    };
  }
}

const unknownTool: Partial<ToolCallOutcome> = {
  kind: "failed",
  text: "There is no such tool.",
  isError: true,
};

export const ana: Actor = { kind: "user", userId: "100", guildId: "900", channelId: "500" };

export function newTurn(text: string, rest: Partial<NewTurn> = {}): NewTurn {
  return {
    sessionId: "s1",
    actor: ana,
    origin: "program",
    text,
    preamble: "time: 2026-11-22T10:00Z",
    discordMessageId: null,
    idempotencyKey: null,
    replyTo: null,
    ...rest,
  };
}

/** A door that a tool or a test waits at until it is opened. */
export function door() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** Resolves with the newest question of so many. */
export async function question(world: World, count = 1): Promise<Approval> {
  const requested = () => world.events.filter((event) => event.type === "approval_requested");
  await world.event(() => requested().length >= count);
  const event = requested()[count - 1];
  const approval = event === undefined ? null : await world.service.approval(event.approvalId);
  if (approval === null) throw new Error("the question is gone");
  return approval;
}
