import type { ServerWebSocket } from "bun";
import type { Principal } from "../auth/ports.ts";

/** Requests refused in a row, for their number, before a connection counts as a flood. */
export const refusedInARow = 256;
/** Bytes that may wait for a reader before it counts as too slow. */
export const unreadBytes = 1024 * 1024;
/** How long a reader that does not read has to take the close frame, in milliseconds. */
export const closeGraceMs = 5000;
/** https://www.rfc-editor.org/rfc/rfc6455#section-5.5: what a close frame has room for. */
const reasonBytes = 120;

export const floodReason = "too many requests after being refused: wait for what retry_after_ms says";

export const closeCodes = {
  goingAway: 1001,
  unsupportedData: 1003,
  policy: 1008,
  tooSlow: 1013,
  tryLater: 1013,
} as const;

/** What a socket of the server leads to, whatever it speaks. Events of Bun's socket come in through it. */
export interface SocketEnd {
  readonly principal: Principal;
  /** Requests that are being worked on. */
  readonly inFlight: number;
  opened(socket: ServerWebSocket<SocketEnd>): void;
  /** Throws nothing. */
  received(frame: string | Buffer): void;
  closed(): void;
  close(code: number, reason: string): void;
}

/** Sends, and says whether the reader keeps up. Where it does not, the socket is to be closed: the text may be lost. */
export function sendTo(socket: ServerWebSocket<SocketEnd>, text: string): boolean {
  const sent = socket.send(text);
  return sent > 0 || (sent < 0 && socket.getBufferedAmount() <= unreadBytes);
}

/** Says why, and cuts off who does not read that. */
export function closeSocket(socket: ServerWebSocket<SocketEnd>, code: number, reason: string): void {
  socket.close(code, Buffer.from(reason).subarray(0, reasonBytes).toString());
  setTimeout(() => socket.terminate(), closeGraceMs).unref();
}
