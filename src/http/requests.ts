import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { networkOf } from "../limits/rate-limits.ts";
import { parseBytes } from "../protocol/envelope.ts";
import type { Reply, RequestType } from "../protocol/messages.ts";
import type { Caller } from "../protocol/ports.ts";
import type { Session } from "../sessions/ports.ts";
import { readBytes, readData } from "./body.ts";
import type { Door } from "./door.ts";
import type { HttpDeps } from "./ports.ts";
import { ofStrangers, RequestSlots } from "./request-slots.ts";
import { createTurnFollower, turnStream } from "./sse.ts";

/** Discord's own numbers. https://docs.discord.com/developers/interactions/receiving-and-responding */
const interaction = { ping: 1, pong: 1 } as const;

/** Whose interactions are worked on: they share one token's slots. */
const discordItself = "discord";

export interface RequestsDeps extends HttpDeps {
  readonly door: Door;
  readonly addressOf: (request: Request) => string;
  /** Takes the idle time-out off a request that may take long. */
  readonly patient: (request: Request) => void;
}

/** What the routes do: the fields out of the request, one call of the protocol, its reply as a response. */
export function createRequests(deps: RequestsDeps) {
  const { door, protocol, addressOf } = deps;
  const slots = new RequestSlots();
  const unverified = new RequestSlots(ofStrangers);

  async function counted<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    const leave = slots.take(key);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** A request of the protocol, whose `data` is the body. */
  async function post(type: RequestType, request: Request): Promise<Response> {
    const principal = await door.enter(request, addressOf(request));
    return counted(keyOf(principal), async () => {
      const data = await readData(request);
      await door.stillIn(principal);
      deps.patient(request);
      const caller = plainCaller(principal, request);
      return respond(await protocol.handle(envelope(type, data, request), caller));
    });
  }

  async function process(request: Request): Promise<Response> {
    if (!accepts(request, "text/event-stream")) return post("process", request);
    const principal = await door.enter(request, addressOf(request));
    const leave = slots.take(keyOf(principal));
    try {
      const data = await readData(request);
      await door.stillIn(principal);
      deps.patient(request);
      return await stream(principal, data, request, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** As an event stream once the turn is accepted; what is refused before is a plain answer with its status. */
  async function stream(
    principal: Principal,
    data: Readonly<Record<string, unknown>>,
    request: Request,
    leave: () => void,
  ): Promise<Response> {
    const follower = createTurnFollower(deps, principal);
    const accepted = Promise.withResolvers<{ id: string; session: Session }>();
    const caller: Caller = {
      ...plainCaller(principal, request),
      connection: follower,
      onTurn: (id, session) => accepted.resolve({ id, session }),
    };
    const reply = protocol.handle(envelope("process", data, request), caller);
    const first = await Promise.race([accepted.promise, reply]);
    if ("session" in first) {
      const body = turnStream(follower, deps.events.epoch, first, reply, leave);
      return new Response(body, {
        headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
      });
    }
    follower[Symbol.dispose]();
    leave();
    return respond(first);
  }

  async function tools(request: Request): Promise<Response> {
    const principal = await door.enter(request, addressOf(request));
    deps.rules.assertScope(principal, "tools");
    const id = new URL(request.url).searchParams.get("session_id") ?? principal.sessionId;
    if (id === null) return Response.json({ tools: deps.tools.all().map(described) });
    const session = await deps.sessions.get(id);
    deps.rules.assertMayUse(principal, session);
    const usable = deps.tools.describe(deps.rules.actorFor(principal, session), session.activeTools);
    return Response.json({ session_id: id, tools: usable.map(described) });
  }

  async function ticket(request: Request): Promise<Response> {
    const principal = await door.enter(request, addressOf(request));
    const { token, expiresAt } = deps.auth.issueTicket(principal);
    return Response.json({ ticket: token, expires_at: expiresAt / 1000 });
  }

  async function interact(request: Request): Promise<Response> {
    const { interactions } = deps;
    if (interactions === null)
      throw new AppError("not_found", "Webhook interactions are not set up: the public key is missing.");
    // Who sends it is known by what has been read.
    const leave = unverified.take(networkOf(addressOf(request)));
    const bytes = await readBytes(request).finally(leave);
    await interactions.verify({
      signature: request.headers.get("x-signature-ed25519"),
      timestamp: request.headers.get("x-signature-timestamp"),
      body: new TextDecoder().decode(bytes),
    });
    const body = parseBytes(bytes);
    if (isPing(body)) return Response.json({ type: interaction.pong });
    return counted(discordItself, async () => Response.json(await interactions.handle(body)));
  }

  return {
    post,
    process,
    tools,
    ticket,
    interact,
    /** Requests that are being answered, streams included. */
    get inFlight() {
      return slots.size;
    },
  };
}

const keyOf = ({ tokenId }: Principal): string => tokenId ?? "";

export type Requests = ReturnType<typeof createRequests>;

function plainCaller(principal: Principal, request: Request): Caller {
  return { principal, connection: null, boundSessionId: null, signal: request.signal };
}

function envelope(type: RequestType, data: Readonly<Record<string, unknown>>, request: Request) {
  const key = request.headers.get("idempotency-key");
  return {
    type,
    id: crypto.randomUUID(),
    data,
    metadata: key === null ? undefined : { idempotency_key: key },
  };
}

function accepts(request: Request, type: string): boolean {
  const offered = request.headers.get("accept") ?? "";
  return offered.split(",").some((each) => each.split(";")[0]?.trim().toLowerCase() === type);
}

const described = ({
  name,
  description,
  parameters,
}: {
  name: string;
  description: string;
  parameters: unknown;
}) => ({
  name,
  description,
  parameters,
});

function respond(reply: Reply): Response {
  if (reply.type !== "error") return Response.json(reply.data);
  const { code, retry_after_ms: retryAfterMs, ...data } = reply.data;
  throw new AppError(code, reply.error, { data, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

function isPing(body: unknown): boolean {
  return typeof body === "object" && body !== null && "type" in body && body.type === interaction.ping;
}
