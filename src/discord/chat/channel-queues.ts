/** Tasks of one channel run one after the other, those of different channels side by side. */
export class ChannelQueues {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #lengths = new Map<string, number>();
  #total = 0;

  /** Tasks of all channels that have not run. */
  get total(): number {
    return this.#total;
  }

  length(channelId: string): number {
    return this.#lengths.get(channelId) ?? 0;
  }

  /** Resolves when the task has run. The task must not throw. */
  run(channelId: string, task: () => Promise<void>): Promise<void> {
    this.#lengths.set(channelId, this.length(channelId) + 1);
    this.#total++;
    const tail = (this.#tails.get(channelId) ?? Promise.resolve()).then(task).then(() => {
      this.#lengths.set(channelId, this.length(channelId) - 1);
      this.#total--;
      if (this.#tails.get(channelId) !== tail) return;
      this.#tails.delete(channelId);
      this.#lengths.delete(channelId);
    });
    this.#tails.set(channelId, tail);
    return tail;
  }

  /** Resolves when all that was queued until now has run. */
  async settled(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}
