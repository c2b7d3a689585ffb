import type { ServerWebSocket } from "bun";
import type { Principal } from "../auth/ports.ts";
import { AppError } from "../errors.ts";
import { type ServedChannel, serveChannel, type TextChannel } from "../mcp/channel.ts";
import type { McpCaller } from "../mcp/ports.ts";
import type { HttpDeps } from "./ports.ts";
import { closeCodes, closeSocket, floodReason, refusedInARow, type SocketEnd, sendTo } from "./socket-end.ts";

export interface McpSocketOptions {
  readonly caller: McpCaller;
  readonly draining: () => boolean;
  readonly onClose: (socket: McpSocket) => void;
}

type Deps = Pick<HttpDeps, "mcp" | "auth" | "limits">;

/** One socket that speaks the Model Context Protocol. */
export class McpSocket implements SocketEnd {
  readonly principal: Principal;
  readonly #deps: Deps;
  readonly #options: McpSocketOptions;
  readonly #limitKey: string;
  #socket: ServerWebSocket<SocketEnd> | null = null;
  #listener: Parameters<TextChannel["listen"]>[0] | null = null;
  #served: ServedChannel | null = null;
  #refused = 0;

  constructor(deps: Deps, options: McpSocketOptions, address: string) {
    this.#deps = deps;
    this.#options = options;
    this.principal = options.caller.principal;
    this.#limitKey = this.principal.tokenId ?? `address:${address}`;
  }

  get inFlight(): number {
    return this.#served?.inFlight ?? 0;
  }

  opened(socket: ServerWebSocket<SocketEnd>): void {
    this.#socket = socket;
    const channel: TextChannel = {
      send: (text) => this.#send(text),
      close: (sentence) => this.close(closeCodes.policy, sentence ?? "closed"),
      listen: (listener) => {
        this.#listener = listener;
      },
    };
    const { caller } = this.#options;
    this.#served = serveChannel(this.#deps.mcp, channel, { caller, admit: () => this.#admit() });
  }

  received(frame: string | Buffer): void {
    if (this.#socket === null) return;
    if (typeof frame === "string") this.#listener?.message(frame);
    else this.close(closeCodes.unsupportedData, "messages are text");
  }

  closed(): void {
    this.#socket = null;
    this.#listener?.closed();
    this.#options.onClose(this);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    closeSocket(socket, code, reason);
  }

  async #admit(): Promise<void> {
    const { auth, limits } = this.#deps;
    if (this.#options.draining())
      throw new AppError("shutting_down", "The service is stopping; connect again in a moment.", {
        retryAfterMs: 5000,
      });
    const valid = auth.stillValid(this.principal);
    if (valid !== true && !(await valid))
      throw new AppError("unauthorized", "The token of this connection has been revoked or has expired.");
    if (++this.#refused >= refusedInARow) this.close(closeCodes.policy, floodReason);
    await limits.token.take(this.#limitKey);
    this.#refused = 0;
  }

  #send(text: string): void {
    if (this.#socket !== null && !sendTo(this.#socket, text))
      this.close(closeCodes.tooSlow, "too slow: read faster, then connect again");
  }
}
