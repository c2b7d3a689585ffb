/** A disturbance of the REST side. */
export interface RestFault {
  readonly method?: string;
  /** Fits the decoded path without /api/v10, such as /channels/1/messages. */
  readonly path?: RegExp;
  /** How many requests it hits; 1 when left out. */
  readonly times?: number;
  /**
   * A status; `timeout` never answers; `reset` cuts the connection before an answer; `half` in the middle of one;
   * `hold` waits for `release` and then answers as usual.
   */
  readonly respond: number | "timeout" | "reset" | "half" | "hold";
  /** Instead of Discord's usual body for that status. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request has its effect all the same: what makes a failed POST an unknown one. */
  readonly afterEffect?: boolean;
}

export interface PlantedFault {
  /** Requests that it has hit. */
  readonly hits: number;
  /** Lets what is held or timing out go on, and hits no more. */
  release(): void;
}

export class Planted implements PlantedFault {
  readonly fault: RestFault;
  readonly #released: Promise<void>;
  readonly #resolve: () => void;
  #left: number;
  hits = 0;

  constructor(fault: RestFault) {
    this.fault = fault;
    this.#left = fault.times ?? 1;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#released = promise;
    this.#resolve = resolve;
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  released(): Promise<void> {
    return this.#released;
  }

  take(method: string, path: string): boolean {
    const fits = (this.fault.method ?? method) === method && (this.fault.path?.test(path) ?? true);
    if (this.isSpent || !fits) return false;
    this.#left -= 1;
    this.hits += 1;
    return true;
  }

  release(): void {
    this.#left = 0;
    this.#resolve();
  }
}

export class RestFaults {
  #planted: Planted[] = [];

  plant(fault: RestFault): PlantedFault {
    const planted = new Planted(fault);
    this.#planted = [
      ...this.#planted.filter((other) => !other.isSpent || other.fault.respond === "hold"),
      planted,
    ];
    return planted;
  }

  find(method: string, path: string): Planted | null {
    return this.#planted.find((planted) => planted.take(method, path)) ?? null;
  }

  clear(): void {
    for (const planted of this.#planted) planted.release();
    this.#planted = [];
  }
}

/** What Discord says with a status that it gives without looking at the request. */
export function usualBody(status: number): unknown {
  if (status === 204) return undefined;
  if (status === 429) return { message: "You are being rate limited.", retry_after: 0.05, global: false };
  if (status === 202)
    return {
      message: "Index not yet available. Try again later",
      code: 110_000,
      documents_indexed: 0,
      retry_after: 0,
    };
  const messages: Record<number, string> = {
    401: "401: Unauthorized",
    403: "403: Forbidden",
    404: "404: Not Found",
    500: "500: Internal Server Error",
    502: "502: Bad Gateway",
    503: "upstream connect error or disconnect/reset before headers",
  };
  return { message: messages[status] ?? `${status}: Error`, code: 0 };
}

export function usualHeaders(status: number): Record<string, string> {
  return status === 429 ? { "retry-after": "1", "x-ratelimit-scope": "user" } : {};
}
