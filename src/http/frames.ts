import type { ServerWebSocket } from "bun";
import { closingFrameBytes } from "../protocol/envelope.ts";
import { type SocketEnd, unreadBytes } from "./socket-end.ts";

type Socket = ServerWebSocket<SocketEnd>;
type Frame = string | Buffer;

/** Units of text, or bytes, that wait for each other; what comes above it is worked on at once. */
const waitingLength = 1024 * 1024;

/**
 * Options of Bun's WebSocket server; a frame above the bound is closed by it with 1009, invalid UTF-8 with 1007.
 *
 * What all sockets have sent by one turn of the event loop is read first and then worked on, together: a processor that
 * goes from the kernel to a request and back for each frame forgets in between what it was about to need, and a call
 * takes a sixth longer.
 */
export function createSocketOptions() {
  /** In the order in which they came. */
  let waiting: { readonly end: SocketEnd; readonly frame: Frame }[] = [];
  let length = 0;

  function workOnAll(): void {
    const frames = waiting;
    waiting = [];
    length = 0;
    for (const { end, frame } of frames) end.received(frame);
  }

  return {
    maxPayloadLength: closingFrameBytes,
    backpressureLimit: 2 * unreadBytes,
    idleTimeout: 120,
    sendPings: true,
    perMessageDeflate: false,
    open: (socket: Socket) => socket.data.opened(socket),
    message(socket: Socket, frame: Frame) {
      length += frame.length;
      if (waiting.push({ end: socket.data, frame }) === 1) setImmediate(workOnAll);
      if (length > waitingLength) workOnAll();
    },
    close(socket: Socket) {
      // What it sent before it went is begun all the same.
      workOnAll();
      socket.data.closed();
    },
  };
}
