import { constants, createDeflate } from "node:zlib";
import type { ServerWebSocket } from "bun";
import type { GatewaySession } from "./gateway-session.ts";

/** What Bun keeps with a socket. */
export interface SocketData {
  readonly version: string | null;
  readonly encoding: string | null;
  readonly compress: string | null;
  connection: GatewayConnection | null;
}

/** One socket of a client: how frames go out over it, compressed or plain. */
export class GatewayConnection {
  readonly #socket: ServerWebSocket<SocketData>;
  readonly #compressor: SharedDeflate | null;
  #isOpen = true;
  session: GatewaySession | null = null;
  /** Times at which frames came in, for the limit on them. */
  received: number[] = [];
  heartbeatTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(socket: ServerWebSocket<SocketData>) {
    this.#socket = socket;
    this.#compressor =
      socket.data.compress === "zlib-stream"
        ? new SharedDeflate((bytes) => void (this.#isOpen && socket.send(bytes)))
        : null;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes text, so that a dispatch is turned into JSON once for all who get it. */
  send(json: string): void {
    if (!this.#isOpen) return;
    if (this.#compressor === null) this.#socket.send(json);
    else this.#compressor.write(json);
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    // What was written before the close must arrive before it.
    void (this.#compressor?.drained() ?? Promise.resolve()).then(() => {
      this.#socket.close(code, reason);
      this.ended();
    });
  }

  /** Cuts the line without a closing frame, as a broken network does. */
  terminate(): void {
    this.#socket.terminate();
    this.ended();
  }

  ended(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.heartbeatTimer !== null) clearTimeout(this.heartbeatTimer);
    this.#compressor?.close();
  }
}

/**
 * One deflate context for the whole connection, flushed after each payload, so that each ends in 00 00 FF FF:
 * https://discord.com/developers/docs/events/gateway#transport-compression
 */
class SharedDeflate {
  readonly #deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH });
  readonly #emit: (bytes: Buffer) => void;
  #chunks: Buffer[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(emit: (bytes: Buffer) => void) {
    this.#emit = emit;
    this.#deflate.on("data", (chunk: Buffer) => void this.#chunks.push(chunk));
    this.#deflate.on("error", () => undefined);
  }

  write(text: string): void {
    this.#last = this.#last.then(
      () =>
        new Promise((resolve) => {
          this.#deflate.write(text, () => {
            this.#emit(Buffer.concat(this.#chunks));
            this.#chunks = [];
            resolve();
          });
        }),
    );
  }

  drained(): Promise<void> {
    return this.#last;
  }

  close(): void {
    void this.#last.then(() => this.#deflate.destroy());
  }
}
