import { getLogger } from "@logtape/logtape";
import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import { AppError, toAppError } from "../errors.ts";
import { snowflakeIn } from "../snowflake.ts";

const log = getLogger(["discord-mcp", "control"]);

/** Who is at the other end of a channel, as it says; `serve` believes it or not. */
export type ChannelCredentials = ChannelPlace &
  (
    | { readonly kind: "token"; readonly authorization: string }
    /** Whoever may open the socket file is the operator; the person it acts for must be named all the same. */
    | { readonly kind: "operator"; readonly userId: string }
  );

/** From where the calls are made; null where nothing is said. */
export interface ChannelPlace {
  readonly guildId: string | null;
  readonly channelId: string | null;
}

/** A long-lived channel of JSON-RPC messages, a text each, to a program on this machine. */
export interface ControlChannel {
  /** Nothing happens once it is closed. A channel that does not keep up is closed. */
  send(text: string): void;
  /** With a sentence for whoever reads the program's standard error. */
  close(sentence?: string): void;
  /** To be called once; what came before is handed over then. */
  listen(listener: ChannelListener): void;
}

export interface ChannelListener {
  message(text: string): void;
  closed(): void;
}

/** Lets a channel in and serves it. Throws AppError to turn it away, with the sentence that it is told. */
export type ServeChannel = (channel: ControlChannel, credentials: ChannelCredentials) => Promise<void>;

/** What `mcp` and the service agree on. */
export const channelPath = "mcp";
export const maxMessageBytes = 4 * 1024 * 1024;
export const closeCodes = { done: 1000, goingAway: 1001, refused: 1008, tooSlow: 1013 } as const;
const maxChannels = 64;
/** Bytes that may wait for a program that does not read, or for `listen`. */
const unreadBytes = 2 * maxMessageBytes;
const closeGraceMs = 2000;

export interface ControlChannels {
  /** Undefined when it has become a channel. */
  upgrade(request: Request, server: Server<Channel>): Response | undefined;
  readonly handler: WebSocketHandler<Channel>;
  /** Until then, and after `retire`, a channel is answered 503: come back in a moment. */
  accept(): void;
  /** Takes no more channels when none has been open for so long, and says whether that is so. */
  retire(quietMs: number): boolean;
  closeAll(): void;
}

/** The channels of the control socket: bounded in number, in size and in what waits for a slow reader. */
export function createControlChannels(
  serve: ServeChannel,
  now: () => number = () => performance.now(),
): ControlChannels {
  const open = new Set<Channel>();
  let state: "starting" | "accepting" | "ending" = "starting";
  let quietSince = now();

  return {
    upgrade(request, server) {
      if (state !== "accepting") return new Response(null, { status: 503 });
      const channel = new Channel(request, () => {
        if (open.delete(channel) && open.size === 0) quietSince = now();
      });
      if (open.size >= maxChannels) channel.refusal = tooMany();
      open.add(channel);
      if (server.upgrade(request, { data: channel })) return undefined;
      open.delete(channel);
      return new Response(null, { status: 400 });
    },
    handler: {
      maxPayloadLength: maxMessageBytes,
      backpressureLimit: 2 * unreadBytes,
      idleTimeout: 120,
      sendPings: true,
      perMessageDeflate: false,
      open: (socket) => void socket.data.opened(socket, serve),
      message: (socket, frame) => socket.data.received(frame),
      close: (socket) => socket.data.closed(),
    },
    accept() {
      if (state === "starting") state = "accepting";
    },
    retire(quietMs) {
      if (open.size > 0 || now() - quietSince < quietMs) return false;
      state = "ending";
      return true;
    },
    closeAll() {
      state = "ending";
      for (const channel of open) channel.end(closeCodes.goingAway);
    },
  };
}

export class Channel implements ControlChannel {
  /** Set when it is opened only to be told why it is turned away. */
  refusal: AppError | null = null;
  readonly #request: Request;
  readonly #gone: () => void;
  #socket: ServerWebSocket<Channel> | null = null;
  #listener: ChannelListener | null = null;
  #held: string[] = [];
  #heldBytes = 0;
  #isClosed = false;

  constructor(request: Request, gone: () => void) {
    this.#request = request;
    this.#gone = gone;
  }

  async opened(socket: ServerWebSocket<Channel>, serve: ServeChannel): Promise<void> {
    this.#socket = socket;
    try {
      if (this.refusal !== null) throw this.refusal;
      await serve(this, credentialsOf(this.#request));
    } catch (error) {
      const failure = toAppError(error);
      if (failure.code === "internal_error") log.error("a channel has failed", { error: failure.cause });
      this.close(failure.message);
    }
  }

  received(frame: string | Buffer): void {
    if (typeof frame !== "string") this.close("A channel takes text only, a JSON-RPC message each.");
    else if (this.#listener !== null) this.#listener.message(frame);
    else this.#hold(frame);
  }

  #hold(text: string): void {
    this.#heldBytes += text.length;
    if (this.#heldBytes > unreadBytes) this.end(closeCodes.tooSlow);
    else this.#held.push(text);
  }

  listen(listener: ChannelListener): void {
    this.#listener = listener;
    const held = this.#held;
    this.#held = [];
    for (const text of held) listener.message(text);
    if (this.#isClosed) listener.closed();
  }

  send(text: string): void {
    const socket = this.#socket;
    if (socket === null) return;
    const sent = socket.send(text);
    if (sent === 0 || (sent < 0 && socket.getBufferedAmount() > unreadBytes)) this.end(closeCodes.tooSlow);
  }

  /** A binary frame is the last word: a close frame has no room for a sentence. */
  close(sentence?: string): void {
    if (sentence !== undefined) this.#socket?.sendBinary(new TextEncoder().encode(sentence));
    this.end(sentence === undefined ? closeCodes.done : closeCodes.refused);
  }

  end(code: number): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.close(code);
    setTimeout(() => socket.terminate(), closeGraceMs).unref();
  }

  closed(): void {
    this.#socket = null;
    this.#isClosed = true;
    this.#gone();
    this.#listener?.closed();
  }
}

/** Throws AppError `unauthorized` or `invalid_data`. */
function credentialsOf(request: Request): ChannelCredentials {
  const query = new URL(request.url).searchParams;
  const place = { guildId: snowflakeIn(query, "guild_id"), channelId: snowflakeIn(query, "channel_id") };
  const authorization = request.headers.get("authorization");
  if (authorization !== null) return { kind: "token", authorization, ...place };
  const userId = snowflakeIn(query, "operator_for");
  if (userId !== null) return { kind: "operator", userId, ...place };
  throw new AppError(
    "unauthorized",
    "Say who you are: set DISCORD_MCP_TOKEN to a token of this service (discord-mcp token create), or give --operator --user ID.",
  );
}

function tooMany(): AppError {
  return new AppError(
    "too_many_connections",
    `The service has ${maxChannels} programs connected, which is what it allows; close one first.`,
  );
}
