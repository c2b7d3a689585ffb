import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import type { Actor } from "../../src/actor.ts";
import { createBudgets } from "../../src/agent/budgets.ts";
import type { TurnEvent } from "../../src/agent/events.ts";
import { createModel } from "../../src/agent/model-claude.ts";
import type { FlowPort } from "../../src/agent/ports.ts";
import { createTurnService } from "../../src/agent/turns.ts";
import { createAuthenticator } from "../../src/auth/authenticate.ts";
import { scopes as allScopes, type Principal, type Scope } from "../../src/auth/ports.ts";
import { createRules } from "../../src/auth/rules.ts";
import { createSessionTokens } from "../../src/auth/session-token.ts";
import { createTickets } from "../../src/auth/tickets.ts";
import { createTokens } from "../../src/auth/tokens.ts";
import { readConfig } from "../../src/config.ts";
import type { AppError } from "../../src/errors.ts";
import type { HttpDeps } from "../../src/http/ports.ts";
import { createHttp } from "../../src/http/server.ts";
import { createLimits, type LimitName, type Rate } from "../../src/limits/rate-limits.ts";
import { createMcp } from "../../src/mcp/server.ts";
import { openMemory } from "../../src/memory/memory.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createProtocol } from "../../src/protocol/handler.ts";
import { createHearings } from "../../src/protocol/hearing.ts";
import { wireEvent } from "../../src/protocol/wire.ts";
import { createEventHub } from "../../src/sessions/events.ts";
import type { Session } from "../../src/sessions/ports.ts";
import { createSessions } from "../../src/sessions/service.ts";
import { text, toolUse } from "../../src/simulator/claude/reply.ts";
import { startClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import { agentTools } from "../../src/tools/agent-port.ts";
import type { Registry } from "../../src/tools/registry.ts";
import { ids } from "../tools/harness.ts";
import { testTools } from "./tools.ts";

export interface WorldOptions {
  readonly rates?: Partial<Record<LimitName, Rate>>;
  readonly config?: Partial<HttpDeps["config"]>;
  readonly interactions?: HttpDeps["interactions"];
  readonly ready?: boolean;
  readonly maxEvents?: number;
  /** Sessions that are followed at once, over all connections. */
  readonly maxFollowed?: number;
  readonly auth?: "required" | "off";
  /** Of the model and of turns. */
  readonly env?: Readonly<Record<string, string>>;
  /** In place of the tiny tools in their own guild. */
  readonly discord?: DiscordParts;
}

/** The product's tools, and where people can be, by another Discord than the tiny one. */
export interface DiscordParts {
  readonly registry: Registry;
  readonly flow: FlowPort;
  readonly botUserId: string;
  assertReachable(actor: Actor, signal: AbortSignal): Promise<void>;
}

interface TokenSpec {
  readonly userId?: string | null;
  readonly scopes?: readonly Scope[];
  readonly guildIds?: readonly string[];
}

const plenty: Rate = { points: 1_000_000, seconds: 60 };

export type World = Awaited<ReturnType<typeof startWorld>>;

/** What the model answers to a person's message; awaited, so that a test says when. */
interface Script {
  answer: (message: string) => string | Promise<string>;
  /** In place of an answer to a message: the tool that is called for it. */
  tool: ((message: string) => { readonly name: string; readonly input: object } | null) | null;
}

/** Where people can be, as the service is told. */
interface Reach {
  refusal: AppError | null;
  readonly asked: Actor[];
  /** Who may not read what they watch, by user id. */
  readonly unreadable: Set<string>;
}

/** The service as a client meets it, on loopback: everything real but the model, which is scripted, and tiny tools. */
export async function startWorld(options: WorldOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), "http-"));
  const secretKey = "k".repeat(43);
  const clock = { offset: 0 };
  const now = () => Date.now() + clock.offset;
  const botUserId = options.discord?.botUserId ?? ids.bot;
  const script: Script = { answer: (message) => `You said: ${message}`, tool: null };
  const reach: Reach = { refusal: null, asked: [], unreadable: new Set() };
  const messageListeners = new Set<(channelId: string) => void>();
  const claude = await startClaudeSimulator({
    brain: async (request) => {
      const message = lastMessage(request);
      const call = hasResult(request) ? null : (script.tool?.(message) ?? null);
      return {
        blocks: [call === null ? text(await script.answer(message)) : toolUse(call.name, call.input)],
      };
    },
  });
  const { model, turn } = readConfig({
    ANTHROPIC_API_KEY: claude.apiKey,
    ANTHROPIC_BASE_URL: claude.baseUrl,
    ...options.env,
  });
  const memory = openMemory({ path: join(folder, "test.db"), secretKey, now });
  const metrics = createMetrics();
  const rates = {
    token: plenty,
    address: plenty,
    user: plenty,
    guild: plenty,
    changes: plenty,
    ...options.rates,
  };
  const limits = createLimits(rates, metrics.rateLimited);
  const { maxEvents, maxFollowed } = options;
  const events = createEventHub({
    ...(maxEvents !== undefined && { maxEvents }),
    ...(maxFollowed !== undefined && { maxSubscribers: maxFollowed }),
  });
  const sessions = createSessions({
    store: memory.sessions,
    preferences: memory.preferences,
    transcript: memory.transcript,
    flow: { restricted: (audience, sources, signal) => flow.restricted(audience, sources, signal) },
    ttlMs: 30 * 86_400_000,
    now,
  });
  const tokens = createTokens(memory.tokens, now);
  const sessionTokens = createSessionTokens({ secretKey, now });
  const tickets = createTickets({ now });
  const auth = createAuthenticator({ tokens, sessionTokens, tickets, mode: options.auth ?? "required", now });
  const rules = createRules(() => botUserId);
  const tools = testTools({ audit: memory.audit, metrics, now });
  const { registry, flow } = options.discord ?? tools;
  const toolsPort = {
    describe: registry.usable,
    call: registry.call,
    all: registry.list,
    assertMayApprove: registry.assertMayApprove,
  };
  const listeners = new Set<(event: TurnEvent) => void>();
  const turns = createTurnService({
    journal: memory.turns,
    history: memory.history,
    approvals: memory.approvals,
    flow,
    model: createModel(model),
    tools: agentTools(registry, async (sessionId) => (await sessions.get(sessionId)).activeTools),
    context: {
      read: async ({ sessionId, actor }) => ({
        preferences: await memory.preferences.get(actor.userId),
        activeTools: (await sessions.get(sessionId)).activeTools,
      }),
    },
    budgets: createBudgets(memory.budgets, turn, now),
    config: { model, turn },
    emit(conversationId, event, sources = []) {
      events.publish(conversationId, wireEvent(event), { sources });
      for (const listener of listeners) listener(event);
    },
    now,
  });
  const issueToken = ({ id: sessionId, userId, channelId }: Session, { tokenId }: Principal) =>
    sessionTokens.issue({ sessionId, userId, channelId, tokenId });
  const places = {
    async assertReachable(actor: Actor, signal: AbortSignal) {
      reach.asked.push(actor);
      if (reach.refusal !== null) throw reach.refusal;
      await options.discord?.assertReachable(actor, signal);
    },
  };
  const protocol = createProtocol({
    ...{ turns, sessions, events, tools: toolsPort, rules, places, issueToken, now },
  });
  const mcp = createMcp({
    ...{ rules, places, sessions, turns, secretKey, now },
    tools: registry,
    audit: memory.audit,
    guildNames: () => [{ id: ids.guild, name: "Harbour" }],
    onMessages(listener) {
      messageListeners.add(listener);
      return () => void messageListeners.delete(listener);
    },
    mayRead: async (actor) => !reach.unreadable.has(actor.userId),
    onTurnEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    approvalMs: 900_000,
    version: "0.0.0-test",
  });
  const accessListeners = new Set<(guildId: string) => void>();
  const onAccessChanged = (listener: (guildId: string) => void) => {
    accessListeners.add(listener);
    return () => void accessListeners.delete(listener);
  };
  const http = createHttp({
    hearings: createHearings({
      turns,
      sessions,
      tools: toolsPort,
      places,
      onAccessChanged,
      now,
      patience: [],
    }),
    config: {
      allowedHosts: [],
      corsOrigins: ["https://app.example"],
      trustProxy: [],
      maxConnections: 100,
      maxConnectionsPerToken: 50,
      ...options.config,
    },
    protocol,
    mcp,
    sessions,
    events,
    tools: toolsPort,
    rules,
    places,
    auth,
    limits,
    interactions: options.interactions ?? null,
    health: { report: async () => ({ ready: options.ready ?? true, details: { gateway: "none" } }) },
    metrics,
    version: "0.0.0-test",
    now,
  });
  const { url, port } = await http.listen("127.0.0.1", 0);
  async function token(spec: TokenSpec) {
    const {
      userId = null,
      scopes = allScopes.filter((scope) => scope !== "act:bot"),
      guildIds = null,
    } = spec;
    const made = await tokens.create({ name: "test", userId, scopes, guildIds, expiresAt: null });
    return { tokenId: made.record.id, secret: made.token };
  }
  const operator = (await token({})).secret;

  return {
    http,
    mcp,
    auth,
    limits,
    folder,
    url,
    port,
    socketUrl: url.replace("http", "ws"),
    operator,
    clock,
    events,
    memory,
    metrics,
    reach,
    /** Discord tells that who may do what in a server may have changed. */
    accessChanged(guildId: string) {
      for (const listener of accessListeners) listener(guildId);
    },
    /** Something happens to a channel's messages. */
    messagesChanged(channelId: string) {
      for (const listener of messageListeners) listener(channelId);
    },
    script,
    turns,
    sessions,
    tools,
    claude,
    revoke: tokens.revoke,
    token,
    get: (path: string, headers: Record<string, string> = {}) =>
      fetch(url + path, { headers: { authorization: `Bearer ${operator}`, ...headers } }),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${operator}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await http.stop(0);
      await turns[Symbol.asyncDispose]();
      await claude[Symbol.asyncDispose]();
      await sessions[Symbol.asyncDispose]();
      memory[Symbol.dispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether the model is told what its call came to. */
function hasResult({ messages }: MessageCreateParams): boolean {
  const content = messages.at(-1)?.content ?? "";
  return typeof content !== "string" && content.some((block) => block.type === "tool_result");
}

/** What the person wrote: the last text of the last message. */
function lastMessage({ messages }: MessageCreateParams): string {
  const content = messages.at(-1)?.content ?? "";
  if (typeof content === "string") return content;
  return content.flatMap((block) => (block.type === "text" ? [block.text] : [])).at(-1) ?? "";
}
