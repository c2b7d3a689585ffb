import { expect } from "bun:test";
import type { Actor } from "../../src/actor.ts";
import type { Audience } from "../../src/agent/ports.ts";
import type { ToolPolicy } from "../../src/config/tool-policy.ts";
import { createCdn } from "../../src/discord/cdn.ts";
import { createRestClients } from "../../src/discord/rest/client.ts";
import { createRestReader } from "../../src/discord/rest/reader.ts";
import { createRestWriter } from "../../src/discord/rest/writer.ts";
import { createFacts } from "../../src/discord/state/facts.ts";
import { GuildState } from "../../src/discord/state/guild-state.ts";
import { AppError } from "../../src/errors.ts";
import type { WorldSeed } from "../../src/simulator/discord/seed.ts";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../src/simulator/discord/simulator.ts";
import { DEMO, demoWorld } from "../../src/simulator/discord/world-seed.ts";
import type { ToolOutcome } from "../../src/tools/call.ts";
import { createFlow } from "../../src/tools/flow.ts";
import { createPolicies } from "../../src/tools/policy.ts";
import type { AuditRow, Files, Memory, MemoryStore } from "../../src/tools/ports.ts";
import type { Registry } from "../../src/tools/registry.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { attachContract } from "../simulator/discord/openapi-contract.ts";
import { createCheckedRegistry } from "./checked.ts";
import { allOn, anyFiles, Sent } from "./harness.ts";

export { DEMO } from "../../src/simulator/discord/world-seed.ts";

const { users, channels, guildId } = DEMO;

export interface WorldOptions {
  /** The tools under test. */
  readonly tools: readonly Tool[];
  /** Changes the seeded world before it lives. */
  readonly seed?: (seed: WorldSeed) => WorldSeed;
  /** What differs from "everything is on, and only what destroys asks". */
  readonly policy?: Partial<ToolPolicy>;
  /** Of the application; all by default. */
  readonly privilegedIntents?: DiscordSimulatorOptions["privilegedIntents"];
  readonly now?: () => number;
  readonly resultBytes?: number;
  /** In place of the simulator's attachments, and of one small file at any other address. */
  readonly files?: Files;
}

export interface CallOptions {
  /** A user's id, or the whole actor. The owner of the server by default. */
  readonly as?: string | Actor;
  /** Where they speak; #general by default. */
  readonly channel?: string;
  /** Null for a direct message; the demo's server by default. */
  readonly guild?: string | null;
  /** Gives the yes when it is asked for; without it an `asked` outcome comes back. By default the yes is given. */
  readonly approve?: boolean;
  /** What the turn has read before. */
  readonly sources?: readonly string[];
  /** The turn that it belongs to; a program's direct call without it. */
  readonly turn?: string;
  /** Who reads what comes of it; the actor alone by default. */
  readonly audience?: Audience;
  readonly callId?: string;
}

/** Memories in memory. */
export class Memories implements MemoryStore {
  readonly all = new Map<string, Memory[]>();
  #made = 0;

  async add(userId: string, text: string, sources: readonly string[]): Promise<Memory> {
    this.#made += 1;
    const id = `m_${String(this.#made).padStart(22, "0")}`;
    const memory: Memory = { id, text, sources, createdAt: this.#made };
    const own = this.all.get(userId) ?? [];
    if (own.length >= 500)
      throw new AppError("invalid_arguments", "There are 500 memories already; forget one first.");
    this.all.set(userId, [memory, ...own]);
    return memory;
  }

  async list(userId: string): Promise<readonly Memory[]> {
    return this.all.get(userId) ?? [];
  }

  async remove(userId: string, memoryId: string): Promise<boolean> {
    const own = this.all.get(userId) ?? [];
    const left = own.filter(({ id }) => id !== memoryId);
    this.all.set(userId, left);
    return left.length < own.length;
  }

  async removeAll(userId: string): Promise<number> {
    const { length } = this.all.get(userId) ?? [];
    this.all.delete(userId);
    return length;
  }
}

/**
 * The registry over the real REST clients and a Discord simulator. Disposing it fails the test when a request or an
 * answer did not fit Discord's OpenAPI description.
 */
export interface ToolWorld extends AsyncDisposable {
  readonly simulator: DiscordSimulator;
  readonly registry: Registry;
  readonly memories: Memories;
  readonly sent: Sent;
  readonly audit: readonly AuditRow[];
  /** One call through the registry; a question is answered with the yes unless `approve` is false. */
  call(toolName: string, input?: unknown, options?: CallOptions): Promise<ToolOutcome>;
  /** The same; fails when it is not done, and gives the value. */
  done(toolName: string, input?: unknown, options?: CallOptions): Promise<unknown>;
  /** Expects a refusal that holds all of these words, and that nothing was sent that changes anything. */
  refused(toolName: string, input: unknown, options: CallOptions, ...words: string[]): Promise<ToolOutcome>;
  /** The question that it asks. Fails when it asks none. */
  question(toolName: string, input?: unknown, options?: CallOptions): Promise<string>;
  /** Reasons that were sent to Discord's audit log, the latest last. */
  reasons(): readonly string[];
}

export async function startWorld(options: WorldOptions): Promise<ToolWorld> {
  const { now = Date.now, tools, policy = {}, resultBytes = 16 * 1024 } = options;
  const seed = options.seed?.(demoWorld()) ?? demoWorld();
  const simulator = await startDiscordSimulator({
    ...{ seed, now, rateLimits: "off" },
    ...(options.privilegedIntents === undefined ? {} : { privilegedIntents: options.privilegedIntents }),
  });
  const contract = attachContract(simulator);
  // The simulator has no limits either.
  const unpaced = { readsPerSecond: Number.POSITIVE_INFINITY, writesPerSecond: Number.POSITIVE_INFINITY };
  const clients = createRestClients(simulator.token, simulator.apiUrl, unpaced);
  const reader = createRestReader(clients.reads);
  const state = new GuildState();
  state.botUserId = simulator.botUser.id;
  const facts = createFacts({
    state,
    reader,
    api: clients.reads,
    isTrusted: () => false,
    hearsMembers: () => false,
    botUserId: async () => simulator.botUser.id,
  });
  const policies = createPolicies({ ...allOn, ...policy });
  const memories = new Memories();
  const sent = new Sent();
  const audit: AuditRow[] = [];
  const registry = createCheckedRegistry({
    tools,
    discord: reader,
    change: createRestWriter(clients.writes),
    memories,
    files: options.files ?? { ...anyFiles, ...createCdn(simulator.cdnUrl) },
    sent,
    facts,
    policies,
    flow: createFlow({ facts, policies, now }),
    limits: { changes: { take: async () => {} }, lookups: { take: async () => {} } },
    audit: { append: async (row) => void audit.push(row), collect: (row) => void audit.push(row) },
    metrics: { toolCall: () => {} },
    now,
    timeoutMs: 20_000,
    resultBytes,
  });

  async function call(toolName: string, input: unknown = {}, given: CallOptions = {}): Promise<ToolOutcome> {
    const { approve = true, sources = [] } = given;
    const request = {
      toolName,
      input,
      actor: actorOf(given),
      activeTools: [],
      sessionId: "s_1",
      sources,
      signal: new AbortController().signal,
      ...(given.callId === undefined ? {} : { callId: given.callId }),
      ...(given.turn === undefined ? {} : { turnId: given.turn }),
      ...(given.audience === undefined ? {} : { audience: given.audience }),
    };
    const outcome = await registry.call(request);
    if (outcome.kind !== "asked" || outcome.question === undefined || !approve) return outcome;
    const { fingerprint } = outcome.question;
    const approval = { approvalId: "a_1", fingerprint, approvedBy: request.actor.userId };
    return await registry.call({ ...request, approval });
  }

  return {
    simulator,
    registry,
    memories,
    sent,
    audit,
    call,
    async done(toolName, input, given) {
      const outcome = await call(toolName, input, given);
      if (outcome.kind !== "done") throw new Error(`${toolName} was ${outcome.kind}: ${outcome.text}`);
      return outcome.value;
    },
    async refused(toolName, input, given, ...words) {
      const before = simulator.requests.filter(changes).length;
      const outcome = await call(toolName, input, given);
      expect(outcome.kind).toBe("refused");
      for (const word of words) expect(outcome.text).toContain(word);
      expect(simulator.requests.filter(changes).length).toBe(before);
      return outcome;
    },
    async question(toolName, input, given) {
      const outcome = await call(toolName, input, { ...given, approve: false });
      if (outcome.question === undefined) throw new Error(`${toolName} asks nothing: ${outcome.text}`);
      return outcome.question.text;
    },
    reasons: () => simulator.requests.flatMap(({ headers }) => reasonIn(headers)),
    async [Symbol.asyncDispose]() {
      clients.dispose();
      await simulator[Symbol.asyncDispose]();
      expect(contract.violations).toEqual([]);
    },
  };
}

export function actorOf({
  as = users.owner,
  channel = channels.general,
  guild = guildId,
}: CallOptions): Actor {
  return typeof as === "string" ? { kind: "user", userId: as, guildId: guild, channelId: channel } : as;
}

const changes = ({ method }: { readonly method: string }): boolean => method !== "GET";

function reasonIn(headers: Readonly<Record<string, string>>): readonly string[] {
  const reason = headers["x-audit-log-reason"];
  return reason === undefined ? [] : [decodeURIComponent(reason)];
}

/** Gives somebody, or everybody, further permissions in the whole server. */
export function grant({ simulator }: ToolWorld, userId: string | "everyone", permissions: bigint): void {
  const { guilds, members } = simulator.changes;
  if (userId === "everyone") {
    const everyone = simulator.world.guild(guildId).roles.get(guildId);
    const bits = BigInt(everyone?.permissions ?? 0) | permissions;
    guilds.updateRole(guildId, guildId, { permissions: String(bits) });
    return;
  }
  const role = guilds.addRole(guildId, { name: "Granted", permissions });
  members.addRole(guildId, userId, role.id);
}

/** Takes permissions from the bot's role. */
export function disarm({ simulator }: ToolWorld, permissions: bigint): void {
  const role = simulator.world.guild(guildId).roles.get(DEMO.roles.bot);
  const bits = BigInt(role?.permissions ?? 0) & ~permissions;
  simulator.changes.guilds.updateRole(guildId, DEMO.roles.bot, { permissions: String(bits) });
}
