import { APIConnectionError, APIConnectionTimeoutError, APIError } from "@anthropic-ai/sdk";
import { AppError } from "../errors.ts";

/** What went wrong with one model call. */
export interface ModelFault {
  /** For the metrics: a word of a closed list. */
  readonly reason:
    | "rate_limited"
    | "overloaded"
    | "server_error"
    | "timeout"
    | "connection"
    | "broken_stream"
    | "refused";
  readonly retry: boolean;
  /** What the API asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** What is thrown when it is not asked for again. */
  readonly error: AppError;
}

/**
 * Under Bun an error event in mid-stream is an APIError without a status, a cut stream a plain AnthropicError,
 * and a malformed body a bare SyntaxError, so whatever is not an answer of the API counts as a broken stream.
 * https://platform.claude.com/docs/en/api/errors
 */
export function classifyModelError(error: unknown, timedOut: boolean): ModelFault {
  if (timedOut || error instanceof APIConnectionTimeoutError)
    return passing("timeout", "Claude took too long to answer. Please try again in a few minutes.", error);
  if (error instanceof APIConnectionError)
    return passing("connection", "Claude could not be reached. Please try again in a few minutes.", error);
  if (error instanceof APIError) return fromApi(error);
  return passing("broken_stream", "Claude's answer broke off again and again. Please try again.", error);
}

function fromApi(error: APIError): ModelFault {
  const status = error.status ?? statusOf(error.type);
  const retryAfterMs = retryAfter(error.headers);
  if (status === 529)
    return passing(
      "overloaded",
      "Claude is overloaded. Please try again in a few minutes.",
      error,
      retryAfterMs,
    );
  if (status === 429)
    return passing(
      "rate_limited",
      "Claude has too many requests of ours. Please try again in a few minutes.",
      error,
      retryAfterMs,
    );
  if (status === 408 || status === 409 || status >= 500)
    return passing(
      "server_error",
      "Claude has a problem of its own. Please try again in a few minutes.",
      error,
      retryAfterMs,
    );
  return refused(status, error);
}

/** Of an error in mid-stream only the type is known. */
function statusOf(type: string | null): number {
  switch (type) {
    case "overloaded_error":
      return 529;
    case "rate_limit_error":
      return 429;
    case "invalid_request_error":
      return 400;
    case "authentication_error":
      return 401;
    case "billing_error":
      return 402;
    case "permission_error":
      return 403;
    case "not_found_error":
      return 404;
    case "request_too_large":
      return 413;
    default:
      return 500;
  }
}

function passing(
  reason: ModelFault["reason"],
  sentence: string,
  cause: unknown,
  retryAfterMs: number | null = null,
): ModelFault {
  const details = retryAfterMs === null ? { cause } : { cause, retryAfterMs };
  return {
    reason,
    retry: true,
    retryAfterMs,
    error: new AppError("model_unavailable", sentence, details),
  };
}

function refused(status: number, cause: APIError): ModelFault {
  const fault = (code: "model_unavailable" | "model_error", sentence: string): ModelFault => ({
    reason: "refused",
    retry: false,
    retryAfterMs: null,
    error: new AppError(code, sentence, { cause }),
  });
  switch (status) {
    case 401:
      return fault(
        "model_unavailable",
        "Claude does not accept our key. The operator has to set a valid ANTHROPIC_API_KEY.",
      );
    case 402:
      return fault(
        "model_unavailable",
        "Claude's account has no credit left. The operator has to look at its billing.",
      );
    case 403:
      return fault(
        "model_unavailable",
        "Our key may not use this model. The operator has to check the key's permissions or set another ANTHROPIC_MODEL.",
      );
    case 404:
      return fault(
        "model_unavailable",
        "The configured model does not exist. The operator has to set ANTHROPIC_MODEL to a current one.",
      );
    case 413:
      return fault(
        "model_error",
        "This conversation has become too large for Claude. Please start it over, or send less at a time.",
      );
    default:
      return fault(
        "model_error",
        "Claude could not take this conversation. Please put it differently, or start the conversation over.",
      );
  }
}

/** Seconds, or a date: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after */
function retryAfter(headers: Headers | undefined): number | null {
  const text = headers?.get("retry-after");
  if (text === undefined || text === null || text === "") return null;
  const seconds = Number(text);
  const ms = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
