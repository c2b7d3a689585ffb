import { getLogger } from "@logtape/logtape";

const log = getLogger(["discord-mcp", "maintenance"]);

export interface Chore {
  readonly name: string;
  readonly everyMs: number;
  run(): Promise<unknown>;
}

export interface Maintenance extends AsyncDisposable {
  start(): void;
}

/** Does each chore from time to time, never twice at once; a chore that fails is logged and tried again next time. */
export function createMaintenance(chores: readonly Chore[]): Maintenance {
  const timers: Timer[] = [];
  const running = new Set<Promise<void>>();

  async function perform(chore: Chore): Promise<void> {
    try {
      await chore.run();
    } catch (error) {
      log.error("a chore failed", { chore: chore.name, error });
    }
  }

  return {
    start() {
      for (const chore of chores) {
        let busy = false;
        const timer = setInterval(() => {
          if (busy) return;
          busy = true;
          const work = perform(chore).finally(() => {
            busy = false;
            running.delete(work);
          });
          running.add(work);
        }, chore.everyMs);
        timer.unref();
        timers.push(timer);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running);
    },
  };
}
