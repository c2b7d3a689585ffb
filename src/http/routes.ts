import { Elysia } from "elysia";
import type { Door } from "./door.ts";
import type { Forwarded } from "./forwarded.ts";
import type { McpEndpoint } from "./mcp-endpoint.ts";
import { descriptions } from "./openapi.ts";
import type { HttpDeps } from "./ports.ts";
import { protectedResource } from "./protected-resource.ts";
import type { Requests } from "./requests.ts";
import type { Sockets } from "./sockets.ts";

export interface RoutesDeps extends HttpDeps {
  readonly door: Door;
  readonly requests: Requests;
  readonly mcpEndpoint: McpEndpoint;
  readonly sockets: Sockets;
  readonly forwarded: Forwarded;
}

/** Bodies are read by the handlers, raw: one parser for HTTP and sockets, so that no error is lost. */
const raw = { parse: "none" } as const;

const metadata = descriptions.open("How the Model Context Protocol's endpoint is protected (RFC 9728)");

/** The routes; `endpoints.ts` lists the same addresses. */
export function createRoutes(deps: RoutesDeps) {
  const { requests, mcpEndpoint, sockets, forwarded } = deps;
  const { addressOf } = forwarded;
  return new Elysia()
    .get(
      "/health",
      ({ request }) => health(deps, request),
      descriptions.open("How it is; details with a token"),
    )
    .get("/health/live", () => ({ status: "alive" }), descriptions.open("Whether the process answers"))
    .get("/health/ready", ({ request }) => ready(deps, request), descriptions.plain("Whether it can serve"))
    .get("/metrics", ({ request }) => metrics(deps, request), descriptions.plain("Metrics for Prometheus"))
    .all("/mcp", async ({ request }) => unstored(await mcpEndpoint.serve(request)), {
      ...raw,
      ...descriptions.hidden,
    })
    .get(
      "/.well-known/oauth-protected-resource",
      ({ request }) => protectedResource(request, forwarded),
      metadata,
    )
    .get(
      "/.well-known/oauth-protected-resource/mcp",
      ({ request }) => protectedResource(request, forwarded),
      metadata,
    )
    .post("/mcp/initialize", ({ request }) => requests.post("initialize", request), {
      ...raw,
      ...descriptions.initialize,
    })
    .post("/mcp/process", ({ request }) => requests.process(request), { ...raw, ...descriptions.process })
    .post("/mcp/tool_call", ({ request }) => requests.post("tool_call", request), {
      ...raw,
      ...descriptions.toolCall,
    })
    .post("/mcp/approve", ({ request }) => requests.post("approve", request), {
      ...raw,
      ...descriptions.approve,
    })
    .get("/mcp/tools", ({ request }) => requests.tools(request), descriptions.plain("The tools"))
    .post("/mcp/tickets", ({ request }) => requests.ticket(request), { ...raw, ...descriptions.ticket })
    .post("/discord/interactions", ({ request }) => requests.interact(request), {
      ...raw,
      ...descriptions.open("Discord's webhook interactions, signed by Discord"),
    })
    .get("/mcp/ws", ({ request }) => sockets.upgrade(request, addressOf(request), null), descriptions.hidden)
    .get(
      "/mcp/ws/:session_id",
      ({ request, params }) => sockets.upgrade(request, addressOf(request), params.session_id),
      descriptions.hidden,
    );
}

/** The server package lets caches keep its streams, and hold what is in them; what they hold is one person's. */
function unstored(response: Response): Response {
  response.headers.set("cache-control", "no-store, no-transform");
  return response;
}

async function health(deps: RoutesDeps, request: Request): Promise<Response> {
  const detailed = request.headers.has("authorization");
  if (detailed) await deps.door.enter(request, deps.forwarded.addressOf(request));
  const { ready, details } = await deps.health.report();
  const status = { status: "healthy", active_sessions: await deps.sessions.countActive() };
  return Response.json(detailed ? { ...status, ready, ...details } : status);
}

async function ready(deps: RoutesDeps, request: Request): Promise<Response> {
  await deps.door.enter(request, deps.forwarded.addressOf(request));
  const report = await deps.health.report();
  const status = report.ready ? "ready" : "not_ready";
  return Response.json({ status, ...report.details }, { status: report.ready ? 200 : 503 });
}

async function metrics(deps: RoutesDeps, request: Request): Promise<Response> {
  const principal = await deps.door.enter(request, deps.forwarded.addressOf(request));
  deps.rules.assertScope(principal, "metrics");
  deps.metrics.gauges.activeSessions.set(await deps.sessions.countActive());
  deps.metrics.gauges.connections.set(deps.sockets.size);
  await deps.refreshGauges?.();
  return new Response(await deps.metrics.text(), { headers: { "content-type": deps.metrics.contentType } });
}
