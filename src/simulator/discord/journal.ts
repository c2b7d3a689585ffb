/** What happened so far, up to a bound, and a way to wait for what has not happened yet. */

/** Ever growing, shared by the journals of one simulator, so that "after this moment" means the same in each. */
export class Ticks {
  #now = 0;

  get now(): number {
    return this.#now;
  }

  next(): number {
    this.#now += 1;
    return this.#now;
  }
}

export interface WaitOptions {
  /** Only what came after that `mark()` counts. Without it, everything since the start does. */
  readonly since?: number;
  /** Milliseconds of real time; 20,000 when left out. */
  readonly timeoutMs?: number;
}

interface Waiter<Entry> {
  readonly predicate: (entry: Entry) => boolean;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (error: Error) => void;
}

export class Journal<Entry> {
  readonly #what: string;
  readonly #ticks: Ticks;
  readonly #bound: number;
  readonly #waiters = new Set<Waiter<Entry>>();
  readonly #listeners = new Set<(entry: Entry) => void>();
  #entries: { readonly tick: number; readonly entry: Entry }[] = [];

  constructor(what: string, ticks: Ticks, bound: number) {
    this.#what = what;
    this.#ticks = ticks;
    this.#bound = bound;
  }

  get entries(): readonly Entry[] {
    return this.#entries.map(({ entry }) => entry);
  }

  add(entry: Entry): void {
    this.#entries.push({ tick: this.#ticks.next(), entry });
    if (this.#entries.length > this.#bound * 2) this.#entries = this.#entries.slice(-this.#bound);
    for (const listener of this.#listeners) listener(entry);
    for (const waiter of [...this.#waiters]) {
      if (waiter.predicate(entry)) waiter.resolve(entry);
    }
  }

  /** Calls the listener for each entry to come; returns what ends that. */
  listen(listener: (entry: Entry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The first entry that fits, past or to come. Rejects after the time-out, and when the simulator is disposed. */
  wait(predicate: (entry: Entry) => boolean, options: WaitOptions = {}): Promise<Entry> {
    const since = options.since ?? 0;
    const past = this.#entries.find(({ tick, entry }) => tick > since && predicate(entry));
    if (past !== undefined) return Promise.resolve(past.entry);
    const timeoutMs = options.timeoutMs ?? 20_000;
    return new Promise<Entry>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter<Entry> = {
        predicate,
        resolve: (entry) => {
          settle();
          resolve(entry);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        waiter.reject(
          new Error(`Waited ${timeoutMs} ms in vain for ${this.#what} among ${this.#entries.length} seen`),
        );
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** Ends every wait. */
  close(): void {
    for (const waiter of [...this.#waiters])
      waiter.reject(new Error(`The simulator ended before ${this.#what} came`));
  }
}
