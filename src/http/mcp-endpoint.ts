import { getLogger } from "@logtape/logtape";
import {
  type AuthInfo,
  createMcpHandler,
  isJsonContentType,
  isLegacyRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type McpRequestContext,
} from "@modelcontextprotocol/server";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { placeOf } from "../mcp/callers.ts";
import { isRequest, readMessage } from "../mcp/json-rpc.ts";
import type { McpCaller } from "../mcp/ports.ts";
import type { Mcp } from "../mcp/server.ts";
import { closingFrameBytes } from "../protocol/envelope.ts";
import { readBytes } from "./body.ts";
import type { Door } from "./door.ts";
import { createMcpInFlight, isNamed, withName } from "./mcp-in-flight.ts";
import { createMcpListening } from "./mcp-listening.ts";
import { createMcpSessions, type McpSessions } from "./mcp-sessions.ts";
import { keptUp } from "./mcp-stream.ts";
import { RequestSlots } from "./request-slots.ts";

const log = getLogger(["discord-mcp", "http"]);

/** What the server package answers to a request whose signal is aborted. */
const givenUp = 499;

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
  /** Ends the sessions of tokens that are not valid any more. */
  readonly closeInvalid: McpSessions["closeInvalid"];
  close(): Promise<void>;
}

/**
 * `/mcp`: streamable HTTP, in the revision of 2026-07-28 and, for a request without its envelope, those of 2025. But
 * for the sessions of clients that can be asked, nothing is kept between two requests.
 */
export function createMcpEndpoint({ mcp, door, addressOf, patient }: McpEndpointDeps): McpEndpoint {
  const callers = new WeakMap<AuthInfo, McpCaller>();
  const sessions = createMcpSessions(mcp);
  const inFlight = createMcpInFlight();
  const factory = (context: McpRequestContext) => {
    const caller = context.authInfo === undefined ? undefined : callers.get(context.authInfo);
    if (caller === undefined) throw new Error("A request came in by no door.");
    return mcp.factoryFor(caller)(context);
  };
  const onerror = (error: Error) => log.debug("a client's request was refused", { error });
  const handler = createMcpHandler(factory, { onerror });
  const listening = createMcpListening(mcp, factory);
  const reading = new RequestSlots();

  async function serve(request: Request): Promise<Response> {
    const principal = await door.enter(request, addressOf(request));
    const caller = await mcp.resolve(principal, placeOf(new URL(request.url).searchParams));
    const authInfo = authInfoOf(principal);
    callers.set(authInfo, caller);
    if (request.method !== "POST" || !isJsonContentType(request.headers.get("content-type"))) {
      patient(request);
      const inSession = request.method === "POST" ? null : ofSession(request, caller, null);
      return inSession === null ? handler.fetch(request, { authInfo }) : whileRead(await inSession);
    }
    const leave = reading.take(principal.tokenId ?? "");
    const incoming = await read(request).finally(leave);
    // Not before the body is there: who never sends it is given up.
    patient(request);
    await door.stillIn(principal);
    if (!incoming.ok) return Response.json(incoming.reply, { status: 400 });
    const { message } = incoming;
    if (isSubscription(message)) return listening.serve(request, authInfo, caller, message);
    return answer(request, authInfo, caller, message);
  }

  async function answer(request: Request, authInfo: AuthInfo, caller: McpCaller, message: JSONRPCMessage) {
    inFlight.cancel(request, caller, message);
    const { request: begun, end } = inFlight.begin(request, caller, message);
    return untilEnd(end, async () => {
      const inSession = (await mayHaveSession(begun, message)) ? ofSession(begun, caller, message) : null;
      const response = await (inSession ?? handler.fetch(begun, { authInfo, parsedBody: message }));
      // What was given up before its answer began is answered by why, if somebody is still there.
      if (response.status === givenUp && begun.signal.reason instanceof AppError) throw begun.signal.reason;
      return isInitialize(message) ? withName(response, message) : response;
    });
  }

  function ofSession(request: Request, caller: McpCaller, message: JSONRPCMessage | null) {
    return isNamed(request) ? null : sessions.serve(request, caller, message);
  }

  return {
    serve,
    get inFlight() {
      return inFlight.size;
    },
    async closeInvalid(isValid) {
      await Promise.all([sessions, listening, inFlight].map((each) => each.closeInvalid(isValid)));
    },
    async close() {
      await Promise.all([sessions.closeAll(), listening.closeAll()]);
      await handler.close();
    },
  };
}

const isSubscription = (message: JSONRPCMessage): message is JSONRPCRequest =>
  isRequest(message) && message.method === "subscriptions/listen";

const isInitialize = (message: JSONRPCMessage): boolean =>
  isRequest(message) && message.method === "initialize";

/** What the server package is asked last: it reads the whole message anew. */
const mayHaveSession = async (request: Request, message: JSONRPCMessage): Promise<boolean> =>
  (isInitialize(message) || request.headers.has("mcp-session-id")) &&
  !isNamed(request) &&
  isLegacyRequest(request, message);

/**
 * A session's stream of what it did not ask for lasts for as long as it is read. Its headers go out with its first
 * bytes, which could be long in coming.
 */
function whileRead(response: Response): Response {
  if (!isStream(response) || response.body === null) return response;
  const comment = (text: string) => `: ${text}\n\n`;
  const { body } = keptUp(response.body, ({ message }) => comment(message), comment("open"));
  return new Response(body, response);
}

const isStream = ({ headers }: Response): boolean =>
  headers.get("content-type")?.startsWith("text/event-stream") ?? false;

async function read(request: Request) {
  return readMessage(new TextDecoder().decode(await readBytes(request, closingFrameBytes)));
}

/** What the server package hands on; the token itself stays at the door. */
function authInfoOf({ tokenId, scopes }: Principal): AuthInfo {
  return { token: "", clientId: tokenId ?? "", scopes: [...scopes] };
}

/** Waits for the answer, and for the end of one that is a stream. */
async function untilEnd(done: () => void, answer: () => Promise<Response>): Promise<Response> {
  try {
    const response = await answer();
    // A body that is looked at becomes a stream, which answers that are none do better without.
    const body = isStream(response) ? response.body : null;
    if (body !== null) return new Response(endingWith(body, done), response);
    done();
    return response;
  } catch (error) {
    done();
    throw error;
  }
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
