import type { ServerResponse } from "node:http";
import type { Message } from "@anthropic-ai/sdk/resources/messages";
import { defaultMessage, errorBody } from "./errors.ts";
import { toEvents } from "./message.ts";
import type { RenderedReply } from "./render.ts";
import type { StreamFault } from "./reply.ts";

export type SendFault = StreamFault | { readonly kind: "malformed_body" } | null;

export interface SendOptions {
  readonly fault: SendFault;
  readonly requestId: string;
  /** Milliseconds between events. */
  readonly chunkDelayMs: number;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
  /** Called before a fault breaks the connection, which is then not the client's doing. */
  readonly breaking: () => void;
}

/** Sends it as server-sent events. False when a fault broke it. */
export async function sendStream(
  response: ServerResponse,
  message: Message,
  rendered: RenderedReply,
  options: SendOptions,
): Promise<boolean> {
  const { fault, gone } = options;
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  let count = 0;
  let bytes = 0;
  for (const event of toEvents(message, rendered)) {
    if (gone.aborted) return true;
    if (fault !== null && (await meetFault(response, fault, count, options))) return false;
    const frame = Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (fault?.kind === "cut_bytes" && bytes + frame.length > fault.afterBytes) {
      cutOff(response, frame.subarray(0, fault.afterBytes - bytes), options);
      return false;
    }
    bytes += frame.length;
    count += 1;
    // With a fault ahead, what comes before it must have left before the connection is broken.
    if (fault !== null) await written(response, frame, gone);
    else if (!response.write(frame)) await drained(response, gone);
    if (options.chunkDelayMs > 0) await Bun.sleep(options.chunkDelayMs);
  }
  if (fault !== null && (await meetFault(response, fault, Number.POSITIVE_INFINITY, options))) return false;
  response.end();
  return true;
}

/** Sends it as one JSON body. False when a fault broke it. */
export async function sendWhole(
  response: ServerResponse,
  message: Message,
  options: SendOptions,
): Promise<boolean> {
  const { fault, requestId } = options;
  const body = JSON.stringify(message);
  response.setHeader("content-type", "application/json");
  switch (fault?.kind) {
    case undefined:
      response.end(body);
      return true;
    case "malformed_body":
    case "malformed":
      response.end(body.slice(0, body.length / 2));
      return false;
    case "error":
      response.statusCode = 500;
      response.end(JSON.stringify(errorBody(fault.type, fault.message ?? defaultMessage(529), requestId)));
      return false;
    case "stall":
      if ((await fault.until) === "cut") cutOff(response, Buffer.alloc(0), options);
      else response.end(body);
      return !response.destroyed;
    case "cut":
    case "cut_bytes":
      response.setHeader("content-length", Buffer.byteLength(body));
      cutOff(response, Buffer.from(body.slice(0, body.length / 2)), options);
      return false;
    default:
      return fault satisfies never;
  }
}

/** True when the stream is over because of it. */
async function meetFault(
  response: ServerResponse,
  fault: Exclude<SendFault, null>,
  count: number,
  options: SendOptions,
): Promise<boolean> {
  const { requestId, gone } = options;
  switch (fault.kind) {
    case "cut":
      if (count < fault.afterEvents) return false;
      cutOff(response, Buffer.alloc(0), options);
      return true;
    case "cut_bytes":
      return false;
    case "error": {
      if (count < fault.afterEvents) return false;
      const message = fault.message ?? (fault.type === "overloaded_error" ? "Overloaded" : fault.type);
      response.end(`event: error\ndata: ${JSON.stringify(errorBody(fault.type, message, requestId))}\n\n`);
      return true;
    }
    case "malformed":
    case "malformed_body":
      if (count < (fault.kind === "malformed" ? fault.afterEvents : 1)) return false;
      response.end('event: content_block_delta\ndata: {"type": "content_bl\n\n');
      return true;
    case "stall":
      if (count !== fault.afterEvents) return false;
      if ((await Promise.race([fault.until, aborted(gone)])) !== "cut") return false;
      cutOff(response, Buffer.alloc(0), options);
      return true;
    default:
      return fault satisfies never;
  }
}

/** Breaks the connection once what was written has left, so that the client sees it and then the break. */
function cutOff(response: ServerResponse, rest: Buffer, { breaking }: SendOptions): void {
  breaking();
  if (rest.length === 0) response.destroy();
  else response.write(rest, () => response.destroy());
}

function written(response: ServerResponse, frame: Buffer, gone: AbortSignal): Promise<void> {
  return Promise.race([
    new Promise<void>((resolve) => response.write(frame, () => resolve())),
    aborted(gone),
  ]);
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return Promise.race([
    new Promise<void>((resolve) => response.once("drain", () => resolve())),
    aborted(gone),
  ]);
}
