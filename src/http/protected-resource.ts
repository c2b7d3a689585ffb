import { scopes } from "../auth/ports.ts";
import { endpointOf } from "./endpoints.ts";
import type { Forwarded } from "./forwarded.ts";

/** What clients of the Model Context Protocol can use a token for. */
const scopesOfMcp: readonly string[] = scopes.filter((scope) => scope !== "metrics" && scope !== "sessions");

/**
 * Where a client that was refused at `/mcp` reads how it is protected; null elsewhere.
 * https://www.rfc-editor.org/rfc/rfc9728#section-5.1
 */
export function metadataAddress(request: Request, forwarded: Forwarded): string | null {
  const isMcp = endpointOf(request) === "/mcp" || endpointOf(request) === "/mcp/ws";
  return isMcp ? `${originOf(request, forwarded)}/.well-known/oauth-protected-resource/mcp` : null;
}

/**
 * The metadata. Tokens come from the operator; once there is an authorization server, `authorization_servers` names
 * it here, and clients find their way by themselves. https://www.rfc-editor.org/rfc/rfc9728#section-2
 */
export function protectedResource(request: Request, forwarded: Forwarded): Response {
  return Response.json({
    resource: `${originOf(request, forwarded)}/mcp`,
    resource_name: "discord-mcp",
    bearer_methods_supported: ["header"],
    scopes_supported: scopesOfMcp,
  });
}

/** As the client has addressed us: the Host header was let in by the guards, the scheme is told by a trusted proxy. */
function originOf(request: Request, forwarded: Forwarded): string {
  return `${forwarded.schemeOf(request)}//${new URL(request.url).host}`;
}
