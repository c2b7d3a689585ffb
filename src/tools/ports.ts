/** A row of the audit log: every call, allowed or refused. Never arguments or results. */
export interface AuditRow {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly actorKind: "user" | "bot";
  readonly actorUserId: string;
  readonly guildId: string | null;
  readonly channelId: string;
  readonly sessionId: string | null;
  readonly turnId: string | null;
  readonly tokenId: string | null;
  readonly toolName: string;
  /** "channel:1 member:2:3", as the tool declared them. */
  readonly targets: string;
  /** `asked`: it did not run, a person was asked first. */
  readonly verdict: "done" | "failed" | "refused" | "unknown" | "asked";
  /** An error code, or null. */
  readonly reason: string | null;
  readonly durationMs: number;
  /** The approval that it asked for or ran with. */
  readonly approvalId: string | null;
  /** Who gave it. */
  readonly approvedBy: string | null;
}

export interface AuditSink {
  /** Resolves when the row is committed. For calls that may have changed something: they wait for it. */
  append(row: AuditRow): Promise<void>;
  /**
   * Commits the row together with others, a fraction of a second later and at the latest when the service closes.
   * For calls that only read or were refused: nobody waits for the disk because of them, and a killed process
   * may lose the rows of that last moment, in which nothing was changed. Never throws.
   */
  collect(row: AuditRow): void;
}

/** What a person wants to be remembered, across channels. */
export interface Memory {
  /** "m_" and 22 base64url characters. */
  readonly id: string;
  readonly text: string;
  /** What it rests on: see `sources.ts`. */
  readonly sources: readonly string[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface MemoryStore {
  /** Throws AppError `invalid_arguments` when the person has too many already. */
  add(userId: string, text: string, sources: readonly string[]): Promise<Memory>;
  /** All of a person, newest first; there are at most 500. */
  list(userId: string): Promise<readonly Memory[]>;
  /** False when there is none of that id. */
  remove(userId: string, memoryId: string): Promise<boolean>;
  /** How many there were. */
  removeAll(userId: string): Promise<number>;
}

/** Messages that tools have posted, and for whom: it decides who may have them edited, and counts for slow mode. */
export interface SentMessages {
  record(message: {
    readonly messageId: string;
    readonly channelId: string;
    readonly userId: string;
    /** Milliseconds since 1970. */
    readonly at: number;
  }): Promise<void>;
  /** For whom it was posted, by a tool or as an answer; null when it is none of ours. */
  userOf(messageId: string): Promise<string | null>;
  /** When a tool last posted there for that person, in milliseconds since 1970. */
  lastAt(channelId: string, userId: string): Promise<number | null>;
}

/** Files that are fetched for tools. */
export interface Files {
  /**
   * What a public https address gives. Throws AppError `invalid_arguments`, saying what is wrong with it, or
   * `rate_limited`.
   */
  fetch(
    address: string,
    options: {
      readonly maxBytes: number;
      readonly isWelcome: (type: string) => boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<{ readonly bytes: Uint8Array; readonly type: string }>;
  /** The beginning of an attachment, by the address that Discord gave for it. Throws AppError `discord_unavailable` or `not_found`. */
  attachment(
    address: string,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }>;
}
