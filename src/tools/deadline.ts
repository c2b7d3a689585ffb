import type { AppError } from "../errors.ts";
import { Link, Ring } from "../ring.ts";

/** A call under way, as its work sees it. */
export interface UnderWay {
  /** Aborted when time is up or the caller gives up. Made when it is first asked for: most work never is stopped. */
  readonly signal: AbortSignal;
  /** Throws what the signal was aborted with, and makes none to find out. */
  throwIfOver(): void;
}

export interface Deadlines {
  /**
   * Runs `work` for at most the time that all of them have. Settles then even when the work does not heed its
   * signal: rejects with what is made of `name` then, or with the reason of the caller's signal.
   */
  within<Value>(outer: AbortSignal, name: string, work: (call: UnderWay) => Promise<Value>): Promise<Value>;
}

/**
 * Deadlines of calls that all have the same time, so that they end in the order in which they began: one timer,
 * for the oldest, serves them all, and one listener all calls of a caller's signal.
 */
export function createDeadlines(timeoutMs: number, timedOut: (name: string) => AppError): Deadlines {
  /** Oldest first. */
  const open = new Ring<Call>();
  const callsOf = new WeakMap<AbortSignal, Ring<Call>>();
  let isTimed = false;

  function watch(outer: AbortSignal): Ring<Call> {
    const calls = new Ring<Call>();
    callsOf.set(outer, calls);
    outer.addEventListener(
      "abort",
      () => {
        for (let call = calls.first; call !== null; call = calls.first) call.end(outer.reason);
      },
      { once: true },
    );
    return calls;
  }

  function sweep(): void {
    isTimed = false;
    const now = performance.now();
    for (let call = open.first; call !== null && call.until <= now; call = open.first)
      call.end(timedOut(call.name));
    time();
  }

  function time(): void {
    const oldest = open.first;
    if (isTimed || oldest === null) return;
    isTimed = true;
    // Nothing else keeps a process alive for a call that is long over.
    setTimeout(sweep, Math.max(1, oldest.until - performance.now())).unref();
  }

  return {
    within<Value>(outer: AbortSignal, name: string, work: (call: UnderWay) => Promise<Value>) {
      outer.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Value>();
      const call = new Call(performance.now() + timeoutMs, name, reject);
      open.join(call.byTime);
      (callsOf.get(outer) ?? watch(outer)).join(call.byCaller);
      time();
      void settle(call, work, resolve, reject);
      return promise;
    },
  };
}

async function settle<Value>(
  call: Call,
  work: (call: UnderWay) => Promise<Value>,
  resolve: (value: Value) => void,
  reject: (reason: unknown) => void,
): Promise<void> {
  try {
    resolve(await work(call));
  } catch (error) {
    reject(error);
  } finally {
    call.leave();
  }
}

class Call implements UnderWay {
  readonly until: number;
  readonly name: string;
  readonly byTime = new Link<Call>(this);
  readonly byCaller = new Link<Call>(this);
  readonly #reject: (reason: unknown) => void;
  #controller: AbortController | null = null;
  #ended: { readonly reason: unknown } | null = null;

  constructor(until: number, name: string, reject: (reason: unknown) => void) {
    this.until = until;
    this.name = name;
    this.#reject = reject;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#ended !== null) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  throwIfOver(): void {
    if (this.#ended !== null) throw this.#ended.reason;
  }

  leave(): void {
    this.byTime.leave();
    this.byCaller.leave();
  }

  end(reason: unknown): void {
    this.leave();
    this.#ended = { reason };
    // First this, then the signal: what the work makes of its abortion must not win.
    this.#reject(reason);
    this.#controller?.abort(reason);
  }
}
