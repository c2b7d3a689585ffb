import { getLogger } from "@logtape/logtape";
import { type AuthInfo, createMcpHandler, isJsonContentType } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/ports.ts";
import { placeOf } from "../mcp/callers.ts";
import { readMessage } from "../mcp/json-rpc.ts";
import type { McpCaller } from "../mcp/ports.ts";
import type { Mcp } from "../mcp/server.ts";
import { FRAME_BYTES_CLOSE } from "../protocol/envelope.ts";
import { readBytes } from "./body.ts";
import type { Door } from "./door.ts";

const log = getLogger(["discord-mcp", "http"]);

/** Open subscriptions in all. */
const maxSubscriptions = 1024;

export interface McpEndpointDeps {
  readonly mcp: Mcp;
  readonly door: Door;
  readonly addressOf: (request: Request) => string;
  /** Takes the idle time-out off a request that may take long. */
  readonly patient: (request: Request) => void;
}

export interface McpEndpoint {
  serve(request: Request): Promise<Response>;
  /** Requests that are being answered, streams of answers included. */
  readonly inFlight: number;
  close(): Promise<void>;
}

/**
 * `/mcp`: streamable HTTP, in the revision of 2026-07-28 and, for a request without its envelope, those of 2025.
 * Nothing is kept between two requests.
 */
export function createMcpEndpoint({ mcp, door, addressOf, patient }: McpEndpointDeps): McpEndpoint {
  const callers = new WeakMap<AuthInfo, McpCaller>();
  let inFlight = 0;
  const handler = createMcpHandler(
    (context) => {
      const caller = context.authInfo === undefined ? undefined : callers.get(context.authInfo);
      if (caller === undefined) throw new Error("A request came in by no door.");
      return mcp.factoryFor(caller)(context);
    },
    {
      maxSubscriptions,
      onerror: (error) => log.debug("a client's request was refused", { error }),
    },
  );

  async function serve(request: Request): Promise<Response> {
    const principal = await door.enter(request, addressOf(request));
    const caller = await mcp.resolve(principal, placeOf(new URL(request.url).searchParams));
    const authInfo = authInfoOf(principal);
    callers.set(authInfo, caller);
    const hasMessage = request.method === "POST" && isJsonContentType(request.headers.get("content-type"));
    if (!hasMessage) return handler.fetch(request, { authInfo });
    const incoming = await read(request);
    if (!incoming.ok) return Response.json(incoming.reply, { status: 400 });
    patient(request);
    const { message } = incoming;
    const isSubscription = "method" in message && message.method === "subscriptions/listen";
    inFlight++;
    const done = once(() => inFlight--);
    try {
      const response = await handler.fetch(request, { authInfo, parsedBody: message });
      const { body } = response;
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
      if (body === null || !isStream || isSubscription) {
        done();
        return response;
      }
      return new Response(endingWith(body, done), response);
    } catch (error) {
      done();
      throw error;
    }
  }

  return {
    serve,
    get inFlight() {
      return inFlight;
    },
    close: () => handler.close(),
  };
}

async function read(request: Request) {
  return readMessage(new TextDecoder().decode(await readBytes(request, FRAME_BYTES_CLOSE)));
}

/** What the server package hands on; the token itself stays at the door. */
function authInfoOf({ tokenId, scopes }: Principal): AuthInfo {
  return { token: "", clientId: tokenId ?? "", scopes: [...scopes] };
}

/** The same stream; says when it has ended, whoever ended it. */
function endingWith(body: ReadableStream<Uint8Array>, done: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done: isOver, value } = await reader.read();
      if (!isOver) return controller.enqueue(value);
      done();
      controller.close();
    },
    async cancel(reason) {
      done();
      await reader.cancel(reason);
    },
  });
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}
