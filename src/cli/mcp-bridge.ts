import { setTimeout as delay } from "node:timers/promises";
import { maxMessageBytes } from "../control/channels.ts";
import { AppError } from "../errors.ts";
import { whenAborted } from "../waiting.ts";
import type { Io } from "./command.ts";
import { type Line, readLines } from "./mcp-lines.ts";
import { PendingRequests, requestError } from "./mcp-pending.ts";
import type { Goodbye, ServiceSocket, SocketListener } from "./mcp-socket.ts";

/** How it ended: the client has what it wanted, or is told why not. */
export type BridgeEnd = { readonly kind: "done" } | Goodbye;

type BridgeIo = Pick<Io, "bytes" | "written" | "stop">;

/** Bytes that may wait for a client that does not read. */
const unreadBytes = 16 * 1024 * 1024;
/** Bytes that may be on their way to the service before more is read. */
const sendingBytes = 2 * maxMessageBytes;
/** How long what was asked may take to be answered once the client has closed its end. */
const lastAnswersMs = 2000;
/** How long a client that is to be told of a failure has to say its first request. */
const firstRequestMs = 1000;

/**
 * Carries JSON-RPC messages between standard input and output, a line each, and a channel that `open` gives.
 * Ends when either side does. What has been asked and not answered when the service goes away is answered
 * with an error; what is no JSON is the service's to answer. Throws what `open` throws, once the client knows.
 */
export async function bridge(
  io: BridgeIo,
  open: (listener: SocketListener, signal: AbortSignal) => Promise<ServiceSocket>,
): Promise<BridgeEnd> {
  const pending = new PendingRequests();
  const output = new Output(io);
  const over = new AbortController();
  const ended = Promise.withResolvers<BridgeEnd>();
  const listener: SocketListener = {
    message(text) {
      pending.answered(text);
      if (!output.write(text)) ended.resolve({ kind: "refused", sentence: tooSlow });
    },
    closed: ended.resolve,
  };
  const socket = open(listener, over.signal);
  const input = pump(io, socket, pending, output);
  // Whoever dies closes its end; what it had asked may still be wanted by a pipe that follows.
  const ending = input.catch(() => false);
  void ending.then(async (failed) => {
    if (!failed) await Promise.race([pending.none(), delay(lastAnswersMs)]);
    ended.resolve({ kind: "done" });
  });
  void whenAborted(io.stop).then(() => ended.resolve({ kind: "done" }));
  socket.catch(ended.reject);
  try {
    const end = await ended.promise;
    if (end.kind !== "done") await fail(pending, output, sentenceOf(end), ending);
    return end;
  } catch (error) {
    const sentence = error instanceof AppError ? error.message : "The service could not be reached.";
    await fail(pending, output, sentence, ending);
    throw error;
  } finally {
    over.abort();
    void socket.then((one) => one.close()).catch(() => {});
    await Promise.race([output.flushed(), whenAborted(io.stop), delay(lastAnswersMs)]);
  }
}

/** Reads to the input's end. Resolves with whether the service was lost meanwhile. */
async function pump(
  io: BridgeIo,
  opening: Promise<ServiceSocket>,
  pending: PendingRequests,
  output: Output,
): Promise<boolean> {
  let failed = false;
  const opened = opening.catch(() => {
    failed = true;
    return null;
  });
  for await (const line of readLines(io.bytes(), maxMessageBytes)) {
    if (line.kind === "line") pending.asked(line.text);
    const socket = await opened;
    if (line.kind !== "line") output.write(requestError(null, complaintOf(line)));
    else if (socket !== null) {
      socket.send(line.text);
      while (socket.waiting > sendingBytes) await delay(1);
    }
  }
  // Nobody needs the service that is still being opened for a client that has gone without a word.
  if (!pending.isEmpty) await opened;
  return failed;
}

/**
 * A client shows best what answers a request of its own, and the first one may only be on its way. One that asks
 * which revision is spoken takes an error for the older one, and shows what answers the handshake that follows.
 */
async function fail(pending: PendingRequests, output: Output, sentence: string, input: Promise<unknown>) {
  for (const _probeOrHandshake of [1, 2]) {
    await Promise.race([pending.some(), input, delay(firstRequestMs)]);
    const taken = pending.take();
    for (const { id } of taken) output.write(requestError(id, { code: -32000, message: sentence }));
    if (!taken.some(({ method }) => method === "server/discover")) return;
  }
}

function complaintOf({ kind }: Exclude<Line, { kind: "line" }>) {
  return kind === "too_long"
    ? {
        code: -32600,
        message: `A message is one line of at most ${maxMessageBytes} bytes; this one was longer.`,
      }
    : { code: -32700, message: "The line is not UTF-8." };
}

export function sentenceOf(end: Exclude<BridgeEnd, { kind: "done" }>): string {
  switch (end.kind) {
    case "refused":
      return end.sentence;
    case "stopped":
      return "The service has stopped; start this server again to go on.";
    case "lost":
      return "The connection to the service was lost; what was running may have been done. Start this server again to go on.";
    default:
      return end satisfies never;
  }
}

const tooSlow = `More than ${unreadBytes} bytes of answers have not been read; the client is taken to be gone.`;

/** Lines to standard output, in order and one at a time. */
class Output {
  readonly #io: BridgeIo;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(io: BridgeIo) {
    this.#io = io;
  }

  /** False when too much waits for the reader. */
  write(text: string): boolean {
    // A line break in JSON can only lie between its parts.
    const line = `${text.replace(/[\r\n]+/g, " ")}\n`;
    if (this.#waiting + line.length > unreadBytes) return false;
    this.#waiting += line.length;
    this.#tail = this.#tail
      .then(() => this.#io.written(line))
      .then(() => {
        this.#waiting -= line.length;
      });
    return true;
  }

  flushed(): Promise<void> {
    return this.#tail;
  }
}
