import type { AppError, ErrorCode } from "../errors.ts";
import { errorData } from "../protocol/wire.ts";

/** The HTTP status of each code. */
export const statusOf: Readonly<Record<ErrorCode, number>> = {
  invalid_json: 400,
  invalid_encoding: 400,
  binary_frame: 400,
  invalid_envelope: 400,
  unknown_type: 400,
  invalid_data: 400,
  payload_too_large: 413,
  wrong_protocol: 400,
  unauthorized: 401,
  forbidden: 403,
  origin_refused: 403,
  rate_limited: 429,
  budget_exceeded: 429,
  too_many_connections: 429,
  session_not_found: 404,
  session_expired: 410,
  session_conflict: 409,
  turn_not_found: 404,
  queue_full: 429,
  cancelled: 409,
  idempotency_conflict: 409,
  unknown_tool: 404,
  tool_inactive: 409,
  invalid_arguments: 400,
  permission_denied: 403,
  not_found: 404,
  approval_required: 409,
  approval_not_found: 404,
  timeout: 504,
  outcome_unknown: 502,
  discord_unavailable: 503,
  discord_error: 502,
  model_unavailable: 503,
  model_error: 502,
  turn_failed: 500,
  shutting_down: 503,
  storage_unavailable: 503,
  internal_error: 500,
};

/** The body of every failure over HTTP. */
export function errorBody(error: AppError) {
  return { error: error.message, code: error.code, data: errorData(error) };
}

/** What goes with the body: when to come back, how to authenticate (and `resource`, where more is said about that). */
export function errorHeaders(error: AppError, resource: string | null): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (error.retryAfterMs !== undefined)
    headers["retry-after"] = `${Math.max(1, Math.ceil(error.retryAfterMs / 1000))}`;
  const challenge = challengeOf(error);
  if (challenge !== null)
    headers["www-authenticate"] =
      `Bearer realm="discord-mcp"${challenge}${resource === null ? "" : `, resource_metadata="${resource}"`}`;
  return headers;
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
function challengeOf({ code, data }: AppError): string | null {
  if (code === "unauthorized") return "";
  if (code !== "forbidden" || typeof data.scope !== "string") return null;
  return `, error="insufficient_scope", scope="${data.scope}"`;
}
