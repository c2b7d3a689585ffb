export interface Reply {
  readonly type: string;
  readonly id: string;
  readonly error?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A program's socket of the JSON protocol; many of them fit into one process. */
export class Program {
  /** Events that all of them have received. */
  static events = 0;
  readonly #socket: WebSocket;
  readonly #pending = new Map<string, (reply: Reply) => void>();
  /** Resolves when it is closed, by whom ever. */
  readonly closed: Promise<number>;
  #ids = 0;
  sessionId = "";

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.closed = promise;
    socket.onmessage = ({ data }) => this.#received(String(data));
    socket.onclose = ({ code }) => resolve(code);
  }

  /** Rejects when it is refused. */
  static open(url: string, token: string): Promise<Program> {
    const { promise, resolve, reject } = Promise.withResolvers<Program>();
    const socket = new WebSocket(`${url.replace("http", "ws")}/mcp/ws`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const program = new Program(socket);
    socket.onopen = () => resolve(program);
    socket.onerror = () => reject(new Error(`No connection to ${url}`));
    return promise;
  }

  #received(frame: string): void {
    if (frame.startsWith('{"type":"event"')) {
      Program.events++;
      return;
    }
    const reply: Reply = JSON.parse(frame);
    this.#pending.get(reply.id)?.(reply);
    this.#pending.delete(reply.id);
  }

  /** Never settles when the connection ends first. */
  request(type: string, data: Readonly<Record<string, unknown>>): Promise<Reply> {
    const id = String(this.#ids++);
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#pending.set(id, resolve);
    this.#socket.send(JSON.stringify({ type, id, data }));
    return promise;
  }

  async initialize(place: Readonly<Record<string, unknown>>): Promise<Reply> {
    const reply = await this.request("initialize", place);
    if (typeof reply.data.session_id === "string") this.sessionId = reply.data.session_id;
    return reply;
  }

  /** A tool that asks the database and not Discord, which takes thirty requests a second of us. */
  recall(): Promise<Reply> {
    const data = { session_id: this.sessionId, tool_name: "discord_memory_recall", arguments: {} };
    return this.request("tool_call", data);
  }

  process(message: string, sessionId = this.sessionId): Promise<Reply> {
    return this.request("process", { session_id: sessionId, message });
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  /** Without a word, as a machine that loses its power. */
  drop(): void {
    this.#socket.terminate();
  }
}
