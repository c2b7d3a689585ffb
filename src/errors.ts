/**
 * Every code that a client, the model or a person can meet. A closed list: it is part of the public
 * protocol and documented in docs/protocol.md, so adding one is a change of the protocol.
 */
export const errorCodes = [
  // the frame or the body
  "invalid_json",
  "invalid_encoding",
  "binary_frame",
  "invalid_envelope",
  "unknown_type",
  "invalid_data",
  "payload_too_large",
  "wrong_protocol",
  // who is asking
  "unauthorized",
  "forbidden",
  "origin_refused",
  "rate_limited",
  "budget_exceeded",
  "too_many_connections",
  // sessions and turns
  "session_not_found",
  "session_expired",
  "session_conflict",
  "turn_not_found",
  "queue_full",
  "cancelled",
  "idempotency_conflict",
  // tools
  "unknown_tool",
  "tool_inactive",
  "invalid_arguments",
  "permission_denied",
  "not_found",
  "approval_required",
  "approval_not_found",
  "timeout",
  "outcome_unknown",
  // what we stand on
  "discord_unavailable",
  "discord_error",
  "model_unavailable",
  "model_error",
  "turn_failed",
  "shutting_down",
  "storage_unavailable",
  "internal_error",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** Milliseconds after which trying again makes sense. */
  readonly retryAfterMs?: number;
  /** Further fields for the receiver, such as the path of a bad argument. Never content or secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * A failure that its receiver can read: one sentence that says what is wrong and what to do about it.
 * Anything else that is thrown counts as a fault of ours and is shown as `internal_error`.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.data = details.data ?? {};
  }
}

/** The one place where an unknown throw becomes something that can be shown. The cause is for the log only. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(
    "internal_error",
    "Something went wrong on our side. It has been logged; please try again.",
    {
      cause: error,
    },
  );
}

/** For what a command and the service have said to one another, and fits no schema of the other's. */
export function unreadable(what: "request" | "answer"): AppError {
  return new AppError(
    "invalid_data",
    `The ${what} cannot be read; are the command and the service of one version?`,
  );
}
