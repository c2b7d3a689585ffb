import {
  type AuthInfo,
  createMcpHandler,
  InMemoryServerEventBus,
  type JSONRPCRequest,
  type McpServerFactory,
  type RequestId,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { errorResponse } from "../mcp/json-rpc.ts";
import type { McpCaller } from "../mcp/ports.ts";
import type { Mcp } from "../mcp/server.ts";
import { keptUp } from "./mcp-stream.ts";

/** Open at once, and of one token. */
const maxStreams = 2048;
const maxStreamsPerToken = 1024;

interface Open {
  readonly principal: Principal;
  /** Ends it with a reason, or with the result that says that nothing more comes. */
  end(error: AppError | null): Promise<void>;
}

export interface McpListening {
  serve(request: Request, authInfo: AuthInfo, caller: McpCaller, message: JSONRPCRequest): Promise<Response>;
  closeInvalid(isValid: (principal: Principal) => boolean | Promise<boolean>): Promise<void>;
  closeAll(): Promise<void>;
  readonly size: number;
}

/**
 * Streams of `subscriptions/listen`. Each has a bus of its own, since what it may hear of is its person's alone: the
 * server package's bus would tell every stream of every resource.
 */
export function createMcpListening(mcp: Mcp, factory: McpServerFactory): McpListening {
  const open = new Set<Open>();

  function assertRoom({ tokenId }: Principal): void {
    let own = 0;
    for (const { principal } of open) if (principal.tokenId === tokenId) own++;
    if (open.size >= maxStreams || own >= maxStreamsPerToken)
      throw new AppError("too_many_connections", "Too many subscriptions are open; end one first.", {
        retryAfterMs: 10_000,
      });
  }

  async function serve(request: Request, authInfo: AuthInfo, caller: McpCaller, message: JSONRPCRequest) {
    assertRoom(caller.principal);
    const { id } = message;
    const bus = new OneStream();
    const handler = createMcpHandler(factory, { bus, legacy: "reject" });
    const early = new AbortController();
    // It has its place before it is found out whether they may read, so that no two take the last one.
    const stream: Open = {
      principal: caller.principal,
      end: async (error) => early.abort(error ?? stopping()),
    };
    open.add(stream);
    let unwatch = () => {};
    bus.onEnd = () => {
      unwatch();
      open.delete(stream);
    };
    try {
      const tell = (uri: string) => bus.publish({ kind: "resource_updated", uri });
      unwatch = await mcp.watch(message, caller, tell, AbortSignal.any([request.signal, early.signal]));
      early.signal.throwIfAborted();
    } catch (error) {
      bus.onEnd();
      return Response.json(errorResponse(error, id), { status: 400 });
    }
    const response = await handler.fetch(request, { authInfo, parsedBody: message });
    // It was refused for its headers or its envelope, and nothing listens.
    if (bus.listenerCount === 0) bus.onEnd();
    if (response.body === null || bus.listenerCount === 0) return response;
    const { body, end } = keptUp(response.body, (error) => lastFrame(error, id));
    stream.end = async (error) => (error === null ? handler.close() : end(error));
    if (early.signal.aborted) end(early.signal.reason);
    return new Response(body, response);
  }

  return {
    serve,
    async closeInvalid(isValid) {
      for (const { principal, end } of [...open]) if (!(await isValid(principal))) await end(revoked());
    },
    async closeAll() {
      await Promise.all([...open].map(({ end }) => end(null)));
    },
    get size() {
      return open.size;
    },
  };
}

const lastFrame = (error: AppError, id: RequestId): string =>
  `event: message\ndata: ${JSON.stringify(errorResponse(error, id))}\n\n`;

function stopping(): AppError {
  return new AppError("shutting_down", "The service is stopping; open this stream again in a moment.", {
    retryAfterMs: 5000,
  });
}

function revoked(): AppError {
  return new AppError("unauthorized", "The token of this stream has been revoked or has expired.");
}

/** A bus that knows when its stream has ended. */
class OneStream extends InMemoryServerEventBus {
  onEnd: () => void = () => {};

  override subscribe(listener: Parameters<InMemoryServerEventBus["subscribe"]>[0]): () => void {
    const unsubscribe = super.subscribe(listener);
    return () => {
      unsubscribe();
      this.onEnd();
    };
  }
}
