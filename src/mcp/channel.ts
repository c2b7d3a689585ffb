import { getLogger } from "@logtape/logtape";
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { AppError, toAppError } from "../errors.ts";
import { errorResponse, readMessage } from "./json-rpc.ts";
import type { McpCaller } from "./ports.ts";
import type { Mcp } from "./server.ts";

const log = getLogger(["discord-mcp", "mcp"]);

/** Requests of one channel that are worked on at once. */
const inFlight = 32;
/** Messages that wait for the one before them to be let in. */
const waitingMessages = 256;
const subscriptions = 64;

/** A long-lived channel of messages, a text each: a WebSocket, or standard input and output by way of the bridge. */
export interface TextChannel {
  /** Nothing happens once it is closed. A channel that does not keep up closes itself. */
  send(text: string): void;
  close(sentence?: string): void;
  /** To be called once. */
  listen(listener: { message(text: string): void; closed(): void }): void;
}

export interface ChannelOptions {
  readonly caller: McpCaller;
  /** Asked for each message: throws AppError to refuse it, `unauthorized` to end the channel. */
  readonly admit: () => Promise<void>;
  readonly onClosed?: () => void;
}

export interface ServedChannel {
  /** Requests that are being worked on. */
  readonly inFlight: number;
}

/**
 * Serves one channel to its end: it is pinned to the revision that it is opened in, and every message is held to the
 * channel's bounds before the server sees it.
 */
export function serveChannel(mcp: Mcp, channel: TextChannel, options: ChannelOptions): ServedChannel {
  const transport = new ChannelTransport(channel, options);
  serveStdio(mcp.factoryFor(options.caller), {
    transport,
    maxSubscriptions: subscriptions,
    onerror: (error) => log.debug("a channel's message was refused", { error }),
  });
  return transport;
}

class ChannelTransport implements Transport, ServedChannel {
  onmessage?: Transport["onmessage"];
  onclose?: Transport["onclose"];
  onerror?: Transport["onerror"];
  readonly #channel: TextChannel;
  readonly #options: Pick<ChannelOptions, "admit" | "onClosed">;
  readonly #open = new Set<RequestId>();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor(channel: TextChannel, options: ChannelOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  get inFlight(): number {
    return this.#open.size;
  }

  async start(): Promise<void> {
    this.#channel.listen({
      message: (text) => this.#received(text),
      closed: () => this.#closed(),
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if ("id" in message && message.id !== undefined && !("method" in message)) this.#open.delete(message.id);
    if (!this.#isClosed) this.#channel.send(JSON.stringify(message));
  }

  async close(): Promise<void> {
    this.#channel.close();
    this.#closed();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#open.clear();
    this.onclose?.();
    this.#options.onClosed?.();
  }

  /** One after the other: who cancels a request must find it begun. */
  #received(text: string): void {
    if (this.#waiting >= waitingMessages) {
      this.#channel.close("Too many messages at once: wait for answers.");
      return;
    }
    this.#waiting++;
    this.#tail = this.#tail.then(async () => {
      this.#waiting--;
      if (!this.#isClosed) await this.#take(text);
    });
  }

  async #take(text: string): Promise<void> {
    const incoming = readMessage(text);
    if (!incoming.ok) return this.#reply(incoming.reply);
    const { message } = incoming;
    const id = isJSONRPCRequest(message) ? message.id : null;
    try {
      await this.#options.admit();
      if (id !== null) this.#begin(id, message);
    } catch (error) {
      const failure = toAppError(error);
      if (id !== null) this.#reply(errorResponse(failure, id));
      if (failure.code === "unauthorized") this.#channel.close(failure.message);
      return;
    }
    if (isJSONRPCNotification(message) && message.method === "notifications/cancelled") this.#forget(message);
    this.onmessage?.(message);
  }

  #begin(id: RequestId, message: JSONRPCMessage): void {
    if (this.#open.has(id))
      throw new AppError("invalid_data", "A request with this id is being worked on; give each its own.");
    // A subscription is not worked on: it is bounded by itself.
    if ("method" in message && message.method === "subscriptions/listen") return;
    if (this.#open.size >= inFlight)
      throw new AppError(
        "rate_limited",
        `At most ${inFlight} requests are worked on at once; wait for one.`,
        {
          retryAfterMs: 1000,
        },
      );
    this.#open.add(id);
  }

  /** What is cancelled gets no answer. */
  #forget({ params }: { readonly params?: object | undefined }): void {
    const id = params !== undefined && "requestId" in params ? params.requestId : undefined;
    if (typeof id === "string" || typeof id === "number") this.#open.delete(id);
  }

  #reply(reply: JSONRPCMessage): void {
    if (!this.#isClosed) this.#channel.send(JSON.stringify(reply));
  }
}
