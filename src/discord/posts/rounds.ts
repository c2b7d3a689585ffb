/** Work that is done round by round, one at a time, for as long as there may be something to do. */
export class Rounds {
  readonly #round: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #underWay: Promise<void> | null = null;
  #isDirty = false;
  #state: "new" | "started" | "stopped" = "new";

  /** A round that fails is not done again by itself: `onFailure` sees to that. */
  constructor(round: () => Promise<void>, onFailure: (error: unknown) => void) {
    this.#round = round;
    this.#onFailure = onFailure;
  }

  start(): void {
    this.#state = "started";
    this.wake();
  }

  /** There may be something to do. Cheap; many calls at once are one, and before the start they wait for it. */
  wake(): void {
    this.#isDirty = true;
    if (this.#state !== "started") return;
    this.#underWay ??= this.#rounds().finally(() => {
      this.#underWay = null;
      if (this.#isDirty && this.#state === "started") this.wake();
    });
  }

  /** Resolves when nothing is being done; null when nothing is. */
  get underWay(): Promise<void> | null {
    return this.#underWay;
  }

  /** Begins no further round. */
  stop(): void {
    this.#state = "stopped";
  }

  async #rounds(): Promise<void> {
    while (this.#isDirty && this.#state === "started") {
      this.#isDirty = false;
      try {
        await this.#round();
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }
}
