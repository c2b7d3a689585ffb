/** Requests as they go over the wire. */

export const revisions = ["2026-07-28", "2025-11-25"] as const;
export type Revision = (typeof revisions)[number];

/** On whose behalf an operator asks. */
export const userId = "100000000000000000";

const client = { name: "bench", version: "1" };
const key = (name: string) => `io.modelcontextprotocol/${name}`;

/** In the newer revision a request says by itself what an older client said once. */
const envelope = {
  [key("protocolVersion")]: "2026-07-28",
  [key("clientInfo")]: client,
  [key("clientCapabilities")]: {},
};

export function request(revision: Revision, id: string, method: string, params: object): string {
  const all = revision === "2026-07-28" ? { ...params, _meta: envelope } : params;
  return JSON.stringify({ jsonrpc: "2.0", id, method, params: all });
}

export const initialize: string = request("2025-11-25", "init", "initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: client,
});

export const initialized: string = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" });

export interface Post {
  readonly revision: Revision;
  readonly token: string;
  readonly method: string;
  /** What the request names, if it names something. */
  readonly name?: string | undefined;
  /** What the answer to an older client's `initialize` gave it, if it did. */
  readonly sessionId?: string | null;
}

export function headersOf({ revision, token, method, name, sessionId }: Post): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    ...(method === "initialize" ? {} : { "mcp-protocol-version": revision }),
    ...(revision === "2026-07-28" ? { "mcp-method": method } : {}),
    ...(revision === "2026-07-28" && name !== undefined ? { "mcp-name": name } : {}),
    ...(typeof sessionId === "string" ? { "mcp-session-id": sessionId } : {}),
  };
}

/** A request of HTTP/1.1, byte for byte. */
export function posted(port: number, path: string, headers: Record<string, string>, body: string): string {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}
