import { atOnce, type OnBehalf } from "../actor.ts";
import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import type { AppError } from "../errors.ts";
import type { Limits } from "../limits/rate-limits.ts";
import type { Metrics } from "../metrics.ts";
import { shardOf } from "../snowflake.ts";
import type { DiscordReader } from "../tools/discord-port.ts";
import type { ChatSessions } from "./chat/acceptance.ts";
import type { ChatTools } from "./chat/commands.ts";
import { Intake } from "./chat/intake.ts";
import { Marks } from "./chat/marks.ts";
import { PersonalCommands, type PersonalData } from "./chat/personal-commands.ts";
import { createDiscordClock, type DiscordClock } from "./clock.ts";
import { Checkpoints } from "./gateway/checkpoints.ts";
import { GatewayEvents, type GatewayListeners } from "./gateway/events.ts";
import { Gateway } from "./gateway/gateway.ts";
import { Identity } from "./identity.ts";
import type { ChannelMarks, GatewaySessions, IdentifyLog, Outbox, SeenMessages } from "./ports.ts";
import { Notices } from "./posts/notices.ts";
import { createPosting, type Posting } from "./posts/posting.ts";
import { showTyping } from "./posts/typing.ts";
import { createRestClients, type RestClients } from "./rest/client.ts";
import { createRestReader } from "./rest/reader.ts";
import { createFacts, type Facts } from "./state/facts.ts";
import { GuildState } from "./state/guild-state.ts";
import { MemberLookups } from "./state/member-lookups.ts";
import type { DiscordTiming } from "./timing.ts";

/** What Discord's parts need of the service. */
export interface PartsDeps extends GatewayListeners {
  /** With a token; without one there is `createNoDiscord`. */
  readonly config: Config["discord"] & { readonly token: string };
  readonly turns: TurnService;
  readonly sessions: ChatSessions;
  readonly tools: ChatTools;
  readonly personal: PersonalData;
  readonly outbox: Outbox;
  readonly marks: ChannelMarks;
  readonly gatewaySessions: GatewaySessions;
  readonly identifies: IdentifyLog;
  readonly seen: SeenMessages;
  readonly limits: Pick<Limits, "user" | "guild">;
  /** What may store something of whoever presses a button is done by this. Throws AppError `rate_limited`. */
  readonly onBehalf?: OnBehalf;
  /** The same for messages, which wait instead. */
  readonly onBehalfLater?: OnBehalf;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly timing: DiscordTiming;
  /** What Discord's clock says, before any of its messages comes; nothing goes on before this resolves. */
  readonly onTime?: (discordNow: number) => Promise<void>;
  /** Discord cannot go on until an operator acts, such as on a bad token; everything else may. */
  readonly onFatal: (error: AppError) => void;
}

/** What is known of Discord, by its gateway and by asking. */
interface Knowledge {
  readonly clients: RestClients;
  readonly reader: DiscordReader;
  readonly state: GuildState;
  readonly identity: Identity;
  readonly members: MemberLookups;
  readonly facts: Facts;
}

export interface Parts extends Knowledge {
  readonly clock: DiscordClock;
  readonly gateway: Gateway;
  readonly posting: Posting;
  readonly intake: Intake;
  readonly events: GatewayEvents;
  readonly checkpoints: Checkpoints;
  readonly typing: Disposable;
}

/** Makes and joins all that talks to Discord; nothing is said before they are started. `signal` ends what they ask. */
export function createParts(deps: PartsDeps, signal: AbortSignal): Parts {
  const { config, metrics, turns, now, timing } = deps;
  const clock = createDiscordClock();
  const clients = createRestClients(config.token, config.apiUrl, timing, clock.saw);
  // The gateway's events reach the parts that ask the gateway: they are looked up when they come.
  const gateway = new Gateway({
    ...{ config, metrics, now, timing, api: clients.reads },
    sessions: deps.gatewaySessions,
    identifies: deps.identifies,
    events: {
      dispatch: (shardId, payload) => events.dispatch(shardId, payload),
      sessionBegan: (shardId, shardCount) => events.sessionBegan(shardId, shardCount),
      fatal: deps.onFatal,
    },
  });
  const known = createKnowledge(clients, gateway, new Identity(timing.identityMs, signal), now);
  const { state, members, identity } = known;
  const posting = createPosting({
    ...{ clients, outbox: deps.outbox, turns, metrics, now, timing, limits: deps.limits },
    onBehalf: deps.onBehalf ?? atOnce,
    botUserId: () => identity.wait(),
    guildOf: (channelId) => state.channel(channelId)?.guildId ?? null,
  });
  const marks = new Marks(deps.marks);
  const intake = createIntake(deps, { known, posting, marks, signal });
  const events = new GatewayEvents({
    ...{ state, intake, posting, members, listeners: deps, arrivalsMs: timing.arrivalsMs },
    shardCount: () => gateway.shardCount,
  });
  const checkpoints = new Checkpoints({ marks, gateway, everyMs: timing.checkpointMs });
  const typing = showTyping({
    api: clients.writes,
    turns,
    onFailure: () => metrics.discordFailure("typing"),
    repeatMs: timing.typingMs,
    perSecond: timing.typingsPerSecond,
  });
  return { ...known, clock, gateway, posting, intake, events, checkpoints, typing };
}

function createKnowledge(
  clients: RestClients,
  gateway: Gateway,
  identity: Identity,
  now: () => number,
): Knowledge {
  const reader = createRestReader(clients.reads);
  const state = new GuildState();
  const isTrusted = (guildId: string) => gateway.isTrusted(guildId);
  const members = new MemberLookups({
    ...{ reader, isTrusted, now },
    request: (guildId, userIds, nonce) => gateway.requestMembers(guildId, userIds, nonce),
    shardOf: (guildId) => shardOf(guildId, gateway.shardCount),
  });
  const facts = createFacts({
    ...{ state, reader, members, isTrusted, api: clients.reads },
    hearsMembers: () => gateway.intents.members,
    botUserId: () => identity.wait(),
  });
  return { clients, reader, state, identity, members, facts };
}

function createIntake(
  deps: PartsDeps,
  joined: {
    readonly known: Knowledge;
    readonly posting: Posting;
    readonly marks: Marks;
    readonly signal: AbortSignal;
  },
): Intake {
  const { config, outbox, turns, sessions, tools, seen, limits, metrics, now, timing } = deps;
  const { known, posting, marks, signal } = joined;
  const { clients, reader, state, facts } = known;
  const notices = new Notices({ outbox, seen, now, wake: () => posting.delivery.wake() });
  const personal = new PersonalCommands({
    ...{ notices, now, signal, api: clients.writes },
    personal: deps.personal,
    prefix: config.prefix,
  });
  return new Intake({
    ...{ config, turns, sessions, tools, personal, outbox, seen, notices, limits, metrics, now },
    ...{ state, facts, reader, api: clients.reads },
    ...{ marks, markStore: deps.marks, retryMs: timing.retryMs },
    onBehalf: deps.onBehalfLater ?? atOnce,
  });
}
