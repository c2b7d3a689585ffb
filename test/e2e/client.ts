/** A small client of the JSON protocol over the platform's own WebSocket. */
export interface Frame {
  readonly type: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
  readonly error?: string;
}

export class Client implements AsyncDisposable {
  readonly events: Frame[] = [];
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (frame: Frame) => void>();
  readonly #watchers = new Set<(frame: Frame) => void>();
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const frame: Frame = JSON.parse(String(data));
      if (frame.type !== "event") return this.#waiting.get(frame.id)?.(frame);
      this.events.push(frame);
      for (const watcher of this.#watchers) watcher(frame);
    };
  }

  static open(url: string, token: string): Promise<Client> {
    const { promise, resolve, reject } = Promise.withResolvers<Client>();
    const socket = new WebSocket(`${url.replace("http", "ws")}/mcp/ws`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const client = new Client(socket);
    socket.onopen = () => resolve(client);
    socket.onerror = () => reject(new Error(`No connection to ${url}`));
    return promise;
  }

  request(type: string, data: Record<string, unknown>): Promise<Frame> {
    const id = String(this.#next++);
    const { promise, resolve } = Promise.withResolvers<Frame>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ type, id, data }));
    return promise;
  }

  /** The first event of that type, past or to come. */
  waitForEvent(type: string): Promise<Frame> {
    const { promise, resolve } = Promise.withResolvers<Frame>();
    const watcher = (frame: Frame) => {
      const { event } = frame.data;
      if (typeof event === "object" && event !== null && "type" in event && event.type === type)
        resolve(frame);
    };
    this.#watchers.add(watcher);
    for (const frame of this.events) watcher(frame);
    return promise.finally(() => this.#watchers.delete(watcher));
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
  }
}
