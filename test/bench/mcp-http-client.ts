import type { Socket } from "bun";

export interface Answer {
  readonly head: string;
  /** As it came, in chunks where it was sent in chunks. */
  readonly body: string;
}

export interface HttpClient extends Disposable {
  /** Sends a request as it is, and resolves with its answer, or with what came until a sign. One at a time. */
  ask(request: string, sign?: string): Promise<Answer>;
}

/**
 * A connection that is kept, with hardly a cost of its own: with two processors a client that has much to do is what
 * would be measured. Knows the answers of the servers here, and no others.
 */
export async function openHttp(port: number): Promise<HttpClient> {
  let waiting = Promise.withResolvers<Answer>();
  let received = "";
  let awaited: string | undefined;
  const socket: Socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        received += bytes.toString("latin1");
        const answer = whole(received, awaited);
        if (answer === null) return;
        received = "";
        waiting.resolve(answer);
      },
      close: () => waiting.reject(new Error("the server has closed the connection")),
    },
  });
  // Nobody waits when it is closed at the end.
  waiting.promise.catch(() => {});
  return {
    ask(request, sign) {
      awaited = sign;
      waiting = Promise.withResolvers();
      waiting.promise.catch(() => {});
      const sent = socket.write(request);
      if (sent !== Buffer.byteLength(request)) waiting.reject(new Error("the request was not taken whole"));
      return waiting.promise;
    },
    [Symbol.dispose]: () => void socket.end(),
  };
}

/** Null while more is to come. */
function whole(received: string, sign?: string): Answer | null {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = received.slice(0, end);
  const body = received.slice(end + 4);
  if (sign !== undefined) return body.includes(sign) ? { head, body } : null;
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined)
    return body.endsWith("0\r\n\r\n") || head.includes(" 202 ") ? { head, body } : null;
  return body.length >= Number(length) ? { head, body } : null;
}
