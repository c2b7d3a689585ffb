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
  readonly verdict: "done" | "failed" | "refused" | "unknown";
  /** An error code, or null. */
  readonly reason: string | null;
  readonly durationMs: number;
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
