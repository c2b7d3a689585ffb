import { getLogger } from "@logtape/logtape";
import type { SessionStore } from "./ports.ts";

const log = getLogger(["discord-mcp", "sessions"]);

/** Counters are written in batches of this age; a killed process loses that much of a statistic. */
const countEveryMs = 1000;

/** Runs the tasks of one key one after another, each when the one before has settled. */
export function createSerial() {
  const tails = new Map<string, Promise<void>>();
  return async (key: string, task: () => Promise<void>): Promise<void> => {
    const run = (tails.get(key) ?? Promise.resolve()).then(task);
    const tail: Promise<void> = run
      .catch(() => {})
      .then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    tails.set(key, tail);
    await run;
  };
}

/** Adds up what is counted and writes it in batches. */
export function createCounts(store: SessionStore) {
  let pending = new Map<string, { message: number; tool_call: number }>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = pending;
    pending = new Map();
    // All at once, so that the store can commit them together.
    const writes: Promise<void>[] = [];
    for (const [id, { message, tool_call }] of batch) {
      if (message > 0) writes.push(store.count(id, "message", message));
      if (tool_call > 0) writes.push(store.count(id, "tool_call", tool_call));
    }
    await Promise.all(writes);
  }

  function flushLater(): void {
    flush().catch((error: unknown) => log.warn("a session's counters could not be written", { error }));
  }

  return {
    flush,
    add(id: string, what: "message" | "tool_call"): void {
      let counted = pending.get(id);
      if (counted === undefined) {
        counted = { message: 0, tool_call: 0 };
        pending.set(id, counted);
      }
      counted[what]++;
      timer ??= setTimeout(flushLater, countEveryMs).unref();
    },
  };
}
