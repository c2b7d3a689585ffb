import { getLogger } from "@logtape/logtape";
import type {
  JSONRPCMessage,
  McpRequestContext,
  RequestId,
  Server,
  Transport,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { AppError, toAppError } from "../errors.ts";
import { errorResponse, isNotification, isRequest, readMessage } from "./json-rpc.ts";
import type { McpCaller } from "./ports.ts";
import type { Mcp } from "./server.ts";

const log = getLogger(["discord-mcp", "mcp"]);

/** Requests of one channel that are worked on at once. */
const inFlight = 32;
/** Messages that wait for the one before them to be let in. */
const waitingMessages = 256;
const waitingChars = 8 * 1024 * 1024;
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
  const make = mcp.factoryFor(options.caller);
  let server: Server | null = null;
  const tell = (uri: string) => {
    server?.sendResourceUpdated({ uri }).catch(() => {});
  };
  const watch: Watch = (message, signal) => mcp.watch(message, options.caller, tell, signal);
  const transport = new ChannelTransport(channel, options, watch);
  const factory = (context: McpRequestContext) => {
    server = make(context);
    return server;
  };
  serveStdio(factory, {
    transport,
    maxSubscriptions: subscriptions,
    onerror: (error) => log.debug("a channel's message was refused", { error }),
  });
  return transport;
}

/** Begins what a `subscriptions/listen` asks for, and gives what ends it. */
type Watch = (message: JSONRPCMessage, signal: AbortSignal) => Promise<() => void>;

class ChannelTransport implements Transport, ServedChannel {
  onmessage?: Transport["onmessage"];
  onclose?: Transport["onclose"];
  onerror?: Transport["onerror"];
  readonly #channel: TextChannel;
  readonly #options: Pick<ChannelOptions, "admit" | "onClosed">;
  readonly #watch: Watch;
  readonly #open = new Set<RequestId>();
  /** What ends each subscription. */
  readonly #subscriptions = new Map<RequestId, () => void>();
  readonly #gone = new AbortController();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #waitingChars = 0;
  #isClosed = false;

  constructor(channel: TextChannel, options: ChannelOptions, watch: Watch) {
    this.#channel = channel;
    this.#options = options;
    this.#watch = watch;
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
    if ("id" in message && message.id !== undefined && !("method" in message)) {
      this.#open.delete(message.id);
      this.#endSubscription(message.id);
    }
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
    this.#gone.abort(new AppError("cancelled", "The connection was closed."));
    for (const id of [...this.#subscriptions.keys()]) this.#endSubscription(id);
    this.onclose?.();
    this.#options.onClosed?.();
  }

  /** One after the other: who cancels a request must find it begun. */
  #received(text: string): void {
    if (this.#waiting >= waitingMessages || this.#waitingChars + text.length > waitingChars) {
      this.#channel.close("Too many messages at once: wait for answers.");
      return;
    }
    this.#waiting++;
    this.#waitingChars += text.length;
    this.#tail = this.#tail.then(async () => {
      this.#waiting--;
      this.#waitingChars -= text.length;
      if (!this.#isClosed) await this.#take(text);
    });
  }

  async #take(text: string): Promise<void> {
    const incoming = readMessage(text);
    if (!incoming.ok) return this.#reply(incoming.reply);
    const { message } = incoming;
    const id = isRequest(message) ? message.id : null;
    try {
      await this.#options.admit();
      if (id !== null) await this.#begin(id, message);
    } catch (error) {
      const failure = toAppError(error);
      if (id !== null) this.#reply(errorResponse(error, id));
      if (failure.code === "unauthorized") this.#channel.close(failure.message);
      return;
    }
    if (isNotification(message) && message.method === "notifications/cancelled") this.#forget(message);
    this.onmessage?.(message);
  }

  async #begin(id: RequestId, message: JSONRPCMessage): Promise<void> {
    if (this.#open.has(id) || this.#subscriptions.has(id))
      throw new AppError("invalid_data", "A request with this id is being worked on; give each its own.");
    if ("method" in message && message.method === "subscriptions/listen") return this.#subscribe(id, message);
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

  /** It is not worked on, so it is bounded by itself. */
  async #subscribe(id: RequestId, message: JSONRPCMessage): Promise<void> {
    if (this.#subscriptions.size >= subscriptions)
      throw new AppError("too_many_connections", `A connection has at most ${subscriptions} subscriptions.`);
    const end = await this.#watch(message, this.#gone.signal);
    if (this.#isClosed) end();
    else this.#subscriptions.set(id, end);
  }

  #endSubscription(id: RequestId): void {
    this.#subscriptions.get(id)?.();
    this.#subscriptions.delete(id);
  }

  /** What is cancelled gets no answer. */
  #forget({ params }: { readonly params?: object | undefined }): void {
    const id = params !== undefined && "requestId" in params ? params.requestId : undefined;
    if (typeof id !== "string" && typeof id !== "number") return;
    this.#open.delete(id);
    this.#endSubscription(id);
  }

  #reply(reply: JSONRPCMessage): void {
    if (!this.#isClosed) this.#channel.send(JSON.stringify(reply));
  }
}
