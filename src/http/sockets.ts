import type { Server } from "bun";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { placeOf } from "../mcp/callers.ts";
import { Connection } from "./connection.ts";
import { type Dialect, type Door, dialectOf } from "./door.ts";
import { McpSocket } from "./mcp-socket.ts";
import type { HttpDeps } from "./ports.ts";
import { closeCodes, type SocketEnd } from "./socket-end.ts";

export interface Sockets {
  /** Upgrades, or throws the AppError that answers instead. */
  upgrade(request: Request, address: string, sessionId: string | null): Promise<void>;
  readonly size: number;
  readonly inFlight: number;
  closeAll(reason: string): void;
  /** Closes those whose token has been revoked or has expired: who only listens would not notice otherwise. */
  closeInvalid(): Promise<void>;
}

interface SocketsDeps extends HttpDeps {
  readonly door: Door;
  readonly server: () => Server<SocketEnd>;
  readonly draining: () => boolean;
}

/** A socket that is let in and not open yet. */
interface Opening {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly principal: Principal;
  readonly address: string;
  readonly onClose: (end: SocketEnd) => void;
}

/** The open sockets, counted in all and for each token. */
export function createSockets(deps: SocketsDeps): Sockets {
  const open = new Set<SocketEnd>();
  const perToken = new Map<string, number>();
  // Between being let in and being open there are awaits: places are taken before them.
  let opening = 0;

  function take(principal: Principal): () => void {
    const key = principal.tokenId ?? "";
    const ofToken = perToken.get(key) ?? 0;
    const { maxConnections, maxConnectionsPerToken } = deps.config;
    if (open.size + opening >= maxConnections)
      throw tooMany("The service has as many connections open as it allows");
    if (ofToken >= maxConnectionsPerToken)
      throw tooMany(`This token has ${maxConnectionsPerToken} connections open, which is what it may have`);
    opening++;
    perToken.set(key, ofToken + 1);
    return () => {
      const left = (perToken.get(key) ?? 1) - 1;
      if (left === 0) perToken.delete(key);
      else perToken.set(key, left);
    };
  }

  async function upgrade(request: Request, address: string, sessionId: string | null): Promise<void> {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      throw new AppError("wrong_protocol", "This address is for WebSocket connections; send an upgrade.");
    const dialect = dialectOf(request.headers.get("sec-websocket-protocol"));
    if (dialect === "mcp" && sessionId !== null)
      throw new AppError("wrong_protocol", "The Model Context Protocol is spoken at /mcp/ws.");
    const query = new URL(request.url).searchParams;
    const principal = await deps.door.enter(request, address, query.get("ticket"));
    const release = take(principal);
    try {
      const onClose = (end: SocketEnd) => {
        if (open.delete(end)) release();
      };
      const one: Opening = { request, query, principal, address, onClose };
      const end = dialect === "mcp" ? await mcpEnd(one) : await jsonEnd(one, sessionId);
      admit(request, dialect, end);
    } catch (error) {
      release();
      throw error;
    } finally {
      opening--;
    }
  }

  function admit(request: Request, dialect: Dialect, data: SocketEnd): void {
    open.add(data);
    const headers: Record<string, string> = dialect === "mcp" ? { "sec-websocket-protocol": dialect } : {};
    if (deps.server().upgrade(request, { data, headers })) return;
    open.delete(data);
    throw new AppError("wrong_protocol", "This is not a valid WebSocket handshake.");
  }

  async function jsonEnd(one: Opening, sessionId: string | null): Promise<SocketEnd> {
    const { request, query, principal, address, onClose } = one;
    const bound = sessionId === null ? null : await deps.sessions.get(sessionId);
    if (bound !== null) {
      deps.rules.assertMayUse(principal, bound);
      await deps.places.assertReachable(deps.rules.actorFor(principal, bound), request.signal);
      // Its person may have been forgotten meanwhile.
      await deps.sessions.get(bound.id);
    }
    const since = sinceOf(query);
    const { draining } = deps;
    const options = { principal, bound, draining, onClose, ...(since === undefined ? {} : { since }) };
    return new Connection(deps, options, address);
  }

  async function mcpEnd({ query, principal, address, onClose }: Opening): Promise<SocketEnd> {
    const caller = await deps.mcp.resolve(principal, placeOf(query));
    return new McpSocket(deps, { caller, draining: deps.draining, onClose }, address);
  }

  return {
    upgrade,
    get size() {
      return open.size;
    },
    get inFlight() {
      let sum = 0;
      for (const connection of open) sum += connection.inFlight;
      return sum;
    },
    closeAll(reason) {
      for (const connection of open) connection.close(closeCodes.goingAway, reason);
    },
    async closeInvalid() {
      for (const connection of open)
        if (!(await deps.auth.stillValid(connection.principal)))
          connection.close(closeCodes.policy, "the token has been revoked or has expired");
    },
  };
}

function sinceOf(query: URLSearchParams): { afterSeq: number; epoch: string | null } | undefined {
  const text = query.get("last_seq");
  if (text === null) return undefined;
  const afterSeq = Number(text);
  if (!/^\d{1,15}$/.test(text) || !Number.isSafeInteger(afterSeq))
    throw new AppError("invalid_data", "The parameter last_seq must be a whole number.", {
      data: { path: "last_seq" },
    });
  return { afterSeq, epoch: query.get("stream_epoch") };
}

function tooMany(sentence: string): AppError {
  return new AppError("too_many_connections", `${sentence}; close one, or try again later.`, {
    retryAfterMs: 10_000,
  });
}
