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
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const frame: Frame = JSON.parse(String(data));
      if (frame.type === "event") this.events.push(frame);
      else this.#waiting.get(frame.id)?.(frame);
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

  async [Symbol.asyncDispose]() {
    this.#socket.close();
  }
}
