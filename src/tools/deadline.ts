import type { AppError } from "../errors.ts";

/**
 * Runs `work` for at most so long, with a signal that is aborted at the end. Settles then even when the work does
 * not heed it: rejects with AppError `timeout`, or with the reason of the caller's signal.
 */
export async function within<Value>(
  timeoutMs: number,
  outer: AbortSignal,
  timedOut: () => AppError,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    // First this, then the signal: what the work makes of its abortion must not win.
    reject(reason);
    controller.abort(reason);
  };
  const onAbort = () => end(outer.reason);
  const timer = setTimeout(() => end(timedOut()), timeoutMs);
  outer.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([ended, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", onAbort);
  }
}
