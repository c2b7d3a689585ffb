import { getLogger } from "@logtape/logtape";
import { GatewayDispatchEvents as Events, type GatewayDispatchPayload } from "discord-api-types/v10";
import type { TurnService } from "../agent/turn-service.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Limits } from "../limits/rate-limits.ts";
import type { Metrics } from "../metrics.ts";
import type { DiscordReader, DiscordWriter, PermissionFactsPort } from "../tools/discord-port.ts";
import type { ChatSessions } from "./acceptance.ts";
import { Arrivals } from "./arrivals.ts";
import type { ChatTools } from "./commands.ts";
import { createFacts } from "./facts.ts";
import { Gateway } from "./gateway.ts";
import { type DiscordStatus, type GatewayTiming, gatewayTiming } from "./gateway-types.ts";
import { GuildState } from "./guild-state.ts";
import { Intake } from "./intake.ts";
import { Marks } from "./marks.ts";
import { Notices } from "./notices.ts";
import { PersonalCommands, type PersonalData } from "./personal-commands.ts";
import type { ChannelMarks, GatewaySessions, IdentifyLog, Outbox, SeenMessages } from "./ports.ts";
import { sendPost } from "./post-sender.ts";
import { createPosting } from "./posting.ts";
import { planPosts } from "./posts.ts";
import { createRestClients } from "./rest-client.ts";
import { ask, raceAbort } from "./rest-errors.ts";
import { createRestReader } from "./rest-reader.ts";
import { createRestWriter } from "./rest-writer.ts";
import { shardOf } from "./snowflake.ts";
import { showTyping } from "./typing.ts";
import { untilAnswered } from "./until-answered.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** Times in milliseconds; the defaults are for Discord itself. */
export interface DiscordTiming extends GatewayTiming {
  /** Between writes of how far the gateway has come. */
  readonly checkpointMs: number;
  readonly typingMs: number;
  /** How long a post of unknown fate is left alone before it is looked for. */
  readonly lookAfterMs: number;
  readonly retryMs: readonly number[];
  /** Between tries to show a verdict, and to open a direct channel. */
  readonly againMs: number;
  /** A pressed button whose verdict takes longer is answered in two parts. */
  readonly deferMs: number;
  /** How long READY's guilds are waited for before direct messages are caught up. */
  readonly arrivalsMs: number;
  /** How long who asks for the bot's id waits for Discord to be reached. */
  readonly identityMs: number;
  /** How long closing waits for what is being taken in and posted. */
  readonly closeMs: number;
}

export const discordTiming: DiscordTiming = {
  ...gatewayTiming,
  checkpointMs: 250,
  typingMs: 8000,
  lookAfterMs: 60_000,
  retryMs: [200, 1000, 5000],
  againMs: 15_000,
  deferMs: 1500,
  arrivalsMs: 10_000,
  identityMs: 5000,
  closeMs: 3000,
};

export interface DiscordDeps {
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
  /** Messages of a channel have come, were edited or are gone. */
  readonly onMessages?: (channelId: string) => void;
  /** The bot was removed from a guild, whose data is to be cleaned up. */
  readonly onGuildRemoved?: (guildId: string) => void;
  /** It is in a guild, perhaps once again. */
  readonly onGuildPresent?: (guildId: string) => void;
  /** A shard's new session has named every guild that the bot is in, of those that are the shard's. */
  readonly onGuildsListed?: (guildIds: readonly string[], isOfShard: (guildId: string) => boolean) => void;
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
  const clients = createRestClients(config.token, config.apiUrl);
  const reader = createRestReader(clients.reads);
  const state = new GuildState();
  const identity = Promise.withResolvers<string>();
  identity.promise.catch(() => undefined);
  /** Who asks before Discord has been reached is told so, rather than kept waiting. */
  const botUserId = (): Promise<string> => {
    if (state.botUserId !== null) return Promise.resolve(state.botUserId);
    const { signal } = stop;
    return ask(signal, "the bot's user", (s) =>
      raceAbort(identity.promise, AbortSignal.any([s, AbortSignal.timeout(timing.identityMs)])),
    );
  };

  const gateway = new Gateway({
    config,
    api: clients.reads,
    sessions: deps.gatewaySessions,
    identifies: deps.identifies,
    metrics,
    now,
    timing,
    events: { dispatch, sessionBegan, fatal: deps.onFatal },
  });
  const facts = createFacts({
    state,
    reader,
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
  /** Sessions that are not to be stored before what was missed without them is caught up. */
  let begun: (() => void)[] = [];
  let hasMissed: Promise<boolean> = Promise.resolve(false);
  const arrivals = new Arrivals(() => void catchUp(), timing.arrivalsMs);
  const typing = showTyping({
    api: clients.writes,
    turns,
    onFailure: () => metrics.discordFailure("typing"),
    repeatMs: timing.typingMs,
  });

  function untilCaughtUp(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    begun.push(resolve);
    void hasMissed.then((isSo) => isSo || resolve());
    return promise;
  }

  async function catchUp(): Promise<void> {
    const sessions = begun;
    begun = [];
    await intake.guildsArrived();
    for (const end of sessions) end();
  }

  function sessionBegan(shardId: number, shardCount: number): void {
    hasMissed = intake.sessionBegan(shardId, shardCount);
    state.forgetShard(shardId, shardCount);
  }

  /** Where the bot is: one that is down at Discord is still there. */
  function notePresence(shardId: number, { t, d }: GatewayDispatchPayload): void {
    if (t === Events.Ready) {
      const guildIds = d.guilds.map((guild) => guild.id);
      arrivals.expect(guildIds);
      const shardCount = d.shard?.[1] ?? gateway.shardCount;
      deps.onGuildsListed?.(guildIds, (id) => shardOf(id, shardCount) === shardId);
    }
    if (t === Events.GuildCreate) deps.onGuildPresent?.(d.id);
    if (t === Events.GuildDelete && d.unavailable !== true) deps.onGuildRemoved?.(d.id);
  }

  function dispatch(shardId: number, payload: GatewayDispatchPayload): Promise<void> | undefined {
    state.apply(payload);
    const catchingUp = payload.t === Events.Ready ? untilCaughtUp() : undefined;
    notePresence(shardId, payload);
    if (payload.t === Events.MessageCreate && payload.d.author.id === state.botUserId) confirm(payload.d);
    noteMessages(payload);
    if (payload.t === Events.InteractionCreate) posting.interactions.received(payload.d);
    const handling = catchingUp ?? intake.dispatch(payload);
    if (payload.t === Events.GuildCreate) arrivals.arrived(payload.d.id);
    return handling;
  }

  function noteMessages({ t, d }: GatewayDispatchPayload): void {
    const isOfMessages =
      t === Events.MessageCreate ||
      t === Events.MessageUpdate ||
      t === Events.MessageDelete ||
      t === Events.MessageDeleteBulk;
    if (isOfMessages) deps.onMessages?.(d.channel_id);
  }

  function confirm({ nonce, id }: { readonly nonce?: string | number; readonly id: string }): void {
    if (nonce === undefined) return;
    posting.delivery.confirm(String(nonce), id).catch((error: unknown) => {
      log.error("a post could not be marked as sent", { error });
    });
  }

  async function connect(): Promise<void> {
    const options = { baseMs: timing.reconnectMs, signal: stop.signal };
    const me = await untilAnswered(
      "the bot's user",
      (s) => clients.reads.users.getCurrent({ signal: s }),
      options,
    );
    state.botUserId = me.id;
    intake.start(me.id);
    identity.resolve(me.id);
    posting.start();
    await gateway.start();
  }

  let writing: Promise<void> | null = null;
  const checkpoint = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  };
  async function write(): Promise<void> {
    try {
      // Marks first: a sequence that is ahead of its marks would lose what it has passed, were it not resumed.
      await marks.flush();
      await gateway.checkpoint();
    } catch (error) {
      log.error("how far the gateway has come could not be stored", { error });
    }
  }
  let timer: ReturnType<typeof setInterval> | null = null;
  let closing: Promise<void> | null = null;

  async function close(resumable: boolean): Promise<void> {
    intake.stop();
    arrivals.stop();
    if (timer !== null) clearInterval(timer);
    const { promise: bound, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, timing.closeMs);
    await Promise.all([Promise.race([intake.settled(), bound]), posting.close(timing.closeMs)]);
    clearTimeout(patience);
    const gone = new AppError("discord_unavailable", "The service is going down; try again in a minute.");
    stop.abort(gone);
    identity.reject(gone);
    typing[Symbol.dispose]();
    await gateway.close({ resumable });
    await checkpoint();
    clients.dispose();
  }

  return {
    reader,
    writer: createRestWriter(clients.writes),
    facts,
    ready: gateway.ready,
    async start() {
      timer = setInterval(() => void checkpoint(), timing.checkpointMs);
      timer.unref();
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
    async flush() {
      // What is being written may have begun before.
      await writing;
      await checkpoint();
    },
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
