import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";

export type RequestOutcome = "answered" | "refused" | "broken" | "aborted";

export interface RecordedRequest {
  /** The `request-id` that it was answered with. */
  readonly id: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body's exact text, for comparing prefixes byte by byte. */
  readonly rawBody: string;
  /** The body as JSON, or null when it is none. */
  readonly body: unknown;
  /** The body once it has been found well-formed; null for other routes and for refused requests. */
  readonly params: MessageCreateParams | null;
  /** `broken`: by a fault; `aborted`: the client went away first. Null while it is being answered. */
  readonly outcome: RequestOutcome | null;
  readonly status: number | null;
  /** Resolves when it is over. */
  readonly ended: Promise<RequestOutcome>;
}

export type MutableRecord = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] } & {
  readonly end: (outcome: RequestOutcome) => void;
};

const maxRecorded = 1_000;
const maxRecordedChars = 64 * 1024 * 1024;

/** The latest requests, bounded by number and size. */
export class Recorder {
  readonly requests: MutableRecord[] = [];
  readonly #waiting = new Set<{
    readonly predicate: (request: RecordedRequest) => boolean;
    readonly resolve: (request: RecordedRequest) => void;
    readonly reject: (reason: Error) => void;
  }>();
  #chars = 0;

  open(request: Pick<RecordedRequest, "id" | "method" | "path" | "headers">): MutableRecord {
    const ended = Promise.withResolvers<RequestOutcome>();
    const record: MutableRecord = {
      ...request,
      rawBody: "",
      body: null,
      params: null,
      outcome: null,
      status: null,
      ended: ended.promise,
      end: (outcome) => {
        record.outcome ??= outcome;
        ended.resolve(record.outcome);
      },
    };
    return record;
  }

  /** Called once the body is known, so that whoever waits can look at it. */
  add(record: MutableRecord): void {
    this.requests.push(record);
    this.#chars += record.rawBody.length;
    while (this.requests.length > maxRecorded || (this.#chars > maxRecordedChars && this.requests.length > 1))
      this.#chars -= this.requests.shift()?.rawBody.length ?? 0;
    for (const waiter of this.#waiting) {
      if (!waiter.predicate(record)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(record);
    }
  }

  /** The first recorded request that matches, now or later. Rejects when the simulator is closed first. */
  wait(predicate: (request: RecordedRequest) => boolean): Promise<RecordedRequest> {
    const found = this.requests.find(predicate);
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve, reject } = Promise.withResolvers<RecordedRequest>();
    // Whoever gave up waiting must not meet the rejection of a later close.
    promise.catch(() => undefined);
    this.#waiting.add({ predicate, resolve, reject });
    return promise;
  }

  close(): void {
    for (const { reject } of this.#waiting)
      reject(new Error("the simulator was closed before such a request came"));
    this.#waiting.clear();
  }
}
