import type { ErrorType } from "@anthropic-ai/sdk/resources/shared";

/** `request_too_large` is documented for 413 but absent from the SDK's union. */
export type ApiErrorType = ErrorType | "request_too_large";

const typeOfStatus: Readonly<Record<number, ApiErrorType>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  405: "invalid_request_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  504: "timeout_error",
  529: "overloaded_error",
};

const messageOfStatus: Readonly<Record<number, string>> = {
  401: "invalid x-api-key",
  402: "Your credit balance is too low to access the Anthropic API.",
  403: "Your API key does not have permission to use the specified resource.",
  413: "Request exceeds the maximum size",
  429: "This request would exceed your organization's rate limit. Please try again later.",
  500: "Internal server error",
  504: "Request timed out",
  529: "Overloaded",
};

/**
 * An answer that the API refuses with.
 * Statuses and types: https://platform.claude.com/docs/en/api/errors#http-errors
 */
export class ApiFailure extends Error {
  readonly status: number;
  readonly type: ApiErrorType;
  /** Seconds, sent as `retry-after`. */
  readonly retryAfter: number | null;

  constructor(
    status: number,
    message = messageOfStatus[status] ?? `Error ${status}`,
    type = typeOf(status),
    retryAfter: number | null = null,
  ) {
    super(message);
    this.status = status;
    this.type = type;
    this.retryAfter = retryAfter;
  }
}

export function typeOf(status: number): ApiErrorType {
  return typeOfStatus[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
}

/** The message that the API gives for a status when nothing more is known. */
export function defaultMessage(status: number): string {
  return messageOfStatus[status] ?? `Error ${status}`;
}

export function errorBody(type: ApiErrorType, message: string, requestId: string) {
  return { type: "error", error: { type, message }, request_id: requestId } as const;
}

/** Refuses a request as malformed (400). The message is what the client sees. */
export function refuse(message: string): never {
  throw new ApiFailure(400, message);
}
