import { CLIENT_CAPABILITIES_META_KEY, type Server, type ServerContext } from "@modelcontextprotocol/server";

/** Whether the client of a request can put a form to its person. */
export function elicits(server: Server, context: ServerContext): boolean {
  const envelope: object | undefined = context.mcpReq.envelope;
  return declaresElicitation(
    envelope === undefined ? server.getClientCapabilities() : member(envelope, CLIENT_CAPABILITIES_META_KEY),
  );
}

/**
 * As each request of the newer revision says of its client, or as the handshake of an older one has said. No mode
 * named means forms. https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#capabilities
 */
export function declaresElicitation(capabilities: unknown): boolean {
  const elicitation = member(capabilities, "elicitation");
  if (typeof elicitation !== "object" || elicitation === null) return false;
  return "form" in elicitation || !("url" in elicitation);
}

/** What the client of a request of the newer revision says that it can do. */
export function declaredCapabilities({ mcpReq }: ServerContext): ReadonlySet<string> {
  const declared = member(mcpReq.envelope, CLIENT_CAPABILITIES_META_KEY);
  return new Set(typeof declared === "object" && declared !== null ? Object.keys(declared) : []);
}

function member(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Object.getOwnPropertyDescriptor(of, name)?.value : undefined;
}
