import { getLogger } from "@logtape/logtape";
import type { Marks } from "../chat/marks.ts";
import type { Gateway } from "./gateway.ts";

const log = getLogger(["discord-mcp", "discord"]);

export interface CheckpointsDeps {
  readonly marks: Pick<Marks, "flush">;
  readonly gateway: Pick<Gateway, "checkpoint">;
  readonly everyMs: number;
}

/** Stores how far the gateway has come, from time to time and when it is asked to, never twice at once. Never rejects. */
export class Checkpoints {
  readonly #deps: CheckpointsDeps;
  #writing: Promise<void> | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(deps: CheckpointsDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => void this.write(), this.#deps.everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Joins what is being written, if anything is. */
  write(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  /** Stores everything that had come when it was called. */
  async flush(): Promise<void> {
    // What is being written may have begun before.
    await this.#writing;
    await this.write();
  }

  async #write(): Promise<void> {
    const { marks, gateway } = this.#deps;
    try {
      // Marks first: a sequence that is ahead of its marks would lose what it has passed, were it not resumed.
      await marks.flush();
      await gateway.checkpoint();
    } catch (error) {
      log.error("how far the gateway has come could not be stored", { error });
    }
  }
}
