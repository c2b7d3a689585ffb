import { createAuthenticator } from "../auth/authenticate.ts";
import { createRules } from "../auth/rules.ts";
import { createSessionTokens } from "../auth/session-token.ts";
import { createInteractionVerifier } from "../auth/signatures.ts";
import { createTickets } from "../auth/tickets.ts";
import type { Tokens } from "../auth/tokens.ts";
import type { Config } from "../config.ts";
import type { Stored } from "../database.ts";
import { createHttp, type Http } from "../http/server.ts";
import type { Limits } from "../limits/rate-limits.ts";
import { conformanceFixtures } from "../mcp/conformance/fixtures.ts";
import { createMcp } from "../mcp/server.ts";
import type { Metrics } from "../metrics.ts";
import { createProtocol } from "../protocol/handler.ts";
import { createHearings } from "../protocol/hearing.ts";
import type { EventHub } from "../sessions/events.ts";
import { version } from "../version.ts";
import { type AppChannels, createAppChannels } from "./control-channels.ts";
import { createHealth, refreshGauges } from "./health.ts";
import type { Work } from "./work.ts";

export interface DoorsDeps {
  readonly config: Config;
  readonly stored: Pick<Stored, "memory" | "secretKey">;
  readonly work: Work;
  readonly tokens: Tokens;
  readonly events: EventHub;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly draining: () => boolean;
  readonly now: () => number;
}

/** By which programs come in: both protocols, over HTTP and sockets, and over the control socket. */
export interface Doors {
  readonly http: Http;
  readonly channels: AppChannels;
  /** Closes what is open with a token that is not valid any more. */
  closeInvalid(): Promise<void>;
}

export function createDoors(deps: DoorsDeps): Doors {
  const { config, stored, work, tokens, events, limits, metrics, draining, now } = deps;
  const { memory, secretKey } = stored;
  const { sessions, turns, discord, registry } = work;
  const { approvalMs } = config.tools;
  const sessionTokens = createSessionTokens({ secretKey, secretKeyPrevious: config.secretKeyPrevious, now });
  const tickets = createTickets({ now });
  const auth = createAuthenticator({ tokens, sessionTokens, tickets, mode: config.http.auth, now });
  const rules = createRules(() => discord.botUserId());
  const places = { assertReachable: work.assertReachable };
  const tools = {
    describe: registry.usable,
    all: registry.list,
    call: registry.call,
    assertMayApprove: registry.assertMayApprove,
  };
  const { onAccessChanged, onForgotten, onBehalf } = work;
  const hearings = createHearings({ turns, sessions, tools, places, onAccessChanged, now });
  const protocol = createProtocol({
    ...{ turns, sessions, events, tools, rules, places, onForgotten, onBehalf, approvalMs, now },
    issueToken: ({ id, userId, channelId }, { tokenId }) =>
      sessionTokens.issue({ sessionId: id, userId, channelId, tokenId }),
  });
  const mcp = createMcp(
    {
      ...{ tools: registry, rules, places, sessions, turns, secretKey, approvalMs, version, now },
      audit: memory.audit,
      guildNames: () => discord.guildNames(),
      onTurnEvent: work.onTurnEvent,
      onMessages: work.onMessages,
      onForgotten,
      onBehalf,
      mayRead: work.mayRead,
    },
    config.http.conformanceFixtures ? { fixtures: conformanceFixtures } : {},
  );
  const channels = createAppChannels({ mcp, auth, limits, draining });
  const { publicKey } = config.discord;
  const http = createHttp({
    ...{ config: config.http, protocol, mcp, sessions, events, tools, rules, places, auth, limits },
    hearings,
    ...{ metrics, version, now },
    interactions:
      publicKey === null
        ? null
        : { ...createInteractionVerifier(publicKey, now), handle: (body) => discord.interact(body) },
    health: createHealth({ config, memory, turns, discord: () => discord.status(), draining, version }),
    refreshGauges: async () =>
      refreshGauges(metrics, {
        stats: turns.stats(),
        discord: discord.status(),
        connections: http.openConnections,
        sessions: await sessions.countActive(),
      }),
  });
  return {
    http,
    channels,
    async closeInvalid() {
      await Promise.all([http.closeInvalid(), channels.closeInvalid()]);
    },
  };
}
