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
  append(row: AuditRow): Promise<void>;
}
