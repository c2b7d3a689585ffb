import { type Forgotten, goesWith, type OnBehalf, type Whose } from "../actor.ts";
import { AppError } from "../errors.ts";

/** When whoever is refused may come again. */
const retryAfterMs = 5000;

/** Somebody's, or a server's, doors, while what is theirs is erased. */
export interface Shut {
  /** Waits at most so long for all that had come in before. True when nothing of it is under way any more. */
  settled(boundMs: number): Promise<boolean>;
  open(): void;
}

export interface Visits {
  /** Throws AppError `rate_limited` while what is theirs is erased. */
  readonly run: OnBehalf;
  /** The same for what cannot be refused: waits until then. */
  readonly runLater: OnBehalf;
  /** Lets nothing of theirs begin until it is opened. */
  shut(whose: Forgotten): Shut;
}

interface Shutting {
  readonly whose: Forgotten;
  readonly opened: Promise<void>;
}

/**
 * What is being done for people. Whatever may store something of theirs is done as a visit, begun in the same turn of
 * the event loop in which it was established that they may: so nothing is written of somebody after they are forgotten
 * that was let in before. Held in memory, since nothing that is under way outlives its process.
 */
export function createVisits(): Visits {
  const underWay = new Map<Promise<unknown>, Whose>();
  const shuttings = new Set<Shutting>();

  function shuttingOf(of: Whose): Shutting | undefined {
    if (shuttings.size === 0) return undefined;
    for (const shutting of shuttings) if (goesWith(shutting.whose, of)) return shutting;
    return undefined;
  }

  function begin<Value>(of: Whose, work: () => Promise<Value>): Promise<Value> {
    const visit = work();
    underWay.set(visit, of);
    const leave = () => void underWay.delete(visit);
    visit.then(leave, leave);
    return visit;
  }

  return {
    run: (of, work) => (shuttingOf(of) === undefined ? begin(of, work) : Promise.reject(beingForgotten())),
    async runLater(of, work) {
      for (let shutting = shuttingOf(of); shutting !== undefined; shutting = shuttingOf(of))
        await shutting.opened;
      return begin(of, work);
    },
    shut(whose) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const shutting: Shutting = { whose, opened: promise };
      shuttings.add(shutting);
      return {
        settled: (boundMs) => settled(underWay, whose, boundMs),
        open() {
          shuttings.delete(shutting);
          resolve();
        },
      };
    },
  };
}

async function settled(
  underWay: ReadonlyMap<Promise<unknown>, Whose>,
  whose: Forgotten,
  boundMs: number,
): Promise<boolean> {
  const theirs = () => [...underWay].flatMap(([visit, of]) => (goesWith(whose, of) ? [visit] : []));
  // Whoever has just been let in has begun by then.
  await afterOthers();
  const { promise: bound, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, boundMs);
  await Promise.race([Promise.allSettled(theirs()), bound]);
  clearTimeout(timer);
  return theirs().length === 0;
}

/** Resolves when whatever else is due has had its turn. */
export const afterOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function beingForgotten(): AppError {
  return new AppError(
    "rate_limited",
    "What is stored of this person or server is being deleted just now; try again in a moment.",
    { retryAfterMs },
  );
}
