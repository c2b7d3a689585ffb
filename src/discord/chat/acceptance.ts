import { getLogger } from "@logtape/logtape";
import type { Actor, OnBehalf } from "../../actor.ts";
import type { SubmitResult, TurnService } from "../../agent/turn-service.ts";
import { AppError } from "../../errors.ts";
import type { Limits } from "../../limits/rate-limits.ts";
import type { Session } from "../../sessions/ports.ts";
import type { SeenMessages } from "../ports.ts";
import type { Notices } from "../posts/notices.ts";
import { decide } from "./chat.ts";
import { type ChatWorldDeps, surroundings } from "./chat-world.ts";
import { type ChatTools, runCommand } from "./commands.ts";
import type { Incoming } from "./incoming.ts";
import type { PersonalCommands } from "./personal-commands.ts";

const log = getLogger(["discord-mcp", "discord"]);

/** The chat's own sessions, one for each person and channel. Implemented by `sessions/`. */
export interface ChatSessions {
  chatSession(userId: string, channelId: string, guildId: string | null): Promise<Session>;
  /** Counts for the line that is logged when the session ends. */
  count(session: Session, what: "message"): void;
}

export interface AcceptanceDeps extends ChatWorldDeps {
  readonly turns: TurnService;
  readonly sessions: ChatSessions;
  readonly tools: ChatTools;
  readonly seen: SeenMessages;
  readonly notices: Notices;
  readonly personal: Pick<PersonalCommands, "run">;
  readonly limits: Pick<Limits, "user" | "guild">;
  /** What each message is taken in by: waits while its author is being forgotten. */
  readonly onBehalf: OnBehalf;
}

/**
 * Takes in one message: decides, and stores a turn or a notice before it resolves. Seen messages are recognised, so
 * that it may be called again after any failure. Throws AppError `shutting_down` when the message is left to the next process.
 */
export function accept(given: Incoming, deps: AcceptanceDeps): Promise<"accepted" | "passed"> {
  return deps.onBehalf({ userId: given.authorId, guildId: given.guildId }, () => takeIn(given, deps));
}

async function takeIn(given: Incoming, deps: AcceptanceDeps): Promise<"accepted" | "passed"> {
  if (await deps.seen.has(given.id)) return "passed";
  // It waited somewhere meanwhile: what it would begin could only be forgotten again.
  if (await deps.seen.isOfForgotten(given.id, given.authorId)) return "passed";
  const { message, world } = await surroundings(given, deps);
  const decision = decide(message, world);
  if (decision.kind === "ignore") return "passed";
  if (!(await isWithinLimits(message, deps))) return "passed";
  if (decision.kind === "notice") {
    await deps.notices.tell(message, decision.text);
    return "accepted";
  }
  if (decision.kind === "personal") {
    await deps.personal.run(decision.command, message);
    return "accepted";
  }
  const { authorId: userId, channelId, guildId } = message;
  const actor: Actor = { kind: "user", userId, guildId, channelId };
  const session = await deps.sessions.chatSession(userId, channelId, guildId);
  if (decision.kind === "command") {
    await deps.notices.tell(message, await runCommand(decision.command, actor, session, deps));
    return "accepted";
  }
  const result = await deps.turns.submit({
    sessionId: session.id,
    actor,
    origin: "discord",
    text: decision.text,
    preamble: decision.preamble,
    discordMessageId: message.id,
    idempotencyKey: null,
    replyTo: { channelId, messageId: message.id },
  });
  if (result.status === "queue_full") await deps.notices.refuse(message, queueFull(result, world.prefix));
  if (result.status !== "accepted") return "passed";
  deps.sessions.count(session, "message");
  log.info("message accepted", { turn_id: result.turn.id, channel_id: channelId, waiting: result.waiting });
  return "accepted";
}

async function isWithinLimits(message: Incoming, { limits, notices }: AcceptanceDeps): Promise<boolean> {
  try {
    await limits.user.take(message.authorId);
    if (message.guildId !== null) await limits.guild.take(message.guildId);
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "rate_limited") throw error;
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    const text = `That was more than I may take just now, so I have not read this message. Please send it again in ${seconds} s.`;
    await notices.refuse(message, text);
    return false;
  }
}

type QueueFull = Extract<SubmitResult, { readonly status: "queue_full" }>;

function queueFull({ of, waiting }: QueueFull, prefix: string): string {
  if (of === "server")
    return `${waiting} messages of this server wait for an answer, and I can keep no more, so I have not read this one. Please send it again in a few minutes.`;
  if (of === "service")
    return `${waiting} messages wait for an answer of mine in all places, and I can keep no more, so I have not read this one. Please send it again in a few minutes.`;
  if (of === "person")
    return `You already have ${waiting} messages waiting for an answer in different places, and I can keep no more. Send this one again after my next answer.`;
  return `You already have ${waiting} messages waiting for an answer here, and I can keep no more. Send this one again after my next answer, or clear the queue with \`${prefix}stop\`.`;
}
