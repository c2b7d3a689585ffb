import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ApiFailure, errorBody } from "./errors.ts";
import type { RequestFault, Route } from "./faults.ts";
import { newId } from "./ids.ts";
import type { MutableRecord, RequestOutcome } from "./recorder.ts";
import { aborted } from "./send.ts";

export interface Exchange {
  readonly record: MutableRecord;
  readonly url: URL;
  readonly response: ServerResponse;
  /** Aborted when the client goes away, or the simulator closes, before the answer is complete. */
  readonly gone: AbortSignal;
  /** What is still to go wrong while answering. */
  readonly fault: Exclude<RequestFault, { kind: "status" | "disconnect" | "hang" }> | null;
}

export interface ServerParts {
  readonly authenticate: (request: IncomingMessage) => void;
  /** Throws for what the API refuses, whatever faults are queued. */
  readonly check: (route: Route, record: MutableRecord) => void;
  readonly takeFault: (route: Route) => RequestFault | null;
  readonly recorded: (record: MutableRecord) => void;
  readonly openRecord: (fields: Pick<MutableRecord, "id" | "method" | "path" | "headers">) => MutableRecord;
  readonly pass: () => Promise<void>;
  readonly answer: (route: Route, exchange: Exchange) => Promise<RequestOutcome>;
  readonly limitHeaders: (limited: boolean) => Readonly<Record<string, string>>;
  readonly maxBodyBytes: number;
}

/** A plain HTTP server and not `Bun.serve`, since it must be able to break a connection at any byte. */
export function serveApi(parts: ServerParts): Server {
  const server = createServer((request, response) => {
    void handle(parts, request, response);
  });
  server.requestTimeout = 0;
  return server;
}

async function handle(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = newId("req");
  const record = parts.openRecord({
    id,
    method: request.method ?? "GET",
    path: request.url ?? "/",
    headers: plainHeaders(request),
  });
  const gone = new AbortController();
  response.on("close", () => {
    if (response.writableFinished) return;
    gone.abort();
    record.end("aborted");
  });
  response.setHeader("request-id", id);
  response.setHeader("anthropic-organization-id", "00000000-0000-4000-8000-000000000000");
  try {
    const outcome = await exchange(parts, request, response, record, gone.signal);
    record.status ??= response.statusCode;
    record.end(outcome);
  } catch (error) {
    fail(parts, response, record, error);
  }
}

async function exchange(
  parts: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: MutableRecord,
  gone: AbortSignal,
): Promise<RequestOutcome> {
  const url = new URL(record.path, "http://127.0.0.1");
  const tooLarge = await readBody(request, record, parts.maxBodyBytes);
  let route: Route;
  try {
    route = routeOf(record.method, url.pathname);
    parts.authenticate(request);
    if (tooLarge) throw new ApiFailure(413);
    parts.check(route, record);
  } finally {
    // Known to whoever waits once it is complete, before it is held or meets a fault.
    parts.recorded(record);
  }
  const fault = parts.takeFault(route);
  if (fault?.kind === "status") throw fault.failure;
  if (fault?.kind === "disconnect") {
    record.end("broken");
    response.destroy();
    return "broken";
  }
  await Promise.race([
    Promise.all([parts.pass(), fault?.kind === "hang" ? fault.until : null]),
    aborted(gone),
  ]);
  if (gone.aborted) return "aborted";
  for (const [name, value] of Object.entries(parts.limitHeaders(false))) response.setHeader(name, value);
  return parts.answer(route, {
    record,
    url,
    response,
    gone,
    fault: fault?.kind === "hang" ? null : fault,
  });
}

function fail(parts: ServerParts, response: ServerResponse, record: MutableRecord, error: unknown): void {
  const failure = error instanceof ApiFailure ? error : new ApiFailure(500, `simulator: ${String(error)}`);
  record.status = failure.status;
  record.end("refused");
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const limited = failure.status === 429;
  for (const [name, value] of Object.entries(parts.limitHeaders(limited))) response.setHeader(name, value);
  if (failure.retryAfter !== null) response.setHeader("retry-after", String(failure.retryAfter));
  response.setHeader("x-should-retry", String(limited || failure.status >= 500));
  response.writeHead(failure.status, { "content-type": "application/json" });
  response.end(JSON.stringify(errorBody(failure.type, failure.message, record.id)));
}

function routeOf(method: string, path: string): Route {
  const route =
    path === "/v1/messages" ? "messages" : path === "/v1/messages/count_tokens" ? "count_tokens" : null;
  if (route !== null) {
    if (method !== "POST") throw new ApiFailure(405, "Method Not Allowed");
    return route;
  }
  if (path !== "/v1/models" && !path.startsWith("/v1/models/")) throw new ApiFailure(404, "Not found");
  if (method !== "GET") throw new ApiFailure(405, "Method Not Allowed");
  return "models";
}

/** Reads what fits; true when it was too large, which is then not kept. */
async function readBody(request: IncomingMessage, record: MutableRecord, maxBytes: number): Promise<boolean> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (bytes > maxBytes) return true;
  record.rawBody = Buffer.concat(chunks).toString("utf8");
  try {
    record.body = record.rawBody === "" ? null : JSON.parse(record.rawBody);
  } catch {
    record.body = null;
  }
  return false;
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}
