import { AppError } from "../errors.ts";
import { answers } from "./answers.ts";

/** Why a turn's signal is aborted: a person stopped it, or the process ends and hands it over. */
export const stoppedByPerson = (): AppError => new AppError("cancelled", answers.stopped);

export const shutdownReason = (): AppError =>
  new AppError("shutting_down", "The service is restarting; this goes on by itself as soon as it is back.");

export const isShutdown = (signal: AbortSignal): boolean =>
  signal.aborted && signal.reason instanceof AppError && signal.reason.code === "shutting_down";
