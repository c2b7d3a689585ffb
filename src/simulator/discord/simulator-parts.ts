import type { APIMessage } from "discord-api-types/v10";
import type { Cdn } from "./cdn.ts";
import type { Gateway, GatewayNote, GatewaySettings } from "./gateway.ts";
import type { SocketData } from "./gateway-connection.ts";
import type { PrivilegedIntents } from "./gateway-intents.ts";
import { Journal, Ticks, type WaitOptions } from "./journal.ts";
import { discordRateLimits, noRateLimits, type RateLimitSettings } from "./rest/rate-limits.ts";
import type { Exchange, RestServer } from "./rest/serve.ts";
import type { DiscordSimulatorOptions } from "./simulator.ts";

const allIntents: PrivilegedIntents = { messageContent: true, members: true, presences: true };
const noIntents: PrivilegedIntents = { messageContent: false, members: false, presences: false };
const dayMs = 86_400_000;

export interface Journals {
  readonly ticks: Ticks;
  readonly messages: Journal<APIMessage>;
  readonly requests: Journal<Exchange>;
  readonly gateway: Journal<GatewayNote>;
}

export function makeJournals(bound: number): Journals {
  const ticks = new Ticks();
  return {
    ticks,
    messages: new Journal("a message", ticks, bound),
    requests: new Journal("a request", ticks, bound),
    gateway: new Journal("a gateway event", ticks, bound),
  };
}

export function gatewaySettings(options: DiscordSimulatorOptions): GatewaySettings {
  const { privilegedIntents = true, sessionStartLimit: limit } = options;
  return {
    token: options.token ?? "simulated-discord-token",
    url: "",
    heartbeatIntervalMs: options.heartbeatInterval ?? 41_250,
    allowed:
      typeof privilegedIntents === "object" ? privilegedIntents : privilegedIntents ? allIntents : noIntents,
    startLimit: {
      total: limit?.total ?? 1000,
      remaining: limit?.remaining ?? 1000,
      reset_after: limit?.resetAfter ?? dayMs,
      max_concurrency: limit?.maxConcurrency ?? 1,
    },
    identifyIntervalMs:
      options.identifyInterval ?? ((options.rateLimits ?? "discord") === "discord" ? 5000 : 0),
    sessionTimeoutMs: options.sessionTimeout ?? 180_000,
    minimumShards: options.minimumShards ?? 1,
  };
}

export function rateLimits({ rateLimits = "discord" }: DiscordSimulatorOptions): RateLimitSettings {
  if (rateLimits === "discord") return discordRateLimits;
  return rateLimits === "off" ? noRateLimits : rateLimits;
}

/** One port for all: sockets under /gateway, REST under /api, files under /attachments. */
export function listen(port: number, gateway: Gateway, rest: RestServer, cdn: Cdn) {
  return Bun.serve<SocketData>({
    port,
    hostname: "127.0.0.1",
    // A held or timing-out request must not be ended by the server itself.
    idleTimeout: 0,
    development: false,
    async fetch(request, server) {
      const url = new URL(request.url);
      if (url.pathname.startsWith("/attachments/")) return cdn.serve(url.pathname);
      if (!url.pathname.startsWith("/gateway")) return await rest.serve(request);
      if (gateway.refusals > 0) {
        gateway.refusals -= 1;
        gateway.note("refused", null);
        return new Response(null, { status: 503 });
      }
      const query = url.searchParams;
      const data: SocketData = {
        version: query.get("v"),
        encoding: query.get("encoding"),
        compress: query.get("compress"),
        connection: null,
      };
      return server.upgrade(request, { data }) ? undefined : new Response("WebSocket only", { status: 426 });
    },
    websocket: {
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      backpressureLimit: 64 * 1024 * 1024,
      open: (socket) => gateway.open(socket),
      message: (socket, message) => gateway.message(socket, message),
      close: (socket, code) => gateway.closed(socket, code),
    },
  });
}

export function observation(journals: Journals, botId: string) {
  const ofGateway = (kind: GatewayNote["kind"]) => (options?: WaitOptions) =>
    journals.gateway.wait((note) => note.kind === kind, options);
  return {
    mark: () => journals.ticks.now,
    waitForMessage: journals.messages.wait.bind(journals.messages),
    waitForRequest: journals.requests.wait.bind(journals.requests),
    waitForGateway: journals.gateway.wait.bind(journals.gateway),
    waitForIdentify: ofGateway("identify"),
    waitForReady: ofGateway("ready"),
    waitForResume: ofGateway("resumed"),
    async waitForTyping(channelId: string, options?: WaitOptions): Promise<void> {
      const path = `/channels/${channelId}/typing`;
      await journals.requests.wait(
        (one) => one.method === "POST" && one.path === path && one.status === 204,
        options,
      );
    },
    waitForBotMessage: (options?: WaitOptions & { readonly channelId?: string }) =>
      journals.messages.wait(
        (one) => one.author.id === botId && (options?.channelId ?? one.channel_id) === one.channel_id,
        options,
      ),
    onExchange: (listener: (exchange: Exchange) => void) => journals.requests.listen(listener),
    onMessage: (listener: (message: APIMessage) => void) => journals.messages.listen(listener),
  };
}
