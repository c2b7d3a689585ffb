import { getLogger } from "@logtape/logtape";
import { AppError } from "../errors.ts";
import type { DiscordReader, DiscordWriter, PermissionFactsPort } from "../tools/discord-port.ts";
import type { DiscordStatus } from "./gateway/types.ts";
import { isInGuild } from "./is-in-guild.ts";
import { createParts, type Parts, type PartsDeps } from "./parts.ts";
import { sendLastWord } from "./posts/last-word.ts";
import { isUser } from "./promised-shapes.ts";
import { createRestWriter } from "./rest/writer.ts";
import { type DiscordTiming, discordTiming } from "./timing.ts";
import { untilAnswered } from "./until-answered.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface DiscordDeps extends Omit<PartsDeps, "now" | "timing"> {
  readonly now?: () => number;
  readonly timing?: Partial<DiscordTiming>;
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
  /** Discord's own time, in milliseconds since 1970, behind by a second or two at most; null while it is not known. */
  now(): number | null;
  /** Null until Discord has been reached. */
  botUserId(): string | null;
  /** The servers that the bot is in, as far as the gateway has told of them. */
  guildNames(): Iterable<{ readonly id: string; readonly name: string }>;
  /** Whether the bot is in that server, by asking Discord. Throws AppError where that cannot be found out now. */
  isIn(guildId: string): Promise<boolean>;
  /** Stores how far the gateway has come by now. */
  flush(): Promise<void>;
  /** Answers a message at once and stores nothing of it: sent once, or not at all. */
  reply(to: { readonly channelId: string; readonly messageId: string }, text: string): Promise<void>;
  /** Takes no more messages; answers still go out. What comes now is left to the next process. */
  stopIntake(): void;
  /** Sends what is due within a bound, stores how far it came, and disconnects. Idempotent. */
  close(options: { readonly resumable: boolean }): Promise<void>;
}

/** Everything that talks to Discord, put together. */
export function createDiscord(deps: DiscordDeps): Discord {
  const timing: DiscordTiming = { ...discordTiming, ...deps.timing };
  const stop = new AbortController();
  const parts = createParts({ ...deps, timing, now: deps.now ?? Date.now }, stop.signal);
  const { clients, reader, facts, state, identity, gateway, posting, intake, checkpoints, clock } = parts;

  let closing: Promise<void> | null = null;
  const close = (resumable: boolean): Promise<void> => {
    closing ??= disconnect(parts, stop, { resumable, boundMs: timing.closeMs });
    return closing;
  };

  return {
    reader,
    writer: createRestWriter(clients.writes),
    facts,
    ready: gateway.ready,
    async start() {
      checkpoints.start();
      void connect(parts, deps.onTime, timing.reconnectMs, stop.signal).catch((error: unknown) => {
        if (stop.signal.aborted) return;
        const failure = error instanceof AppError ? error : toFailure(error);
        identity.lost(failure);
        gateway.fail(failure);
      });
    },
    status: () => gateway.status(),
    now: () => clock.now(),
    botUserId: () => identity.userId,
    guildNames: () => state.names(),
    isIn: (guildId) => isInGuild(reader, guildId, stop.signal),
    flush: () => checkpoints.flush(),
    reply: (to, text) => sendLastWord(clients.writes, to, text, stop.signal),
    interact: (body) => posting.interactions.handle(body),
    stopIntake: () => intake.stop(),
    close: ({ resumable }) => close(resumable),
    [Symbol.asyncDispose]: () => close(true),
  };
}

async function connect(
  parts: Parts,
  onTime: DiscordDeps["onTime"],
  baseMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clients, state, intake, identity, posting, gateway, clock } = parts;
  const me = await untilAnswered(
    "the bot's user",
    (s) => clients.reads.users.getCurrent({ signal: s }),
    isUser,
    { baseMs, signal },
  );
  const time = clock.now();
  if (time !== null) await onTime?.(time);
  state.botUserId = me.id;
  intake.start(me.id);
  identity.found(me.id);
  posting.start();
  await gateway.start();
}

/** What is being taken in and posted has `boundMs` to finish. */
async function disconnect(
  parts: Parts,
  stop: AbortController,
  { resumable, boundMs }: { readonly resumable: boolean; readonly boundMs: number },
): Promise<void> {
  const { clients, identity, members, gateway, posting, intake, events, checkpoints, typing } = parts;
  intake.stop();
  events.stop();
  checkpoints.stop();
  const { promise: bound, resolve } = Promise.withResolvers<void>();
  const patience = setTimeout(resolve, boundMs);
  await Promise.all([Promise.race([intake.settled(), bound]), posting.close(boundMs)]);
  clearTimeout(patience);
  const gone = new AppError("discord_unavailable", "The service is going down; try again in a minute.");
  stop.abort(gone);
  identity.lost(gone);
  typing[Symbol.dispose]();
  members[Symbol.dispose]();
  await gateway.close({ resumable });
  await checkpoints.write();
  clients.dispose();
}

function toFailure(cause: unknown): AppError {
  const sentence =
    "Connecting to Discord failed for a reason of our own; it has been logged. Restart the service.";
  log.error("connecting to Discord failed", { error: cause });
  return new AppError("internal_error", sentence, { cause });
}
