import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  ProtocolErrorCode,
  type RequestId,
} from "@modelcontextprotocol/server";
import { protocolError } from "./results.ts";

/** Arrays and objects inside one another. */
const depth = 64;

export type Incoming =
  | { readonly ok: true; readonly message: JSONRPCMessage }
  | { readonly ok: false; readonly reply: JSONRPCErrorResponse };

/** A text, read as one message; or the error that answers it, under the id that it has. Never throws. */
export function readMessage(text: string): Incoming {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused(ProtocolErrorCode.ParseError, "This is not valid JSON; send one JSON-RPC message.", null);
  }
  const problem = problemOf(value);
  if (problem !== null) return refused(ProtocolErrorCode.InvalidRequest, problem, idOf(value));
  if (isJSONRPCRequest(value) || isJSONRPCNotification(value) || isJSONRPCResponse(value))
    return { ok: true, message: value };
  return refused(ProtocolErrorCode.InvalidRequest, "This is no JSON-RPC 2.0 message.", idOf(value));
}

/** Told by its fields: a message has been read already, and holding it to its schema again costs as much anew. */
export const isRequest = (message: JSONRPCMessage): message is JSONRPCRequest =>
  "method" in message && "id" in message;

export const isNotification = (message: JSONRPCMessage): message is JSONRPCNotification =>
  "method" in message && !("id" in message);

/** What no message of the protocol may be, in any of its revisions that are served; null when it is none of it. */
export function problemOf(value: unknown): string | null {
  if (Array.isArray(value))
    return "Batches are not part of the protocol any more; send one message at a time.";
  if (isDeeperThan(value, depth)) return `This is nested too deeply; at most ${depth} levels are allowed.`;
  return null;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

export function errorResponse(error: unknown, id: RequestId | null): JSONRPCErrorResponse {
  const { code, message, data } = protocolError(error);
  return response({ code, message, data }, id);
}

function refused(code: number, message: string, id: RequestId | null): Incoming {
  return { ok: false, reply: response({ code, message }, id) };
}

const response = (error: JSONRPCErrorResponse["error"], id: RequestId | null): JSONRPCErrorResponse =>
  id === null ? { jsonrpc: "2.0", error } : { jsonrpc: "2.0", id, error };

/** Of whatever it is: somebody waits for the answer. */
function idOf(value: unknown): RequestId | null {
  if (typeof value !== "object" || value === null || !("id" in value)) return null;
  const { id } = value;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
