import { isInitializeRequest, type JSONRPCMessage } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { boundTo } from "../mcp/approvals.ts";
import { isRequest } from "../mcp/json-rpc.ts";
import type { McpCaller } from "../mcp/ports.ts";
import { RequestSlots } from "./request-slots.ts";

const name = /^c\.[\w-]{22}$/;
const nameHeader = "mcp-session-id";

export interface McpInFlight {
  /** Throws AppError `rate_limited`, and `invalid_data` for an id that is being worked on. */
  begin(request: Request, caller: McpCaller, message: JSONRPCMessage): Begun;
  /** Gives up what a `notifications/cancelled` names, if it is that client's. */
  cancel(request: Request, caller: McpCaller, message: JSONRPCMessage): void;
  closeInvalid(isValid: (principal: Principal) => boolean | Promise<boolean>): Promise<void>;
  readonly size: number;
}

export interface Begun {
  /** The request to hand on: its signal is aborted too when its client cancels it, or its token is revoked. */
  readonly request: Request;
  /** To be called once it is answered. Idempotent. */
  end(): void;
}

interface Working {
  readonly principal: Principal;
  readonly controller: AbortController;
}

/**
 * What is being worked on over HTTP. A client of 2025 cancels by another request, which has to find the first one:
 * by the client's name and the request's id. So each client is given a name at its `initialize`, in the place of a
 * session's id; nothing is stored under it, and it holds through a restart.
 * https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/cancellation
 */
export function createMcpInFlight(): McpInFlight {
  const working = new Set<Working>();
  const named = new Map<string, Working>();
  const slots = new RequestSlots();

  return {
    begin(request, caller, message) {
      const leave = slots.take(caller.principal.tokenId ?? "");
      const key = isRequest(message) ? keyOf(request, caller, message.id) : null;
      if (key !== null && named.has(key)) {
        leave();
        throw new AppError("invalid_data", "A request with this id is being worked on; give each its own.");
      }
      const entry: Working = { principal: caller.principal, controller: new AbortController() };
      working.add(entry);
      if (key !== null) named.set(key, entry);
      const signal = AbortSignal.any([request.signal, entry.controller.signal]);
      const { url, method, headers } = request;
      return {
        request: new Request(url, { method, headers, signal }),
        end() {
          leave();
          working.delete(entry);
          if (key !== null && named.get(key) === entry) named.delete(key);
        },
      };
    },
    cancel(request, caller, message) {
      const key = keyOf(request, caller, cancelledId(message));
      const entry = key === null ? undefined : named.get(key);
      entry?.controller.abort(new AppError("cancelled", "The client has cancelled the request."));
    },
    async closeInvalid(isValid) {
      for (const { principal, controller } of [...working])
        if (!(await isValid(principal)))
          controller.abort(new AppError("unauthorized", "The token has been revoked or has expired."));
    },
    get size() {
      return working.size;
    },
  };
}

/** Whether the header is a client's name, and no session's id. */
export const isNamed = (request: Request): boolean => name.test(request.headers.get(nameHeader) ?? "");

/** The answer to an `initialize` with a name for the client, where it has not begun a session. */
export function withName(response: Response, message: JSONRPCMessage): Response {
  if (response.ok && isInitializeRequest(message) && !response.headers.has(nameHeader)) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    response.headers.set(nameHeader, `c.${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`);
  }
  return response;
}

/** Null when there is nothing to tell the client by. */
function keyOf(request: Request, caller: McpCaller, id: unknown): string | null {
  if (id === null || !isNamed(request)) return null;
  return JSON.stringify([boundTo(caller), request.headers.get(nameHeader), id]);
}

function cancelledId(message: JSONRPCMessage): string | number | null {
  if (!("method" in message) || message.method !== "notifications/cancelled") return null;
  const { params } = message;
  const id = params !== undefined && "requestId" in params ? params.requestId : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
