import { randomUUID } from "node:crypto";
import {
  isInitializeRequest,
  type JSONRPCMessage,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { boundTo } from "../mcp/approvals.ts";
import { declaresElicitation } from "../mcp/capabilities.ts";
import type { McpCaller } from "../mcp/ports.ts";
import type { Mcp } from "../mcp/server.ts";

/** In all, and of one token: the one that was used longest ago makes room. */
const maxSessions = 512;
const maxSessionsPerToken = 32;

interface Open {
  readonly id: string;
  readonly principal: Principal;
  readonly boundTo: string;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

export interface McpSessions {
  /** Null: the request belongs to no session, nor begins one. Throws AppError `session_not_found`. */
  serve(request: Request, caller: McpCaller, message: JSONRPCMessage | null): Promise<Response> | null;
  closeInvalid(isValid: (principal: Principal) => boolean | Promise<boolean>): Promise<void>;
  closeAll(): Promise<void>;
  readonly size: number;
}

/**
 * Sessions of the 2025 revisions, for those clients alone that can put a question to their person: over HTTP the
 * question is a request of ours, and its answer another request of theirs, so that something has to hold the two
 * together. Everybody else is served without, and so notices no restart of ours.
 * https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
export function createMcpSessions(mcp: Mcp): McpSessions {
  // In order of their last use.
  const open = new Map<string, Open>();

  async function begin(request: Request, caller: McpCaller, message: JSONRPCMessage): Promise<Response> {
    makeRoom(caller.principal);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized(id) {
        open.set(id, { id, transport, principal: caller.principal, boundTo: boundTo(caller) });
      },
      onsessionclosed: (id) => void open.delete(id),
    });
    const server = await mcp.factoryFor(caller)({ era: "legacy" });
    await server.connect(transport);
    return transport.handleRequest(request, { parsedBody: message });
  }

  function makeRoom({ tokenId }: Principal): void {
    const all = [...open.values()];
    const own = all.filter(({ principal }) => principal.tokenId === tokenId);
    const oldest =
      own.length >= maxSessionsPerToken ? own[0] : all.length >= maxSessions ? all[0] : undefined;
    if (oldest !== undefined) void close(oldest);
  }

  async function close({ id, transport }: Open): Promise<void> {
    open.delete(id);
    await transport.close();
  }

  function goOn(id: string, request: Request, caller: McpCaller, message: JSONRPCMessage | null) {
    const session = open.get(id);
    if (session === undefined || session.boundTo !== boundTo(caller))
      throw new AppError("session_not_found", "There is no session of that id; initialize another one.");
    open.delete(id);
    open.set(id, session);
    return session.transport.handleRequest(request, message === null ? {} : { parsedBody: message });
  }

  return {
    serve(request, caller, message) {
      const id = request.headers.get("mcp-session-id");
      if (id !== null) return goOn(id, request, caller, message);
      const begins =
        message !== null &&
        isInitializeRequest(message) &&
        caller.principal.scopes.has("approve") &&
        declaresElicitation(message.params.capabilities);
      return begins ? begin(request, caller, message) : null;
    },
    async closeInvalid(isValid) {
      for (const session of [...open.values()]) if (!(await isValid(session.principal))) await close(session);
    },
    async closeAll() {
      await Promise.all([...open.values()].map(close));
    },
    get size() {
      return open.size;
    },
  };
}
