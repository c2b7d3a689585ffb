interface Place {
  readonly userId: string;
  readonly channelId: string;
}

/** Conversations that are being reset, one reset after the other: new turns wait for it, so as to be of the new epoch. */
export class Resets {
  readonly #underWay = new Map<string, Promise<void>>();

  /** Resolves when the conversation there has been reset, however that went; undefined while nothing resets it. */
  settled(place: Place): Promise<void> | undefined {
    return this.#underWay.get(keyOf(place));
  }

  /** Rejects with what `reset` throws. */
  async run(place: Place, reset: () => Promise<void>): Promise<void> {
    const key = keyOf(place);
    const running = (this.#underWay.get(key) ?? Promise.resolve()).then(reset);
    const settled = running.catch(() => {});
    this.#underWay.set(key, settled);
    void settled.then(() => {
      if (this.#underWay.get(key) === settled) this.#underWay.delete(key);
    });
    await running;
  }
}

const keyOf = ({ userId, channelId }: Place): string => `${userId}/${channelId}`;
