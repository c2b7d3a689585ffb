import type { AppError } from "../errors.ts";

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
   * signal: rejects with AppError `timeout`, or with the reason of the caller's signal.
   */
  within<Value>(
    outer: AbortSignal,
    timedOut: () => AppError,
    work: (call: UnderWay) => Promise<Value>,
  ): Promise<Value>;
}

/**
 * Deadlines of calls that all have the same time, so that they end in the order in which they began: one timer,
 * for the oldest, serves them all, and one listener all calls of a caller's signal.
 */
export function createDeadlines(timeoutMs: number): Deadlines {
  /** Oldest first. */
  const open = new Set<Call>();
  const callsOf = new WeakMap<AbortSignal, Set<Call>>();
  let isTimed = false;

  function watch(outer: AbortSignal): Set<Call> {
    const calls = new Set<Call>();
    callsOf.set(outer, calls);
    outer.addEventListener(
      "abort",
      () => {
        for (const call of calls) call.end(outer.reason);
      },
      { once: true },
    );
    return calls;
  }

  function sweep(): void {
    isTimed = false;
    const now = performance.now();
    for (const call of open) {
      if (call.until > now) break;
      open.delete(call);
      call.end(call.timedOut());
    }
    time();
  }

  function time(): void {
    for (const { until } of open) {
      isTimed = true;
      // Nothing else keeps a process alive for a call that is long over.
      setTimeout(sweep, Math.max(1, until - performance.now())).unref();
      return;
    }
  }

  return {
    within(outer, timedOut, work) {
      outer.throwIfAborted();
      const calls = callsOf.get(outer) ?? watch(outer);
      return new Promise((resolve, reject) => {
        const call = new Call(performance.now() + timeoutMs, timedOut, reject);
        open.add(call);
        calls.add(call);
        if (!isTimed) time();
        const close = () => {
          open.delete(call);
          calls.delete(call);
        };
        const fail = (error: unknown) => {
          close();
          reject(error);
        };
        try {
          work(call).then((value) => {
            close();
            resolve(value);
          }, fail);
        } catch (error) {
          fail(error);
        }
      });
    },
  };
}

class Call implements UnderWay {
  readonly until: number;
  readonly timedOut: () => AppError;
  readonly #reject: (reason: unknown) => void;
  #controller: AbortController | null = null;
  #ended: { readonly reason: unknown } | null = null;

  constructor(until: number, timedOut: () => AppError, reject: (reason: unknown) => void) {
    this.until = until;
    this.timedOut = timedOut;
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

  end(reason: unknown): void {
    if (this.#ended !== null) return;
    this.#ended = { reason };
    // First this, then the signal: what the work makes of its abortion must not win.
    this.#reject(reason);
    this.#controller?.abort(reason);
  }
}
