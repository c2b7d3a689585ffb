/** The protocol as somebody writes it who uses no client, well or badly. */

// biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
export type Message = any;

export const revision = "2026-07-28";
const key = (name: string) => `io.modelcontextprotocol/${name}`;

export const envelope = (capabilities: object = {}) => ({
  [key("protocolVersion")]: revision,
  [key("clientInfo")]: { name: "raw", version: "1" },
  [key("clientCapabilities")]: capabilities,
});

/** A request of the newer revision. */
export const modern = (id: unknown, method: string, params: object = {}, capabilities: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params: { ...params, _meta: envelope(capabilities) },
});

/** A request of the older ones. */
export const legacy = (id: unknown, method: string, params: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

export const initialize = (capabilities: object = {}) =>
  legacy("init", "initialize", {
    protocolVersion: "2025-11-25",
    capabilities,
    clientInfo: { name: "raw", version: "1" },
  });

export interface PostOptions {
  readonly token: string;
  readonly query?: string;
  /** Null leaves one out that would be there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly signal?: AbortSignal;
}

/** One POST to `/mcp`, with the headers that its body asks for. */
export function post(url: string, message: Message, options: PostOptions): Promise<Response> {
  const { token, query = "", headers = {}, signal } = options;
  const all: Record<string, string | null> = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headersOf(message),
    ...headers,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  return fetch(`${url}/mcp?${query}`, {
    method: "POST",
    headers: given,
    body: typeof message === "string" ? message : JSON.stringify(message),
    ...(signal === undefined ? {} : { signal }),
  });
}

function headersOf(message: Message): Record<string, string> {
  const params = message?.params;
  if (params?._meta?.[key("protocolVersion")] === undefined) return {};
  const name = params.name ?? params.uri;
  return {
    "mcp-protocol-version": revision,
    "mcp-method": String(message.method),
    ...(typeof name === "string" ? { "mcp-name": name } : {}),
  };
}

/** What comes, one message after the other. */
export interface Wire extends Disposable {
  readonly received: readonly Message[];
  /** The first message, present or to come, that fits; rejects when it ends without. */
  next(fits: (message: Message) => boolean): Promise<Message>;
  /** Resolves when no more can come; with a close frame's code and reason where there is one. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>;
  send(message: Message): void;
}

class Received {
  readonly received: Message[] = [];
  readonly ending = Promise.withResolvers<{ code: number; reason: string }>();
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  add(message: Message): void {
    this.received.push(message);
    for (const look of this.#waiting) look();
  }

  end(code: number, reason: string): void {
    this.#isOver = true;
    this.ending.resolve({ code, reason });
    for (const look of this.#waiting) look();
  }

  next(fits: (message: Message) => boolean): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const look = () => {
      const found = this.received.find(fits);
      if (found === undefined && !this.#isOver) return;
      this.#waiting.delete(look);
      if (found === undefined) reject(new Error("it ended without such a message"));
      else resolve(found);
    };
    this.#waiting.add(look);
    look();
    return promise;
  }
}

/** A WebSocket, or the control socket's channel. */
export async function socketWire(
  url: string,
  options: { readonly token?: string; readonly protocols?: string[] } = {},
): Promise<Wire> {
  const { token, protocols } = options;
  const socket = new WebSocket(url, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(protocols === undefined ? {} : { protocols }),
  });
  const inbox = new Received();
  const opened = Promise.withResolvers<void>();
  socket.binaryType = "arraybuffer";
  socket.onopen = () => opened.resolve();
  socket.onerror = () => opened.reject(new Error("the socket did not open"));
  // A binary frame is the last word of a channel.
  socket.onmessage = ({ data }) =>
    inbox.add(typeof data === "string" ? JSON.parse(data) : { lastWord: new TextDecoder().decode(data) });
  socket.onclose = ({ code, reason }) => {
    opened.reject(new Error(`closed with ${code}`));
    inbox.end(code, reason);
  };
  await opened.promise;
  return {
    received: inbox.received,
    next: (fits) => inbox.next(fits),
    ended: inbox.ending.promise,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** The events of a response, for as long as it lasts. */
export function eventWire(response: Response, leave: AbortController): Wire {
  const inbox = new Received();
  const read = async () => {
    let rest = "";
    for await (const part of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const frames = (rest + part).split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const data = frame.split("\n").find((line) => line.startsWith("data: "));
        if (data !== undefined && data.length > 6) inbox.add(JSON.parse(data.slice(6)));
      }
    }
  };
  read()
    .catch(() => {})
    .finally(() => inbox.end(0, ""));
  return {
    received: inbox.received,
    next: (fits) => inbox.next(fits),
    ended: inbox.ending.promise,
    send() {
      throw new Error("A stream of events takes nothing.");
    },
    [Symbol.dispose]: () => leave.abort(),
  };
}

/** Opens `subscriptions/listen` over HTTP. */
export async function listen(
  url: string,
  uris: readonly string[],
  options: Omit<PostOptions, "signal">,
): Promise<Wire> {
  const leave = new AbortController();
  const notifications = { resourceSubscriptions: uris };
  const request = modern("listen", "subscriptions/listen", { notifications });
  return eventWire(await post(url, request, { ...options, signal: leave.signal }), leave);
}

/** What the single answer of a response says, as JSON or as an event. */
export async function answerOf(response: Response): Promise<Message> {
  const text = await response.text();
  const data = /^data: (\{.*)$/m.exec(text)?.[1];
  return JSON.parse(data ?? text);
}
