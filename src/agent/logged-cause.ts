import { APIError } from "@anthropic-ai/sdk";

/** What of an error may be logged: an API's answer can quote what was sent, so of that only what kind it is. */
export function loggedCause(error: Error): unknown {
  const cause = error.cause ?? null;
  if (!(cause instanceof APIError)) return cause;
  return { name: cause.name, status: cause.status ?? null, type: cause.type, request_id: cause.requestID };
}
