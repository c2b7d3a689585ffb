import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { createBudgets } from "./agent/budgets.ts";
import type { TurnEvent } from "./agent/events.ts";
import { createModel } from "./agent/model-claude.ts";
import { createTurnService } from "./agent/service.ts";
import { createAppChannels } from "./app/channels.ts";
import { createHealth, refreshGauges } from "./app/health.ts";
import { createMaintenance } from "./app/maintenance.ts";
import { createAppPersonal, createLiveParts } from "./app/personal.ts";
import { createAppTools } from "./app/tools.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import { createRules } from "./auth/rules.ts";
import { writeSecretFile } from "./auth/secret-files.ts";
import { createSessionTokens } from "./auth/session-token.ts";
import { createInteractionVerifier } from "./auth/signatures.ts";
import { createTickets } from "./auth/tickets.ts";
import { createOperatorTokenIfNone, createTokens } from "./auth/tokens.ts";
import type { Config } from "./config.ts";
import { serveControl } from "./control/control.ts";
import { openStored, type Stored } from "./database.ts";
import { createCdn } from "./discord/cdn.ts";
import { createDiscord, type Discord, type DiscordDeps } from "./discord/discord.ts";
import { createNoDiscord } from "./discord/no-discord.ts";
import { createErasing } from "./erasing/erasing.ts";
import { createGuildRemoval } from "./erasing/guild-removal.ts";
import { AppError } from "./errors.ts";
import { createHttp } from "./http/server.ts";
import { createLimits } from "./limits/rate-limits.ts";
import { serviceLogs } from "./log.ts";
import { conformanceFixtures } from "./mcp/conformance/fixtures.ts";
import { createMcp } from "./mcp/server.ts";
import { createMetrics } from "./metrics.ts";
import { createAuditOperations } from "./operations/audit.ts";
import { createKeyOperations } from "./operations/keys.ts";
import { createPersonalOperations } from "./operations/personal.ts";
import { createTokenOperations } from "./operations/tokens.ts";
import { createOutbound } from "./outbound/outbound.ts";
import { createProtocol } from "./protocol/handler.ts";
import { wireEvent } from "./protocol/wire.ts";
import { createEventHub } from "./sessions/events.ts";
import { createSessions } from "./sessions/service.ts";
import { agentTools } from "./tools/agent-port.ts";
import { allTools } from "./tools/all.ts";
import type { Tool } from "./tools/tool.ts";
import { version } from "./version.ts";
import { whenAborted } from "./when-aborted.ts";

const log = getLogger(["discord-mcp", "app"]);

export interface AppOverrides {
  readonly now?: () => number;
  /** In place of the product's own. */
  readonly tools?: readonly Tool[];
}

export interface App extends AsyncDisposable {
  /** Resumes what was unfinished, listens, connects. Throws AppError when the address cannot be had. */
  start(): Promise<{ readonly url: string; readonly port: number }>;
  /** Resolves once Discord's gateway is ready for the first time; at once without Discord. Rejects when it is given up. */
  readonly discordReady: Promise<void>;
  /** What the operator should know after the start, a sentence each. */
  readonly notices: readonly string[];
  /** Every event of every turn; returns what ends that. */
  onTurnEvent(listener: (event: TurnEvent) => void): () => void;
  /** Takes no more programs when none has been connected for so long and no turn runs, and says whether that is so. */
  retire(quietMs: number): boolean;
  /** Takes no more work, lets running turns finish within config.drainMs, cut short by `hurry`. */
  drain(hurry: AbortSignal): Promise<void>;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** How long programs wait for Discord's gateway before they are let in without it. */
const readyMs = 5000;
/** How long a drain waits, within its bound, for answers that are being sent. */
const answersMs = 2000;

/** Puts the service together; nothing listens or connects before `start`. Throws what `openStored` throws. */
export async function createApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const now = overrides.now ?? Date.now;
  const stored = await openStored(config, now);
  try {
    return await assemble(config, stored, overrides, now);
  } catch (error) {
    stored[Symbol.dispose]();
    throw error;
  }
}

async function assemble(
  config: Config,
  stored: Stored,
  overrides: AppOverrides,
  now: () => number,
): Promise<App> {
  const { memory, secretKey } = stored;
  const notices = noticesOf(config, stored);
  const tokenFile = join(config.dataDir, "operator-token");
  const first = await createOperatorTokenIfNone(
    memory.tokens,
    (token) => writeSecretFile(tokenFile, `${token}\n`),
    now,
  );
  if (first) notices.push(`the operator's token is in ${tokenFile}`);

  const metrics = createMetrics();
  const limits = createLimits(config.limits, metrics.rateLimited);
  const events = createEventHub();
  const listeners = new Set<(event: TurnEvent) => void>();
  const onTurnEvent = (listener: (event: TurnEvent) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const tokens = createTokens(memory.tokens, now);
  const sessionTokens = createSessionTokens({ secretKey, secretKeyPrevious: config.secretKeyPrevious, now });
  // The circle of flow and Discord is closed as that of turns and tools below.
  const sessions = createSessions({
    store: memory.sessions,
    preferences: memory.preferences,
    transcript: memory.transcript,
    flow: { restricted: (audience, sources, signal) => flow.restricted(audience, sources, signal) },
    ttlMs: config.session.ttlMs,
    now,
  });
  // A turn needs the tools, the tools what Discord gives to read, and Discord's chat the turns: the circle is
  // closed here, by looking the tools up when a turn asks for them.
  const turns = createTurnService({
    journal: memory.turns,
    history: memory.history,
    model: createModel(config.model, { metrics, now }),
    tools: {
      definitions: (actor, activeTools) => registry.definitions(actor, activeTools),
      isRepeatable: (toolName) => registry.isRepeatable(toolName),
      call: (request) => turnTools.call(request),
      assertMayApprove: (approval, actor, signal) => turnTools.assertMayApprove(approval, actor, signal),
    },
    flow: {
      restricted: (audience, sources, signal) => flow.restricted(audience, sources, signal),
      policy: (guildId) => flow.policy(guildId),
    },
    approvals: memory.approvals,
    approvalMs: config.tools.approvalMs,
    context: {
      async read({ sessionId, actor }) {
        const { activeTools } = await sessions.get(sessionId);
        return { preferences: await memory.preferences.get(actor.userId), activeTools };
      },
    },
    budgets: createBudgets(memory.budgets, config.turn, now),
    config,
    emit(conversationId, event) {
      events.publish(conversationId, wireEvent(event));
      for (const listener of listeners) listener(event);
    },
    metrics,
    now,
  });
  // Erasing reaches what runs, and is reached from the chat: the same circle once more.
  const { erasures, eraser, exporter } = memory;
  const revoke = async (id: string): Promise<boolean> => {
    const revoked = await tokens.revoke(id);
    await closeInvalid();
    return revoked;
  };
  const live = createLiveParts({ turns, sessions, events, revoke, discord: () => discord });
  const erasing = createErasing({ erasures, eraser, live, logs: serviceLogs(config.dataDir), now });
  const failed = (error: unknown) => log.error("something could not be erased, trying again", { error });
  const guilds = createGuildRemoval({ erasures, graceMs: config.guildRemovalMs, now });
  const personal = createAppPersonal({
    ...{ erasures, erasing, exporter, now, onFailure: failed },
    flow: { restricted: (audience, sources, signal) => flow.restricted(audience, sources, signal) },
  });
  const messageListeners = new Set<(channelId: string) => void>();
  const discord = openDiscord(config.discord, {
    turns,
    sessions,
    tools: { list: async (actor) => registry.usable(actor, []) },
    personal,
    outbox: memory.outbox,
    marks: memory.marks,
    gatewaySessions: memory.gatewaySessions,
    identifies: memory.identifies,
    seen: memory.seen,
    limits,
    metrics,
    now,
    onMessages(channelId) {
      for (const listener of messageListeners) listener(channelId);
    },
    onGuildRemoved: (id) => void guilds.removed(id).then(erasing.runDue).catch(failed),
    onGuildPresent: (id) => void guilds.present(id).catch(failed),
    onGuildsListed: (ids, isOfShard) => void guilds.listed(ids, isOfShard).catch(failed),
    onFatal: ({ message }) => log.error("Discord is given up: {message}", { message }),
  });
  const { registry, flow, assertReachable, mayRead } = createAppTools({
    config,
    tools: overrides.tools ?? allTools,
    discord,
    memory,
    files: { ...createOutbound(), ...createCdn(config.discord.cdnUrl) },
    limits,
    metrics,
    now,
  });
  const turnTools = agentTools(registry, async (sessionId) => (await sessions.get(sessionId)).activeTools);

  const tools = {
    describe: registry.usable,
    all: registry.list,
    call: registry.call,
  };
  const rules = createRules(() => discord.botUserId());
  const places = { assertReachable };
  const protocol = createProtocol({
    turns,
    sessions,
    events,
    tools,
    rules,
    places,
    approvalMs: config.tools.approvalMs,
    issueToken: ({ id, userId, channelId }, { tokenId }) =>
      sessionTokens.issue({ sessionId: id, userId, channelId, tokenId }),
    now,
  });
  const mcp = createMcp(
    {
      tools: registry,
      rules,
      places,
      sessions,
      turns,
      onTurnEvent,
      audit: memory.audit,
      guildNames: () => discord.guildNames(),
      onMessages(listener) {
        messageListeners.add(listener);
        return () => void messageListeners.delete(listener);
      },
      mayRead,
      secretKey,
      approvalMs: config.tools.approvalMs,
      version,
      now,
    },
    config.http.conformanceFixtures ? { fixtures: conformanceFixtures } : {},
  );
  const auth = createAuthenticator({
    tokens,
    sessionTokens,
    tickets: createTickets({ now }),
    mode: config.http.auth,
    now,
  });
  let draining = false;
  const channels = createAppChannels({ mcp, auth, limits, draining: () => draining });
  const http = createHttp({
    config: config.http,
    protocol,
    mcp,
    sessions,
    events,
    tools,
    rules,
    places,
    auth,
    limits,
    interactions:
      config.discord.publicKey === null
        ? null
        : {
            ...createInteractionVerifier(config.discord.publicKey, now),
            handle: (body) => discord.interact(body),
          },
    health: createHealth({
      config,
      memory,
      turns,
      discord: () => discord.status(),
      draining: () => draining,
      version,
    }),
    metrics,
    refreshGauges: async () =>
      refreshGauges(metrics, {
        stats: turns.stats(),
        discord: discord.status(),
        connections: http.openConnections,
        sessions: await sessions.countActive(),
      }),
    version,
    now,
  });
  const closeInvalid = async () => {
    await Promise.all([http.closeInvalid(), channels.closeInvalid()]);
  };
  const maintenance = createMaintenance([
    { name: "close sockets of expired tokens", everyMs: minuteMs / 4, run: closeInvalid },
    { name: "expire sessions", everyMs: minuteMs, run: () => sessions.expire() },
    {
      name: "storage",
      everyMs: 5000,
      async run() {
        // Turns whose end there was no room for.
        if (memory.storage.recovers()) await turns.resume();
      },
    },
    { name: "expire approvals", everyMs: 5000, run: () => turns.expireApprovals() },
    { name: "erase", everyMs: 5000, run: () => erasing.runDue() },
    {
      name: "retention",
      everyMs: hourMs,
      run: () =>
        memory.removeOlderThan(
          now() - config.retentionDays * 24 * hourMs,
          now() - config.auditRetentionDays * 24 * hourMs,
        ),
    },
  ]);
  const operations = {
    status: async () => ({ version }),
    ...createAuditOperations(memory.audit),
    ...createKeyOperations(memory.keys),
    ...createPersonalOperations({ erasing, eraser, exporter }),
    ...createTokenOperations({ ...tokens, revoke }),
  };
  const control = serveControl(config.dataDir, operations, channels.serve);

  let disposal: Promise<void> | null = null;
  async function dispose(): Promise<void> {
    await http.stop(0);
    await discord.close({ resumable: true });
    await turns[Symbol.asyncDispose]();
    await maintenance[Symbol.asyncDispose]();
    await sessions[Symbol.asyncDispose]();
    control[Symbol.dispose]();
    stored[Symbol.dispose]();
    log.info("stopped");
  }

  return {
    notices,
    discordReady: discord.ready,
    async start() {
      const address = await http.listen(config.http.host, config.http.port).catch((error: unknown) => {
        throw cannotListen(error, config.http);
      });
      await turns.resume();
      maintenance.start();
      await discord.start();
      // A program that has just started the service asks at once: it should find Discord there.
      const settled = discord.ready.catch(() => {});
      void Promise.race([settled, Bun.sleep(readyMs)]).then(control.acceptChannels);
      log.info("started", { version, url: address.url });
      return address;
    },
    onTurnEvent,
    retire(quietMs) {
      const { running, waiting } = turns.stats();
      return running + waiting === 0 && control.retire(quietMs);
    },
    async drain(hurry) {
      draining = true;
      discord.stopIntake();
      const bound = hurry.aborted ? 0 : config.drainMs;
      const until = now() + bound;
      await Promise.race([turns.drain(bound), whenAborted(hurry)]);
      if (hurry.aborted) await turns.drain(0);
      await channels.settled(hurry.aborted ? 0 : Math.max(0, Math.min(until - now(), answersMs)));
      control.closeChannels();
      await http.stop(hurry.aborted ? 0 : Math.max(0, Math.min(until - now(), answersMs)));
    },
    [Symbol.asyncDispose]() {
      disposal ??= dispose();
      return disposal;
    },
  };
}

function openDiscord(config: Config["discord"], deps: Omit<DiscordDeps, "config">): Discord {
  const { token } = config;
  return token === null ? createNoDiscord() : createDiscord({ ...deps, config: { ...config, token } });
}

function noticesOf({ discord, model, http }: Config, { newKeyPath }: Stored): string[] {
  const notices: string[] = [];
  if (newKeyPath !== null) {
    notices.push(
      `a secret key was made in ${newKeyPath}; back it up, the database cannot be read without it`,
    );
  }
  if (discord.token === null) {
    notices.push("DISCORD_TOKEN is not set: serving the network only, tools answer discord_unavailable");
  }
  if (model.apiKey === null) {
    notices.push("ANTHROPIC_API_KEY is not set: every turn fails with model_unavailable");
  }
  if (http.auth === "off") notices.push("MCP_AUTH is off: whoever reaches this address is the operator");
  return notices;
}

function cannotListen(error: unknown, { host, port }: Config["http"]): AppError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = code === "EADDRINUSE" ? "is in use" : `cannot be had (${code || "no reason given"})`;
  return new AppError(
    "internal_error",
    `Port ${port} of ${host} ${why}; set MCP_PORT or MCP_HOST to another one.`,
    { cause: error },
  );
}
