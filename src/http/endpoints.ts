/** Every address that is served, and how it may be asked. */
const endpoints: Readonly<Record<string, string>> = {
  "/health": "GET",
  "/health/live": "GET",
  "/health/ready": "GET",
  "/metrics": "GET",
  "/openapi": "GET",
  "/mcp": "GET, POST, DELETE",
  "/.well-known/oauth-protected-resource": "GET",
  "/.well-known/oauth-protected-resource/mcp": "GET",
  "/mcp/initialize": "POST",
  "/mcp/process": "POST",
  "/mcp/tool_call": "POST",
  "/mcp/approve": "POST",
  "/mcp/tools": "GET",
  "/mcp/tickets": "POST",
  "/discord/interactions": "POST",
  "/mcp/ws": "GET",
  "/mcp/ws/{session_id}": "GET",
};

const boundSocket = /^\/mcp\/ws\/[^/]+$/;

/** The address as metrics and logs name it: one of a few, whatever was asked for. */
export function endpointOf(request: Request): string {
  const path = pathOf(request);
  if (Object.hasOwn(endpoints, path)) return path;
  return boundSocket.test(path) ? "/mcp/ws/{session_id}" : "other";
}

/** The methods of an address that exists, or null. */
export function methodsOf(request: Request): string | null {
  return endpoints[endpointOf(request)] ?? null;
}

function pathOf(request: Request): string {
  const pathname = URL.parse(request.url)?.pathname ?? "";
  return pathname.length > 1 && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
}
