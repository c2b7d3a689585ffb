import type { Exchange } from "./ports.ts";

/** How often a client that asked for it hears that a call is still being worked on. */
const everyMs = 5000;

export interface ProgressTeller {
  /** Does nothing for a client that did not ask for progress. */
  tell(message: string): void;
}

/** Each message counts as one step: a number that only rises is what the protocol asks of progress. */
export function progressOf({ context, signal }: Pick<Exchange, "context" | "signal">): ProgressTeller {
  const progressToken = context.mcpReq._meta?.progressToken;
  let progress = 0;
  return {
    tell(message) {
      if (progressToken === undefined || signal.aborted) return;
      progress++;
      const params = { progressToken, progress, message };
      // Whoever cannot be told is not there any more: the call's signal says so.
      context.mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
    },
  };
}

/** Says every few seconds that something still runs, lest the client takes it for dead. */
export async function stillWorking<Value>(
  exchange: Pick<Exchange, "context" | "signal">,
  message: string,
  work: Promise<Value>,
): Promise<Value> {
  if (exchange.context.mcpReq._meta?.progressToken === undefined) return work;
  const { tell } = progressOf(exchange);
  const timer = setInterval(tell, everyMs, message);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
