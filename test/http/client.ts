import type { World } from "./world.ts";

export interface Message {
  readonly type: string;
  readonly id: string;
  readonly error?: string;
  readonly message_id?: string;
  readonly metadata?: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked into field by field
  readonly data: any;
}

/** A client as somebody else would write it: a socket, and promises for what comes. */
export interface Client {
  readonly socket: WebSocket;
  readonly received: readonly Message[];
  /** Sends a request and gives its reply. */
  request(type: string, data: unknown, more?: { id?: string; metadata?: unknown }): Promise<Message>;
  send(text: string | Uint8Array): void;
  /** The first message, present or to come, that fits. */
  next(fits: (message: Message) => boolean): Promise<Message>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

export async function connect(
  world: Pick<World, "socketUrl" | "operator">,
  options: {
    path?: string;
    token?: string | null;
    headers?: Record<string, string>;
    protocols?: string[];
  } = {},
): Promise<Client> {
  const { path = "/mcp/ws", token = world.operator, headers = {}, protocols } = options;
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${world.socketUrl}${path}`, {
    headers: { ...authorization, ...headers },
    ...(protocols === undefined ? {} : { protocols }),
  });
  const received: Message[] = [];
  const waiting = new Set<() => void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  socket.onopen = () => opened.resolve();
  socket.onerror = () => opened.reject(new Error("the socket did not open"));
  socket.onmessage = ({ data }) => {
    received.push(JSON.parse(String(data)));
    for (const look of waiting) look();
  };
  socket.onclose = ({ code, reason }) => {
    opened.reject(new Error(`closed with ${code}`));
    closed.resolve({ code, reason });
    for (const look of waiting) look();
  };
  await opened.promise;

  function next(fits: (message: Message) => boolean): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const look = () => {
      const found = received.find(fits);
      if (found === undefined && socket.readyState !== WebSocket.CLOSED) return;
      waiting.delete(look);
      if (found === undefined) reject(new Error("the socket closed without such a message"));
      else resolve(found);
    };
    waiting.add(look);
    look();
    return promise;
  }

  let ids = 0;
  return {
    socket,
    received,
    next,
    closed: closed.promise,
    send: (text) => socket.send(text),
    request(type, data, more = {}) {
      const id = more.id ?? `r${ids++}`;
      socket.send(
        JSON.stringify({ type, id, data, ...("metadata" in more ? { metadata: more.metadata } : {}) }),
      );
      return next((message) => message.id === id && message.type !== "event");
    },
    async close() {
      socket.close();
      await closed.promise;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export const bodyOf = (response: Response): Promise<any> => response.json();

export const ana = {
  user_id: "111111111111111111",
  channel_id: "222222222222222222",
  guild_id: "333333333333333333",
};

export async function initialized(client: Client, more: Record<string, unknown> = {}): Promise<string> {
  const reply = await client.request("initialize", { ...ana, ...more });
  if (reply.type !== "initialize") throw new Error(`initialize failed: ${JSON.stringify(reply)}`);
  return reply.data.session_id;
}
