import { getLogger } from "@logtape/logtape";
import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Limits } from "../limits/rate-limits.ts";
import type { Metrics } from "../metrics.ts";
import { shardOf } from "../snowflake.ts";
import type { DiscordReader, DiscordWriter, PermissionFactsPort } from "../tools/discord-port.ts";
import { abortable } from "../waiting.ts";
import type { ChatSessions } from "./chat/acceptance.ts";
import type { ChatTools } from "./chat/commands.ts";
import { Intake } from "./chat/intake.ts";
import { Marks } from "./chat/marks.ts";
import { PersonalCommands, type PersonalData } from "./chat/personal-commands.ts";
import { isId } from "./fits.ts";
import { Checkpoints } from "./gateway/checkpoints.ts";
import { GatewayEvents, type Hearers } from "./gateway/events.ts";
import { Gateway } from "./gateway/gateway.ts";
import type { DiscordStatus } from "./gateway/types.ts";
import { isInGuild } from "./is-in-guild.ts";
import type { ChannelMarks, GatewaySessions, IdentifyLog, Outbox, SeenMessages } from "./ports.ts";
import { Notices } from "./posts/notices.ts";
import { sendPost } from "./posts/post-sender.ts";
import { createPosting } from "./posts/posting.ts";
import { planPosts } from "./posts/posts.ts";
import { showTyping } from "./posts/typing.ts";
import { isUser } from "./promised-shapes.ts";
import { createRestClients } from "./rest/client.ts";
import { ask } from "./rest/errors.ts";
import { createRestReader } from "./rest/reader.ts";
import { createRestWriter } from "./rest/writer.ts";
import { createFacts } from "./state/facts.ts";
import { GuildState } from "./state/guild-state.ts";
import { MemberLookups } from "./state/member-lookups.ts";
import { type DiscordTiming, discordTiming } from "./timing.ts";
import { untilAnswered } from "./until-answered.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface DiscordDeps extends Hearers {
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
  readonly metrics: Metrics;
  readonly now?: () => number;
  readonly timing?: Partial<DiscordTiming>;
  /** Discord cannot go on until an operator acts, such as on a bad token; everything else may. */
  readonly onFatal: (error: AppError) => void;
}

export interface Discord extends AsyncDisposable {
  readonly reader: DiscordReader;
  readonly writer: DiscordWriter;
  readonly facts: PermissionFactsPort;
  /** An interaction that came by webhook, its signature checked: resolves with the body of the response. Throws AppError. */
  interact(body: unknown): Promise<unknown>;
  /** Begins: connects in the background and keeps at it. What it cannot get over goes to `onFatal`. */
  start(): Promise<void>;
  /** Resolves when Discord is ready for the first time. Rejects when that cannot be, or it is closed before. */
  readonly ready: Promise<void>;
  status(): DiscordStatus;
  /** Null until Discord has been reached. */
  botUserId(): string | null;
  /** The servers that the bot is in, as far as the gateway has told of them. */
  guildNames(): Iterable<{ readonly id: string; readonly name: string }>;
  /** Whether the bot is in that server, by asking Discord. Throws AppError where that cannot be found out now. */
  isIn(guildId: string): Promise<boolean>;
  /** Stores how far the gateway has come by now. */
  flush(): Promise<void>;
  /** Answers a message at once and stores nothing of it: posted once, or not at all. */
  reply(to: { readonly channelId: string; readonly messageId: string }, text: string): Promise<void>;
  /** Takes no more messages; answers still go out. What comes now is left to the next process. */
  stopIntake(): void;
  /** Sends what is due within a bound, stores how far it came, and disconnects. Idempotent. */
  close(options: { readonly resumable: boolean }): Promise<void>;
}

/** Everything that talks to Discord, put together. */
export function createDiscord(deps: DiscordDeps): Discord {
  const { config, metrics, turns, outbox, seen, now = Date.now } = deps;
  const timing: DiscordTiming = { ...discordTiming, ...deps.timing };
  const stop = new AbortController();
  const clients = createRestClients(config.token, config.apiUrl, timing);
  const reader = createRestReader(clients.reads);
  const state = new GuildState();
  const identity = Promise.withResolvers<string>();
  identity.promise.catch(() => undefined);
  /** Who asks before Discord has been reached is told so, rather than kept waiting. */
  const botUserId = (): Promise<string> => {
    if (state.botUserId !== null) return Promise.resolve(state.botUserId);
    const { signal } = stop;
    const known = (s: AbortSignal) =>
      abortable(identity.promise, AbortSignal.any([s, AbortSignal.timeout(timing.identityMs)]));
    return ask(signal, "the bot's user", known, isId);
  };

  const gateway = new Gateway({
    config,
    api: clients.reads,
    sessions: deps.gatewaySessions,
    identifies: deps.identifies,
    metrics,
    now,
    timing,
    events: {
      dispatch: (shardId, payload) => events.dispatch(shardId, payload),
      sessionBegan: (shardId, shardCount) => events.sessionBegan(shardId, shardCount),
      fatal: deps.onFatal,
    },
  });
  const members = new MemberLookups({
    reader,
    request: (guildId, userIds, nonce) => gateway.requestMembers(guildId, userIds, nonce),
    isTrusted: (guildId) => gateway.isTrusted(guildId),
    shardOf: (guildId) => shardOf(guildId, gateway.shardCount),
    now,
  });
  const facts = createFacts({
    state,
    reader,
    members,
    api: clients.reads,
    isTrusted: (guildId) => gateway.isTrusted(guildId),
    hearsMembers: () => gateway.intents.members,
    botUserId,
  });
  const posting = createPosting({
    ...{ clients, outbox, turns, botUserId, metrics, now, timing },
    limits: deps.limits,
    guildOf: (channelId) => state.channel(channelId)?.guildId ?? null,
  });
  const notices = new Notices({ outbox, seen, now, wake: () => posting.delivery.wake() });
  const marks = new Marks(deps.marks);
  const personal = new PersonalCommands({
    ...{ personal: deps.personal, notices, api: clients.writes, now, prefix: config.prefix },
    signal: stop.signal,
  });
  const intake = new Intake({
    ...{
      config,
      state,
      facts,
      api: clients.reads,
      outbox,
      turns,
      seen,
      notices,
      marks,
      reader,
      metrics,
      now,
    },
    sessions: deps.sessions,
    personal,
    tools: deps.tools,
    limits: deps.limits,
    markStore: deps.marks,
    retryMs: timing.retryMs,
  });
  const events = new GatewayEvents({
    ...{ state, intake, posting, members, hearers: deps, arrivalsMs: timing.arrivalsMs },
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

  async function connect(): Promise<void> {
    const options = { baseMs: timing.reconnectMs, signal: stop.signal };
    const me = await untilAnswered(
      "the bot's user",
      (s) => clients.reads.users.getCurrent({ signal: s }),
      isUser,
      options,
    );
    state.botUserId = me.id;
    intake.start(me.id);
    identity.resolve(me.id);
    posting.start();
    await gateway.start();
  }

  let closing: Promise<void> | null = null;

  async function close(resumable: boolean): Promise<void> {
    intake.stop();
    events.stop();
    checkpoints.stop();
    const { promise: bound, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, timing.closeMs);
    await Promise.all([Promise.race([intake.settled(), bound]), posting.close(timing.closeMs)]);
    clearTimeout(patience);
    const gone = new AppError("discord_unavailable", "The service is going down; try again in a minute.");
    stop.abort(gone);
    identity.reject(gone);
    typing[Symbol.dispose]();
    members[Symbol.dispose]();
    await gateway.close({ resumable });
    await checkpoints.write();
    clients.dispose();
  }

  return {
    reader,
    writer: createRestWriter(clients.writes),
    facts,
    ready: gateway.ready,
    async start() {
      checkpoints.start();
      void connect().catch((error: unknown) => {
        if (stop.signal.aborted) return;
        const failure = error instanceof AppError ? error : toFailure(error);
        identity.reject(failure);
        gateway.fail(failure);
      });
    },
    status: () => gateway.status(),
    botUserId: () => state.botUserId,
    guildNames: () => state.names(),
    isIn: (guildId) => isInGuild(reader, guildId, stop.signal),
    flush: () => checkpoints.flush(),
    async reply({ channelId, messageId }, text) {
      const posts = planPosts({
        ...{ purpose: "notice", subject: messageId, channelId, replyToMessageId: messageId, text },
        userId: "",
      });
      for (const post of posts) {
        const quiet = { ...post, allowedMentionUserIds: [] };
        const sent = await sendPost(clients.writes, quiet, [], stop.signal);
        if (sent.kind !== "sent") log.warn("a last word could not be sent", { outcome: sent.kind });
      }
    },
    interact: (body) => posting.interactions.handle(body),
    stopIntake: () => intake.stop(),
    close({ resumable }) {
      closing ??= close(resumable);
      return closing;
    },
    [Symbol.asyncDispose]() {
      closing ??= close(true);
      return closing;
    },
  };
}

function toFailure(cause: unknown): AppError {
  const sentence =
    "Connecting to Discord failed for a reason of our own; it has been logged. Restart the service.";
  log.error("connecting to Discord failed", { error: cause });
  return new AppError("internal_error", sentence, { cause });
}
