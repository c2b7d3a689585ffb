import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { AppError, toAppError } from "../errors.ts";
import { type Channel, channelPath, createControlChannels, type ServeChannel } from "./channels.ts";

const log = getLogger(["discord-mcp", "control"]);

/**
 * The control socket: a Unix socket of mode 0600 in the data folder, over which the other commands reach the
 * service while it runs, since only the service writes to the database then. Whoever may open the file is
 * the operator; there is no other authentication. One JSON request, one JSON answer; at `/mcp`, a WebSocket.
 */
export type ControlHandlers = Readonly<Record<string, (data: unknown) => Promise<unknown>>>;

/** Unix sockets' paths are bounded by the kernel (sun_path, 108 bytes with its end). */
const maxPathBytes = 107;
const maxBodyBytes = 64 * 1024;

export const controlPath = (dataDir: string): string => join(dataDir, "control.sock");

export interface Control extends Disposable {
  /** From now on programs may open channels; before, they are told to wait. */
  acceptChannels(): void;
  /** Takes no more channels when none has been open for so long, and says whether that is so. */
  retire(quietMs: number): boolean;
  /** Says goodbye to all of them, and takes no more. */
  closeChannels(): void;
}

/** Must be called by the holder of the serve lock only: a socket file that is left over is replaced. */
export function serveControl(
  dataDir: string,
  handlers: ControlHandlers,
  serveChannel: ServeChannel = noChannels,
): Control {
  const path = controlPath(dataDir);
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new AppError("internal_error", `The data folder's path is too long for a control socket: ${path}`);
  }
  rmSync(path, { force: true });
  const channels = createControlChannels(serveChannel);
  const umask = process.umask(0o177);
  try {
    const server = Bun.serve<Channel>({
      unix: path,
      maxRequestBodySize: maxBodyBytes,
      fetch: (request, self) =>
        request.headers.has("upgrade") && operationOf(request) === channelPath
          ? channels.upgrade(request, self)
          : answer(request, handlers),
      websocket: channels.handler,
    });
    chmodSync(path, 0o600);
    return {
      acceptChannels: channels.accept,
      retire: channels.retire,
      closeChannels: channels.closeAll,
      [Symbol.dispose]() {
        channels.closeAll();
        void server.stop(true);
        rmSync(path, { force: true });
      },
    };
  } finally {
    process.umask(umask);
  }
}

async function noChannels(): Promise<void> {
  throw new AppError("unknown_type", "This service does not speak the Model Context Protocol.");
}

const operationOf = (request: Request): string => new URL(request.url).pathname.slice(1);

async function answer(request: Request, handlers: ControlHandlers): Promise<Response> {
  try {
    const operation = operationOf(request);
    const handler = Object.hasOwn(handlers, operation) ? handlers[operation] : undefined;
    if (!handler) {
      const known = Object.keys(handlers).join(", ");
      throw new AppError(
        "unknown_type",
        `The service knows no operation "${operation}", only ${known}; are both of one version?`,
      );
    }
    return Response.json({ result: (await handler(await request.json())) ?? null });
  } catch (error) {
    const failure = toAppError(error);
    if (failure.code === "internal_error")
      log.error("a command could not be answered", { error: failure.cause });
    return Response.json({ error: failure.message, code: failure.code }, { status: 400 });
  }
}

/**
 * Asks the running service. Returns null when none runs (no socket, or nobody listens on it). Throws AppError
 * `forbidden` where the data folder is another user's.
 */
export async function askService(
  dataDir: string,
  operation: string,
  data: unknown,
): Promise<{ result: unknown } | null> {
  const unix = controlPath(dataDir);
  let response: Response;
  try {
    response = await fetch(`http://control/${operation}`, {
      unix,
      method: "POST",
      body: JSON.stringify(data),
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const says = `${error.name} ${error.message} ${"code" in error ? error.code : ""}`;
    if (/ENOENT|ECONNREFUSED|FailedToOpenSocket|ConnectionRefused/.test(says)) return null;
    if (/EACCES|EPERM/.test(says))
      throw new AppError(
        "forbidden",
        `The data folder ${dataDir} is another user's; run this as the user who runs the service, or name your own in DATABASE_URL.`,
        { cause: error },
      );
    throw error;
  }
  const body: unknown = await response.json();
  if (typeof body !== "object" || body === null)
    throw new AppError("internal_error", "The service answered nothing readable.");
  if ("result" in body) return { result: body.result };
  const message = "error" in body ? String(body.error) : `status ${response.status}`;
  throw new AppError("invalid_data", message);
}
