import { type ApiErrorType, ApiFailure, defaultMessage, typeOf } from "./errors.ts";
import type { StallEnd, StreamFault } from "./reply.ts";

export type Route = "messages" | "count_tokens" | "models";

export type RequestFault =
  | { readonly kind: "status"; readonly failure: ApiFailure }
  | { readonly kind: "disconnect" }
  | { readonly kind: "malformed_body" }
  | { readonly kind: "hang"; readonly until: Promise<void> }
  | StreamFault;

export interface StatusFault {
  readonly status: number;
  /** Default: the type that belongs to the status. */
  readonly type?: ApiErrorType;
  readonly message?: string;
  /** Seconds. */
  readonly retryAfter?: number;
  /** How many requests it meets. Default 1. */
  readonly times?: number;
  /** Default `messages`. */
  readonly on?: Route;
}

export interface Stall {
  readonly release: () => void;
  readonly cut: () => void;
}

const maxQueued = 1_000;

/**
 * What goes wrong with the next requests, first in, first out; each request meets at most one. A scripted
 * reply that a fault spoils stays queued, so that the client's retry gets it.
 */
export class Faults {
  readonly #queue: { readonly on: Route; readonly fault: RequestFault }[] = [];

  /** How many faults no request has met yet. */
  get pending(): number {
    return this.#queue.length;
  }

  /** The next requests are refused with an error of the API. */
  next(fault: StatusFault): void {
    const { status, retryAfter = null } = fault;
    const failure = new ApiFailure(
      status,
      fault.message ?? defaultMessage(status),
      fault.type ?? typeOf(status),
      retryAfter,
    );
    this.#add({ kind: "status", failure }, fault.times, fault.on);
  }

  /**
   * The connection breaks once so many events (or bytes of the body) have been sent. What the client has not
   * read by then it may lose; where a test depends on what was read, use `stallStreamAfter` and its `cut`.
   */
  cutStreamAfter(after: { readonly events: number } | { readonly bytes: number }, times = 1): void {
    this.#add(
      "events" in after
        ? { kind: "cut", afterEvents: after.events }
        : { kind: "cut_bytes", afterBytes: after.bytes },
      times,
    );
  }

  /** An `error` event in a stream that began well. */
  errorInStream(type: ApiErrorType = "overloaded_error", afterEvents = 3, times = 1): void {
    this.#add({ kind: "error", type, afterEvents }, times);
  }

  /** A body (or, in a stream, an event after the first) that is no JSON. */
  malformedBody(times = 1): void {
    this.#add({ kind: "malformed_body" }, times);
  }

  /** The connection is closed without an answer. */
  disconnect(times = 1, on: Route = "messages"): void {
    this.#add({ kind: "disconnect" }, times, on);
  }

  /** The next request gets no answer, not even headers, until released; then it is answered as usual. */
  hang(on: Route = "messages"): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#add({ kind: "hang", until: promise }, 1, on);
    return resolve;
  }

  /** The next stream falls silent after so many events, until it is told to go on or to break. */
  stallStreamAfter(events: number): Stall {
    const { promise, resolve } = Promise.withResolvers<StallEnd>();
    this.#add({ kind: "stall", afterEvents: events, until: promise });
    return { release: () => resolve("go_on"), cut: () => resolve("cut") };
  }

  clear(): void {
    this.#queue.length = 0;
  }

  /** For the server: the fault that this request meets. */
  take(on: Route): RequestFault | null {
    const index = this.#queue.findIndex((entry) => entry.on === on);
    return index < 0 ? null : (this.#queue.splice(index, 1)[0]?.fault ?? null);
  }

  #add(fault: RequestFault, times = 1, on: Route = "messages"): void {
    if (this.#queue.length + times > maxQueued)
      throw new RangeError(`at most ${maxQueued} faults may be queued`);
    for (let i = 0; i < times; i++) this.#queue.push({ on, fault });
  }
}
