import type { Approval, Question } from "../agent/approvals.ts";
import type { AnswerTo } from "../agent/journal.ts";

/** Storage that the Discord door needs; each method is one transaction. Implemented by `memory/`. */

/** A message of ours to be posted: stored before it is sent, sent with its nonce. */
export interface Post {
  /** 22 base64url characters of SHA-256(purpose, subject, step, ordinal): primary key and Discord nonce. */
  readonly nonce: string;
  readonly purpose: "answer" | "notice" | "question";
  /** The turn's id for an answer, the triggering message's id for a notice, the approval's id for a question. */
  readonly subject: string;
  readonly ordinal: number;
  readonly channelId: string;
  readonly replyToMessageId: string | null;
  readonly content: string;
  /** User ids that may be pinged by it. */
  readonly allowedMentionUserIds: readonly string[];
  readonly state: "pending" | "sending" | "sent" | "failed";
  /** When it was last marked `sending`, in milliseconds since 1970. */
  readonly sendingAt: number | null;
  readonly messageId: string | null;
}

export interface UnaskedQuestion {
  readonly approvalId: string;
  readonly kind: Approval["kind"];
  readonly userId: string;
  readonly question: Question;
  readonly askIn: "channel" | "direct";
  /** Where the turn's message stands. */
  readonly channelId: string;
  readonly replyToMessageId: string;
  readonly expiresAt: number;
}

export interface UnshownVerdict {
  readonly approval: Approval;
  /** The message with the buttons. */
  readonly channelId: string;
  readonly messageId: string;
}

export interface Outbox {
  /** Ended turns whose answer has not been turned into posts yet. At most `limit`, oldest first. */
  undelivered(limit: number): Promise<
    readonly {
      readonly turnId: string;
      readonly channelId: string;
      readonly replyToMessageId: string;
      readonly userId: string;
      readonly answer: string;
      /** `asker`: it goes to that user alone, in a direct message, and the channel is told so. */
      readonly answerTo: AnswerTo;
    }[]
  >;
  /** Approvals that wait, are to be shown in Discord, and have not been turned into posts yet. Oldest first. */
  unasked(limit: number): Promise<readonly UnaskedQuestion[]>;
  /** Stores the posts of a question that is due and marks its approval as planned, in one transaction. */
  planQuestion(approvalId: string, posts: readonly Post[]): Promise<void>;
  /** Approvals that are decided and whose message in Discord does not say so yet. Oldest first. */
  unshownVerdicts(limit: number): Promise<readonly UnshownVerdict[]>;
  markShown(approvalId: string): Promise<void>;
  /** Stores the posts of an answer that is due and marks its turn as planned, in one transaction. */
  planAnswer(turnId: string, posts: readonly Post[]): Promise<void>;
  /** Stores a notice together with the tombstone of its trigger. False when that trigger was seen before. */
  planNotice(triggerMessageId: string, channelId: string, posts: readonly Post[]): Promise<boolean>;
  /** Posts not yet sent or failed, in the order in which they must go out. */
  open(limit: number): Promise<readonly Post[]>;
  /** The same, but the first of every channel before the second of any: one channel's many leave room for the others. */
  nextOfEach(limit: number): Promise<readonly Post[]>;
  /** False when it is not to be sent any more: its person has been forgotten meanwhile. */
  markSending(nonce: string, now: number): Promise<boolean>;
  markSent(nonce: string, messageId: string): Promise<void>;
  markFailed(nonce: string, reason: string): Promise<void>;
  /** Whether that message is one of ours, for replies to it. */
  isOurs(messageId: string): Promise<boolean>;
}

/** What has been seen of each channel: the newest message that is durably accepted or deliberately passed over. */
export interface ChannelMarks {
  get(channelId: string): Promise<string | null>;
  /** Never goes back. Batched by the caller. */
  advance(marks: ReadonlyMap<string, string>): Promise<void>;
  /** Channels with a mark, for catching up. */
  all(limit: number): Promise<readonly { readonly channelId: string; readonly messageId: string }[]>;
}

export interface StoredGatewaySession {
  readonly shardId: number;
  readonly shardCount: number;
  readonly sessionId: string;
  readonly resumeUrl: string;
  readonly sequence: number;
}

export interface GatewaySessions {
  get(shardId: number): Promise<StoredGatewaySession | null>;
  set(session: StoredGatewaySession): Promise<void>;
  clear(shardId: number): Promise<void>;
}

/** Keeps identifies within Discord's daily limit over restarts: when the last ones were. */
export interface IdentifyLog {
  record(now: number): Promise<void>;
  /** How many from that time on, and when the last of them was. */
  since(then: number): Promise<{ readonly count: number; readonly latestAt: number | null }>;
}

/** The ids of messages seen, as tombstones. */
export interface SeenMessages {
  has(messageId: string): Promise<boolean>;
  /** Whether its author has asked to be forgotten since it was written. */
  isOfForgotten(messageId: string, authorId: string): Promise<boolean>;
  /** Marks as seen; false when it already was. */
  add(messageId: string, channelId: string): Promise<boolean>;
}
