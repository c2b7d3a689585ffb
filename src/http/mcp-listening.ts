import {
  type AuthInfo,
  createMcpHandler,
  InMemoryServerEventBus,
  type JSONRPCMessage,
  type McpHttpHandler,
  type McpServerFactory,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { errorResponse } from "../mcp/json-rpc.ts";
import type { McpCaller } from "../mcp/ports.ts";
import type { Mcp } from "../mcp/server.ts";

/** Open at once, and of one token. */
const maxStreams = 2048;
const maxStreamsPerToken = 1024;

interface Open {
  readonly principal: Principal;
  readonly handler: McpHttpHandler;
}

export interface McpListening {
  serve(request: Request, authInfo: AuthInfo, caller: McpCaller, message: JSONRPCMessage): Promise<Response>;
  closeInvalid(isValid: (principal: Principal) => boolean | Promise<boolean>): Promise<void>;
  closeAll(): Promise<void>;
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

  async function serve(request: Request, authInfo: AuthInfo, caller: McpCaller, message: JSONRPCMessage) {
    assertRoom(caller.principal);
    const bus = new OneStream();
    let unwatch: () => void;
    try {
      const tell = (uri: string) => bus.publish({ kind: "resource_updated", uri });
      unwatch = await mcp.watch(message, caller, tell, request.signal);
    } catch (error) {
      return Response.json(errorResponse(error, "id" in message ? (message.id ?? null) : null), {
        status: 400,
      });
    }
    const handler = createMcpHandler(factory, { bus, legacy: "reject" });
    const stream: Open = { principal: caller.principal, handler };
    open.add(stream);
    bus.onEnd = () => {
      unwatch();
      open.delete(stream);
    };
    const response = await handler.fetch(request, { authInfo, parsedBody: message });
    // It was refused for its headers or its envelope, and nothing listens.
    if (bus.listenerCount === 0) bus.onEnd();
    return response;
  }

  async function close({ handler }: Open): Promise<void> {
    await handler.close();
  }

  return {
    serve,
    async closeInvalid(isValid) {
      for (const stream of [...open]) if (!(await isValid(stream.principal))) await close(stream);
    },
    async closeAll() {
      await Promise.all([...open].map(close));
    },
  };
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
