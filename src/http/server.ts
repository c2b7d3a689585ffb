import { cors } from "@elysiajs/cors";
import { getLogger } from "@logtape/logtape";
import type { Server } from "bun";
import { Elysia } from "elysia";
import { AppError, toAppError } from "../errors.ts";
import { createDoor } from "./door.ts";
import { endpointOf, methodsOf } from "./endpoints.ts";
import { errorBody, errorHeaders, statusOf } from "./errors.ts";
import { createForwarded } from "./forwarded.ts";
import { createSocketOptions } from "./frames.ts";
import { createGuards } from "./guards.ts";
import { createMcpEndpoint } from "./mcp-endpoint.ts";
import { openApi } from "./openapi.ts";
import type { HttpDeps } from "./ports.ts";
import { metadataAddress } from "./protected-resource.ts";
import { createRequests } from "./requests.ts";
import { createRoutes } from "./routes.ts";
import type { SocketEnd } from "./socket-end.ts";
import { createSockets } from "./sockets.ts";

const log = getLogger(["discord-mcp", "http"]);

/** Bun stops reading a body here; ours stops at 64 KiB and says so. */
const bodyBound = 16 * 1024 * 1024;
/** Seconds without traffic after which a plain request is given up; those that take longer switch it off. */
const idleSeconds = 30;
/** How often a drain looks whether everything is answered, in milliseconds. */
const drainTickMs = 20;

export interface Http {
  /** Port 0 takes a free one. Rejects with Bun's error (`EADDRINUSE`, …) when it cannot. */
  listen(host: string, port: number): Promise<{ readonly url: string; readonly port: number }>;
  /** Takes no new work, waits at most `boundMs` for what is under way, closes every connection. Idempotent. */
  stop(boundMs: number): Promise<void>;
  /** Closes the sockets of tokens that are not valid any more. */
  closeInvalid(): Promise<void>;
  readonly openConnections: number;
}

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/** The network's front door: HTTP routes and sockets over the JSON protocol. */
export function createHttp(deps: HttpDeps): Http {
  let server: Server<SocketEnd> | null = null;
  let draining = false;
  let guards = createGuards(deps.config.allowedHosts, deps.config.corsOrigins, "localhost");
  const codes = new WeakMap<Request, string>();
  const present = () => {
    if (server === null) throw new AppError("shutting_down", "The service is not listening.");
    return server;
  };
  const door = createDoor(deps, () => guards);
  const sockets = createSockets({ ...deps, door, server: present, draining: () => draining });
  const peerOf = (request: Request) => server?.requestIP(request)?.address ?? null;
  const forwarded = createForwarded(deps.config.trustProxy, peerOf);
  const { addressOf } = forwarded;
  const patient = (request: Request) => present().timeout(request, 0);
  const requests = createRequests({ ...deps, door, addressOf, patient });
  const mcpEndpoint = createMcpEndpoint({ mcp: deps.mcp, door, addressOf, patient });

  const app = new Elysia()
    .headers(securityHeaders)
    .use(cors(corsOptions(deps.config.corsOrigins)))
    .onRequest(async ({ request }) => {
      await door.knock(request, addressOf(request));
      if (endpointOf(request) === "/openapi") await door.enter(request, addressOf(request));
      if (draining && !endpointOf(request).startsWith("/health")) throw stopping();
    })
    .onError(({ code, error, request, set }) => {
      const failure = code === "NOT_FOUND" ? noRoute(request) : asAppError(error, request);
      codes.set(request, failure.code);
      const allow = code === "NOT_FOUND" ? methodsOf(request) : null;
      set.status = allow === null ? statusOf[failure.code] : 405;
      Object.assign(
        set.headers,
        errorHeaders(failure, metadataAddress(request, forwarded)),
        allow === null ? {} : { allow },
        // What it has sent behind this request without waiting is not looked at any more.
        failure.code === "rate_limited" ? { connection: "close" } : {},
      );
      return errorBody(failure);
    });
  app
    .use(openApi(deps.version))
    .use(createRoutes({ ...deps, door, requests, mcpEndpoint, sockets, forwarded }));

  async function fetch(request: Request): Promise<Response> {
    const began = performance.now();
    // A Host header that is none, or is missing, leaves an address that nothing below could read.
    const response = URL.canParse(request.url) ? await app.fetch(request) : badHost(request, codes);
    const outcome = codes.get(request) ?? (response.status < 400 ? "success" : `${response.status}`);
    deps.metrics.request(methodOf(request), endpointOf(request), outcome, performance.now() - began);
    return response;
  }

  async function stop(boundMs: number): Promise<void> {
    draining = true;
    const stopped = server;
    if (stopped === null) return;
    const until = performance.now() + boundMs;
    while (sockets.inFlight + requests.inFlight + mcpEndpoint.inFlight > 0 && performance.now() < until)
      await Bun.sleep(drainTickMs);
    sockets.closeAll("the service is stopping");
    await mcpEndpoint.close();
    server = null;
    await stopped.stop(true);
  }

  return {
    async listen(hostname, port) {
      draining = false;
      guards = createGuards(deps.config.allowedHosts, deps.config.corsOrigins, hostname);
      server = Bun.serve<SocketEnd>({
        hostname,
        port,
        reusePort: false,
        idleTimeout: idleSeconds,
        maxRequestBodySize: bodyBound,
        fetch,
        error(error) {
          log.error("a request failed", { error });
          return Response.json(errorBody(toAppError(error)), { status: 500, headers: securityHeaders });
        },
        websocket: createSocketOptions(),
      });
      const bound = server.port ?? port;
      const name = hostname.includes(":") ? `[${hostname}]` : hostname;
      return { url: `http://${name}:${bound}`, port: bound };
    },
    stop,
    async closeInvalid() {
      await Promise.all([sockets.closeInvalid(), mcpEndpoint.closeInvalid(deps.auth.stillValid)]);
    },
    get openConnections() {
      return sockets.size;
    },
  };
}

/** https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers */
const mcpHeaders = ["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "last-event-id"];

function corsOptions(origins: readonly string[]) {
  return {
    origin: [...origins],
    credentials: false,
    methods: ["GET", "POST", "DELETE"],
    allowedHeaders: ["authorization", "content-type", "idempotency-key", ...mcpHeaders],
    exposeHeaders: ["retry-after", "www-authenticate", "mcp-session-id"],
    maxAge: 600,
  };
}

const knownMethods = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);

/** Labels of a metric must be few: a method that somebody made up is not one of them. */
function methodOf(request: Request): string {
  return knownMethods.has(request.method) ? request.method : "other";
}

function badHost(request: Request, codes: WeakMap<Request, string>): Response {
  const failure = new AppError("origin_refused", "The Host header is missing or is no host name; send one.");
  codes.set(request, failure.code);
  return Response.json(errorBody(failure), { status: statusOf[failure.code], headers: securityHeaders });
}

function stopping(): AppError {
  return new AppError("shutting_down", "The service is stopping; try again in a moment.", {
    retryAfterMs: 5000,
  });
}

function noRoute(request: Request): AppError {
  const allowed = methodsOf(request);
  if (allowed === null)
    return new AppError(
      "not_found",
      "There is nothing at this address; see docs/protocol.md for what there is.",
    );
  return new AppError("not_found", `This address does not take ${methodOf(request)}; use ${allowed}.`);
}

function asAppError(error: unknown, request: Request): AppError {
  // Who leaves in the middle of a body is no fault of ours.
  const left = request.signal.aborted && !(error instanceof AppError);
  const failure = left
    ? new AppError("cancelled", "The request was given up before it was read.")
    : toAppError(error);
  if (failure.code === "internal_error")
    log.error("a request failed", { endpoint: endpointOf(request), error: failure.cause ?? error });
  return failure;
}
