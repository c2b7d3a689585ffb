type Id = string | number;

export interface Request {
  readonly id: Id;
  readonly method: string;
}

/** More than that is not remembered: a client that asks so much at once learns of a loss by the end of the output. */
const maxRemembered = 4096;

export const requestError = (
  id: Id | null,
  error: { readonly code: number; readonly message: string },
): string => JSON.stringify({ jsonrpc: "2.0", id, error });

/** The client's requests that have not been answered, told by the messages that pass. */
export class PendingRequests {
  readonly #requests = new Map<Id, Request>();
  #changed = Promise.withResolvers<void>();

  /** A message of the client. */
  asked(text: string): void {
    for (const { method, id, params } of messagesIn(text)) {
      if (method === undefined) continue;
      if (id !== undefined && this.#requests.size < maxRemembered) this.#requests.set(id, { id, method });
      // What is cancelled is not answered.
      if (method === "notifications/cancelled") this.#forget(idOf(params, "requestId"));
    }
    this.#tell();
  }

  /** A message of the service. */
  answered(text: string): void {
    if (this.isEmpty) return;
    for (const { method, id } of messagesIn(text)) if (method === undefined) this.#forget(id);
    this.#tell();
  }

  /** All of them, which are forgotten. */
  take(): readonly Request[] {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    return requests;
  }

  get isEmpty(): boolean {
    return this.#requests.size === 0;
  }

  async none(): Promise<void> {
    while (!this.isEmpty) await this.#changed.promise;
  }

  async some(): Promise<void> {
    while (this.isEmpty) await this.#changed.promise;
  }

  #forget(id: Id | undefined): void {
    if (id !== undefined) this.#requests.delete(id);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

interface Message {
  readonly method: string | undefined;
  readonly id: Id | undefined;
  readonly params: unknown;
}

/** None when it is no JSON; several in a batch. */
function messagesIn(text: string): readonly Message[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  return (Array.isArray(value) ? value : [value]).filter(isObject).map((message) => ({
    method: typeof message.method === "string" ? message.method : undefined,
    id: idOf(message, "id"),
    params: message.params,
  }));
}

function idOf(value: unknown, name: string): Id | undefined {
  const id = isObject(value) ? value[name] : undefined;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
