/** For whom a slot is: places share fairly, and the people within a place. */
export interface SlotOwner {
  readonly guildId: string | null;
  readonly userId: string;
}

/** So many times as much as is free may be held by one place: three quarters of all when it is alone. */
const share = 3;

/** Places that are remembered without holding a slot. */
const rememberedPlaces = 1000;

type Take = () => void;

/**
 * So many may work at once. One server (or person, outside of servers) is given a slot only while it holds less than
 * three times of what is free, so that there is one for whoever comes next. Those that wait are served in turn by server,
 * then by person, then as they came.
 */
export class FairSlots {
  /** By place. Those that hold none stay for a while: most come again at once. */
  readonly #held = new Map<string, number>();
  /** In the order of their turns, people within a place likewise. */
  readonly #waiting = new Map<string, Map<string, Take[]>>();
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with the function that gives the slot back; rejects with the signal's reason. */
  async acquire(owner: SlotOwner, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const taken = this.tryAcquire(owner);
    if (taken !== null) return taken;
    await this.#wait(placeOf(owner), owner.userId, signal);
    return this.#release(placeOf(owner));
  }

  /** The same without waiting; null when there is none. */
  tryAcquire(owner: SlotOwner): (() => void) | null {
    const place = placeOf(owner);
    if (!this.#mayTake(place)) return null;
    this.#take(place);
    return this.#release(place);
  }

  #release(place: string): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#giveBack(place);
    };
  }

  /** Who waits may not take: so one that comes later passes nobody of its own place. */
  #mayTake(place: string): boolean {
    return this.#free > 0 && (this.#held.get(place) ?? 0) < share * this.#free;
  }

  #take(place: string): void {
    this.#free--;
    this.#held.set(place, (this.#held.get(place) ?? 0) + 1);
  }

  #giveBack(place: string): void {
    this.#free++;
    const left = (this.#held.get(place) ?? 1) - 1;
    if (left === 0 && this.#held.size > rememberedPlaces) this.#held.delete(place);
    else this.#held.set(place, left);
    while (this.#serveNext());
  }

  #wait(place: string, userId: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const people = this.#waiting.get(place) ?? new Map<string, Take[]>();
    const queue = people.get(userId) ?? [];
    const take = () => {
      signal.removeEventListener("abort", abort);
      this.#take(place);
      resolve();
    };
    const abort = () => {
      queue.splice(queue.indexOf(take), 1);
      if (queue.length === 0) people.delete(userId);
      if (people.size === 0) this.#waiting.delete(place);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    queue.push(take);
    people.set(userId, queue);
    this.#waiting.set(place, people);
    return promise;
  }

  /** The first place in turn that may take a slot, and the first of its people; both then go to the end. */
  #serveNext(): boolean {
    if (this.#free === 0) return false;
    for (const [place, people] of this.#waiting) {
      if (!this.#mayTake(place)) continue;
      const first = people.entries().next().value;
      this.#waiting.delete(place);
      if (first === undefined) continue;
      const [userId, queue] = first;
      const take = queue.shift();
      people.delete(userId);
      if (queue.length > 0) people.set(userId, queue);
      if (people.size > 0) this.#waiting.set(place, people);
      take?.();
      return true;
    }
    return false;
  }
}

/** Discord gives no id twice, to whatever it may be. */
const placeOf = ({ guildId, userId }: SlotOwner): string => guildId ?? userId;
