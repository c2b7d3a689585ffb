import { getLogger } from "@logtape/logtape";

const log = getLogger(["discord-mcp"]);

/** Who wants to hear of something. One listener's failure must not keep the others, or a queue, from going on. */
export class Listeners<Heard> {
  readonly #listeners = new Set<(heard: Heard) => void>();

  /** Returns what ends it. */
  add(listener: (heard: Heard) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(heard: Heard): void {
    for (const listener of this.#listeners) {
      try {
        listener(heard);
      } catch (error) {
        log.error("a listener failed", { error });
      }
    }
  }
}
