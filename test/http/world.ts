import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scope } from "../../src/auth/ports.ts";
import type { HttpDeps } from "../../src/http/ports.ts";
import { createHttp } from "../../src/http/server.ts";
import { createLimits, type LimitName, type Rate } from "../../src/limits.ts";
import { openMemory } from "../../src/memory/memory.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createProtocol } from "../../src/protocol/handler.ts";
import { wireEvent } from "../../src/protocol/wire.ts";
import { createEventHub } from "../../src/sessions/events.ts";
import { createSessions } from "../../src/sessions/service.ts";
import { temporaryAuth } from "./temporary-auth.ts";
import { testTools } from "./tools.ts";
import { type Script, scriptedTurns } from "./turns.ts";

export interface WorldOptions {
  readonly rates?: Partial<Record<LimitName, Rate>>;
  readonly config?: Partial<HttpDeps["config"]>;
  readonly interactions?: HttpDeps["interactions"];
  readonly ready?: boolean;
  readonly maxEvents?: number;
}

const plenty: Rate = { points: 1_000_000, seconds: 60 };

export type World = Awaited<ReturnType<typeof startWorld>>;

/** The service as a client meets it: real sockets and storage on loopback, with scripted turns and tiny tools. */
export async function startWorld(options: WorldOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), "http-"));
  const clock = { offset: 0 };
  const now = () => Date.now() + clock.offset;
  const memory = openMemory({ path: join(folder, "test.db"), secretKey: "k".repeat(43), now });
  const metrics = createMetrics();
  const rates = { token: plenty, address: plenty, user: plenty, guild: plenty, ...options.rates };
  const limits = createLimits(rates, metrics.rateLimited);
  const events = createEventHub(options.maxEvents === undefined ? {} : { maxEvents: options.maxEvents });
  const sessions = createSessions({
    store: memory.sessions,
    preferences: memory.preferences,
    transcript: memory.transcript,
    ttlMs: 30 * 86_400_000,
    now,
  });
  const { auth, rules, issueToken, create, revoke } = temporaryAuth(now);
  const tools = testTools();
  const script: Script = { answer: (turn) => `You said: ${turn.text}` };
  const turns = scriptedTurns(memory.turns, (id, event) => events.publish(id, wireEvent(event)), script);
  const protocol = createProtocol({ turns, sessions, events, tools, rules, issueToken, now });
  const http = createHttp({
    config: {
      allowedHosts: [],
      corsOrigins: ["https://app.example"],
      maxConnections: 100,
      maxConnectionsPerToken: 50,
      ...options.config,
    },
    protocol,
    sessions,
    events,
    tools,
    rules,
    auth,
    limits,
    interactions: options.interactions ?? null,
    health: { report: async () => ({ ready: options.ready ?? true, details: { gateway: "none" } }) },
    metrics,
    version: "0.0.0-test",
    now,
  });
  const { url, port } = await http.listen("127.0.0.1", 0);
  const operator = create({}).secret;

  return {
    http,
    url,
    port,
    socketUrl: url.replace("http", "ws"),
    operator,
    clock,
    events,
    memory,
    metrics,
    script,
    sessions,
    tools,
    revoke,
    token: (spec: { userId?: string | null; scopes?: readonly Scope[]; guildIds?: readonly string[] }) =>
      create(spec),
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
      await sessions[Symbol.asyncDispose]();
      memory[Symbol.dispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
