import { AppError } from "../errors.ts";
import { answers } from "./answers.ts";

/** Why a turn's signal is aborted: a person stopped it, or the process ends and hands it over. */
export const stoppedByPerson = (): AppError => new AppError("cancelled", answers.stopped);

export const shutdownReason = (): AppError =>
  new AppError("shutting_down", "The service is restarting; this goes on by itself as soon as it is back.");

export const isShutdown = (signal: AbortSignal): boolean =>
  signal.aborted && signal.reason instanceof AppError && signal.reason.code === "shutting_down";

/** The promise's outcome, or the signal's reason as soon as it is aborted: for work that may not listen to it. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}

export type Delay = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Resolves after `ms`, or rejects with the signal's reason. */
export const delay: Delay = (ms, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", abort);
    resolve();
  }, ms);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  return promise;
};
